"""What a plain pose model's outputs are, by their channels."""

from __future__ import annotations

from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.pose.decode import KEYPOINTS, LIMBS
from edgeinfer.device.tasks.spec import Decoder, PoseSpec


def guess_pose(shown: Shown) -> Guess | None:
    """Find a PoseNet's heatmaps, offsets and displacements; None for any other model."""
    outputs = shown.outputs
    shapes = [output.shape for output in outputs]
    if not 2 <= len(outputs) <= 4 or any(
        len(shape) != 4 or shape[:3] != shapes[0][:3] or shape[0] != 1 for shape in shapes
    ):
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
