"""What a plain pose model's outputs are, by their channels or shapes."""

from __future__ import annotations

from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.pose.decode import KEYPOINTS, LIMBS
from edgeinfer.device.tasks.spec import Decoder, KeypointsSpec, PoseSpec


def guess_pose(shown: Shown) -> Guess | None:
    """Return how MoveNet or a PoseNet is to be read; None for any other model."""
    return _movenet(shown) or _posenet(shown)


def _movenet(shown: Shown) -> Guess | None:
    """Find MoveNet's keypoints: of one person, or of several with a box and a score each.

    Source: Google's model cards of MoveNet SinglePose, (1, 1, 17, 3), and MultiPose, (1, 6, 56);
    both pad pictures to the model's shape, and take pixels from 0 to 255.
    """
    shape, points = shown.outputs[0].shape, len(KEYPOINTS)
    if len(shown.outputs) != 1:
        return None
    if shape == (1, 1, points, 3):
        spec, people = KeypointsSpec(), "one person"
    elif len(shape) == 3 and shape[0] == 1 and shape[2] == 3 * points + 5:
        # Behind the keypoints are a box and the score.
        spec, people = KeypointsSpec(score=3 * points + 4), f"up to {shape[1]} people"
    else:
        return None
    return Guess(
        task="pose",
        decoder=Decoder(keypoints=spec),
        classes=points,
        crop="letterbox",
        input_range="0..255",
        reason=f"a MoveNet for {people}, by its output's shape, {shape}",
    )


def _posenet(shown: Shown) -> Guess | None:
    """Find a PoseNet's heatmaps, offsets and displacements; None for any other model."""
    outputs = shown.outputs
    shapes = [output.shape for output in outputs]
    if not 2 <= len(outputs) <= 4 or any(
        len(shape) != 4 or shape[:3] != shapes[0][:3] or shape[0] != 1 for shape in shapes
    ):
        return None
    if len(shown.inputs[0].shape) != 4:
        return None
    channels = [shape[3] for shape in shapes]
    points = min(channels)
    if channels.count(points) != 1 or channels.count(2 * points) != 1:
        return None
    heatmaps, offsets = channels.index(points), channels.index(2 * points)
    ways = tuple(i for i in range(len(outputs)) if i not in (heatmaps, offsets))
    limbs = sum(channels[way] for way in ways)
    if ways and (limbs, points) != (4 * len(LIMBS), len(KEYPOINTS)):
        return None
    spec = PoseSpec(
        heatmaps=heatmaps,
        offsets=offsets,
        displacements=ways,
        stride=_stride(shown.inputs[0].shape[2], shapes[0][2]),
    )
    people, listed = "people" if ways else "one person", ", ".join(map(str, channels))
    return Guess(
        task="pose",
        decoder=Decoder(pose=spec),
        classes=points,
        labels_output=heatmaps,
        reason=f"a PoseNet for {people}, by its outputs of {listed} channels",
    )


def _stride(pixels: int, cells: int) -> float:
    """Return the pixels from cell to cell; the outermost are on the edges where that fits."""
    if cells > 1 and (pixels - 1) % (cells - 1) == 0:
        return float((pixels - 1) // (cells - 1))
    return pixels / cells
