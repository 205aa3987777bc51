"""What a plain `.tflite` does, worked out from its graph, its TFLite Metadata, and shapes.

In this order, the most reliable first: operators that decide it (a detector's post-processing, a
PoseNet's decoder), metadata, shapes and names. What is guessed is put into words for the user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.tflite_metadata import ModelMetadata, TensorMetadata
from edgeinfer.device.tasks.registry import find_task
from edgeinfer.device.tasks.segmentation.decode import holds_indices
from edgeinfer.device.tasks.spec import Decoder, DetectionSpec, PoseSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tflite.model import Operator, TfliteModel

DETECTION_POSTPROCESS = "TFLite_Detection_PostProcess"
_PASS_THROUGH = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "CAST"}
_PROBABILITIES = {"SOFTMAX", "LOGISTIC"}
_FEATURES = {"L2_NORMALIZATION", "MEAN", "AVERAGE_POOL_2D"}
"""Operators behind an embedding; a classifier's last ones are a dense layer and a softmax."""


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What a model does.

    Attributes:
        task: what a prediction is.
        decoder: how its outputs are to be read.
        classes: how many labels it needs; None where that is not known.
        labels_output: which output labels belong to.
        skips_background: class 0 is the first that is one, whatever a label file begins with.
        reason: why, for people; empty where it was not a guess.
    """

    task: str
    decoder: Decoder
    classes: int | None = None
    labels_output: int = 0
    skips_background: bool = False
    reason: str = ""


def guess_task(
    graph: TfliteModel,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    metadata: ModelMetadata | None,
) -> Guess | None:
    """Return what a model does; None where nothing that edgeinfer decodes fits.

    Args:
        graph: the model as it runs.
        inputs: its inputs' specs.
        outputs: its outputs' specs.
        metadata: its TFLite Metadata, or None.
    """
    said = metadata.outputs if metadata is not None else ()
    guess = (
        _post_processed(graph)
        or (_detector(outputs, said) if len(outputs) in (3, 4) else None)
        or (_pose(inputs, outputs) if 2 <= len(outputs) <= 4 else None)
        or (_one_output(graph, outputs[0]) if len(outputs) == 1 else None)
    )
    if guess is None:
        return None
    if guess.decoder.detection is not None:
        guess = _with_metadata(guess, guess.decoder.detection, said)
    return replace(guess, reason="") if said else guess


def ends_in_probabilities(model: TfliteModel) -> bool:
    """True where the first output comes from a softmax or logistic op."""
    behind = _behind_output(model)
    return behind is not None and behind.op in _PROBABILITIES


def _behind_output(model: TfliteModel) -> Operator | None:
    """Return the operator that computes the first output, those that only pass it on left out."""
    graph = model.subgraphs[0]
    wanted = graph.outputs[0]
    for operator in reversed(graph.operators):
        if wanted in operator.outputs:
            if operator.op not in _PASS_THROUGH:
                return operator
            if not operator.inputs:
                return None
            wanted = operator.inputs[0]
    return None


def _post_processed(model: TfliteModel) -> Guess | None:
    """Read a detector off the operator that gives its boxes, classes, scores and count."""
    graph = model.subgraphs[0]
    step = next((step for step in graph.operators if step.op == DETECTION_POSTPROCESS), None)
    if step is None or len(step.outputs) != 4 or not set(step.outputs) <= set(graph.outputs):
        return None
    boxes, classes, scores, count = (graph.outputs.index(tensor) for tensor in step.outputs)
    spec = DetectionSpec(boxes=boxes, classes=classes, scores=scores, count=count)
    return Guess(
        task="detection",
        decoder=Decoder(detection=spec),
        labels_output=classes,
        skips_background=True,
        reason=f"a detector, by its {DETECTION_POSTPROCESS}",
    )


def _detector(outputs: Sequence[TensorSpec], said: Sequence[TensorMetadata]) -> Guess | None:
    """Find boxes, classes, scores and count by shapes and names."""
    boxes = [i for i, output in enumerate(outputs) if len(output.shape) == 3]
    lists = [i for i, output in enumerate(outputs) if len(output.shape) == 2]
    counts = [i for i, output in enumerate(outputs) if len(output.shape) < 2]
    if len(boxes) != 1 or len(lists) != 2 or len(counts) != len(outputs) - 3:
        return None
    words = [output.name.lower() for output in outputs]
    if len(said) == len(outputs):
        words = [f"{tensor.name} {word}".lower() for tensor, word in zip(said, words, strict=True)]
    # TensorFlow 1's detectors give boxes, classes, scores; TensorFlow 2's scores, boxes, count,
    # classes, under names that say nothing.
    classes, scores = lists if boxes[0] == 0 else lists[::-1]
    if any(word in words[scores] for word in ("class", "categor")) or any(
        word in words[classes] for word in ("score", "prob", "confidence")
    ):
        classes, scores = scores, classes
    spec = DetectionSpec(
        boxes=boxes[0], classes=classes, scores=scores, count=counts[0] if counts else None
    )
    decoder = Decoder(detection=spec)
    try:
        find_task("detection").check_outputs(Said(decoder=decoder), outputs)
    except ValueError:
        return None
    return Guess(
        task="detection",
        decoder=decoder,
        labels_output=classes,
        skips_background=True,
        reason=f"a detector, by its outputs' shapes: classes are '{outputs[classes].name}', "
        f"scores '{outputs[scores].name}'",
    )


def _with_metadata(guess: Guess, spec: DetectionSpec, said: Sequence[TensorMetadata]) -> Guess:
    """Read boxes as the metadata says, and leave out what scores less than it says."""
    if max(spec.boxes, spec.classes, spec.scores) >= len(said):
        return guess
    box, least = said[spec.boxes].box, said[spec.scores].min_score
    if box is not None:
        spec = replace(spec, form=box.form, order=box.order, unit=box.unit)
    if least is not None:
        spec = replace(spec, min_score=least)
    return replace(
        guess,
        decoder=Decoder(detection=spec),
        # What the metadata calls labels belongs to the classes as they are counted.
        skips_background=guess.skips_background and not said[spec.classes].label_files,
    )


def _pose(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> Guess | None:
    """Find heatmaps, offsets and displacements by their channels."""
    shapes = [output.shape for output in outputs]
    if any(len(shape) != 4 or shape[:3] != shapes[0][:3] for shape in shapes):
        return None
    channels = [shape[3] for shape in shapes]
    points = min(channels)
    if channels.count(points) != 1 or channels.count(2 * points) != 1:
        return None
    heatmaps, offsets = channels.index(points), channels.index(2 * points)
    ways = tuple(i for i in range(len(outputs)) if i not in (heatmaps, offsets))
    spec = PoseSpec(
        heatmaps=heatmaps,
        offsets=offsets,
        displacements=ways,
        stride=_stride(inputs[0].shape[2], shapes[0][2]),
    )
    decoder = Decoder(pose=spec)
    try:
        find_task("pose").check_outputs(Said(decoder=decoder), outputs)
    except ValueError:
        return None
    people, listed = "people" if ways else "one person", ", ".join(map(str, channels))
    return Guess(
        task="pose",
        decoder=decoder,
        classes=points,
        labels_output=heatmaps,
        reason=f"a PoseNet for {people}, by its outputs of {listed} channels",
    )


def _stride(pixels: int, cells: int) -> float:
    """Return the pixels from cell to cell; the outermost are on the edges where that fits."""
    if cells > 1 and (pixels - 1) % (cells - 1) == 0:
        return float((pixels - 1) // (cells - 1))
    return pixels / cells


def _one_output(graph: TfliteModel, output: TensorSpec) -> Guess | None:
    shape, behind = output.shape, _behind_output(graph)
    if len(shape) in (3, 4) and shape[0] == 1 and shape[1] * shape[2] > 1:
        return _segmenter(graph, output, behind)
    if len(shape) < 2 or shape[-1] < 2 or any(size != 1 for size in shape[:-1]):
        return None
    if behind is not None and behind.op in _FEATURES:
        return Guess(
            task="embedding",
            decoder=Decoder(),
            reason=f"an embedding of {shape[-1]:,} numbers, by its last operator, {behind.op}",
        )
    logits = not ends_in_probabilities(graph)
    return Guess(
        task="classification",
        decoder=Decoder(activation="softmax" if logits else "none"),
        classes=shape[-1],
        reason=f"a classifier, by its output of {shape[-1]:,} numbers",
    )


def _segmenter(graph: TfliteModel, output: TensorSpec, behind: Operator | None) -> Guess | None:
    shape = output.shape
    classes: int | None = max(shape[3], 2) if len(shape) == 4 else None
    if len(shape) == 3 or (shape[3] == 1 and holds_indices(output)):
        if not holds_indices(output):
            return None
        classes = None
        if behind is not None and behind.op == "ARG_MAX" and behind.inputs:
            scores = graph.subgraphs[0].tensors[behind.inputs[0]].shape
            classes = scores[-1] if scores else None
    logits = behind is None or behind.op not in _PROBABILITIES
    places = f"{shape[2]} x {shape[1]}"
    return Guess(
        task="segmentation",
        decoder=Decoder(activation="softmax" if logits else "none"),
        classes=classes,
        reason=f"a segmenter, by its output of {places} places",
    )
