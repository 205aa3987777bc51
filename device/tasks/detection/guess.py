"""What a plain detector's outputs are: by its operators, its metadata, shapes and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgeinfer.device.tasks.detection.faces.blaze_face import guess_faces
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.labels import UNNAMED, fit_labels, named
from edgeinfer.device.tasks.spec import Decoder, DetectionSpec
from edgeinfer.device.tflite.metadata.tflite_metadata import TensorMetadata
from edgeinfer.device.tflite.model import TfliteModel

DETECTION_POSTPROCESS = "TFLite_Detection_PostProcess"

_COCO_NUMBERS = 90
"""COCO numbers its classes from 1 to 90. Models have an output for each number, without a 0."""
_COCO_UNUSED = frozenset({12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
"""Numbers that no class has: those of COCO's paper that were dropped from its data. Source: the
categories of COCO's instances_val2017.json."""
_COCO_NAMES = _COCO_NUMBERS - len(_COCO_UNUSED)
_COCO_KNOWN = {0: "person", 2: "car", 5: "bus", 14: "bird", 15: "cat", 16: "dog", 79: "toothbrush"}
"""Some names that files of COCO's 80 classes have at these places; others are spelt in many ways,
such as sofa and couch."""


def guess_detector(shown: Shown) -> Guess | None:
    """Return how a detector is to be read; None for a model that is not one."""
    guess = _post_processed(shown.graph) or guess_faces(shown) or _by_shapes(shown)
    if guess is None or guess.decoder.detection is None:
        return guess
    return _with_metadata(guess, guess.decoder.detection, shown.said)


def fit_class_names(
    found: tuple[str, ...], classes: int, *, subject: str
) -> tuple[tuple[str, ...], str | None]:
    """Return as many labels as a detector has classes; see `labels.fit_labels`.

    COCO's 80 names are put at the numbers that they have among 90, which is certain where the file
    has them in COCO's order. Any other number of labels is refused: names off by some look right.

    Raises:
        ModelError: there are more or fewer labels.
    """
    if (
        len(found) == _COCO_NAMES
        and classes == _COCO_NUMBERS
        and all(found[place].lower() == name for place, name in _COCO_KNOWN.items())
    ):
        names = iter(found)
        numbers = range(1, _COCO_NUMBERS + 1)
        placed = [UNNAMED if number in _COCO_UNUSED else next(names) for number in numbers]
        return named(tuple(placed)), (
            f"the {_COCO_NAMES} labels are COCO's and the model has its {_COCO_NUMBERS} class "
            "numbers: each name is at its number"
        )
    return fit_labels(found, classes, subject=subject, of="classes")


def _post_processed(model: TfliteModel) -> Guess | None:
    """Read a detector off the operator that gives its boxes, classes, scores and count."""
    graph = model.subgraphs[0]
    step = next((step for step in graph.operators if step.op == DETECTION_POSTPROCESS), None)
    if step is None or len(step.outputs) != 4 or not set(step.outputs) <= set(graph.outputs):
        return None
    boxes, classes, scores, count = (graph.outputs.index(tensor) for tensor in step.outputs)
    most = max(1, step.options.get("max_classes_per_detection", 1))
    number = step.options.get("num_classes", 0)
    # The count is of boxes, each with an entry for every one of its best classes. Only where the
    # kernel goes class by class it counts entries.
    each = 1 if step.options.get("use_regular_nms", 0) else most
    spec = DetectionSpec(
        boxes=boxes,
        classes=classes,
        scores=scores,
        count=count,
        classes_per_box=each if each > 1 else None,
    )
    return Guess(
        task="detection",
        decoder=Decoder(detection=spec),
        classes=number if number > 0 else None,
        labels_output=classes,
        skips_background=True,
        reason=f"a detector, by its {DETECTION_POSTPROCESS}",
    )


def _by_shapes(shown: Shown) -> Guess | None:
    """Find boxes, classes, scores and count by shapes and names."""
    outputs, said = shown.outputs, shown.said
    boxes = [i for i, output in enumerate(outputs) if len(output.shape) == 3]
    lists = [i for i, output in enumerate(outputs) if len(output.shape) == 2]
    counts = [i for i, output in enumerate(outputs) if len(output.shape) < 2]
    if len(outputs) not in (3, 4) or len(boxes) != 1 or len(lists) != 2:
        return None
    objects = outputs[boxes[0]].shape[1]
    expected = [(1, objects, 4), (1, objects), (1, objects)]
    if [outputs[i].shape for i in (*boxes, *lists)] != expected:
        return None
    if any(outputs[i].shape not in ((), (1,)) for i in counts):
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
    return Guess(
        task="detection",
        decoder=Decoder(detection=spec),
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
