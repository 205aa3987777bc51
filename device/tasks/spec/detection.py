"""How the outputs of detectors are read: post-processed, relative to anchors, or candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from edgeinfer.device.tflite.metadata.tflite_metadata import BoxForm

_MOST_CLASS = 2**31
_MOST_PIXELS = 1e5
_MOST_CLASSES = 100_000
_MOST_KEYPOINTS = 1000
_MOST_COEFFICIENTS = 1024
_MOST_OBJECTS = 1000

TensorLayout: TypeAlias = Literal["channels-first", "channels-last"]
"""Whether the numbers that belong to a place are along the first axis after the batch, or the
last."""


@dataclass(frozen=True, kw_only=True)
class DetectionSpec:
    """Which outputs of a detector are what. The defaults are TFLite_Detection_PostProcess's.

    Attributes:
        boxes: number of the output with the boxes, (1, objects, 4).
        classes: number of the output with the class indices, (1, objects).
        scores: number of the output with the scores, 0 to 1, (1, objects).
        count: number of the output that says how many objects there are, (1,); None where all are.
        form: what the numbers of a box are.
        order: where in a box each of these numbers is.
        unit: `ratio` where 1 is the image's width or height, `pixel` for pixels of it.
        first_class: the class index that the first label belongs to.
        classes_per_box: how many entries of the lists each counted box has, one for each of its
            best classes, and unused ones where there are fewer classes; None where each entry is
            counted.
        min_score: objects that score less are left out.
    """

    boxes: int = 0
    classes: int = 1
    scores: int = 2
    count: int | None = 3
    form: BoxForm = "corners"
    order: tuple[int, int, int, int] = (1, 0, 3, 2)
    unit: Literal["ratio", "pixel"] = "ratio"
    first_class: int = 0
    classes_per_box: int | None = None
    min_score: float = 0.5

    def __post_init__(self) -> None:
        """Refuse outputs that are two things at the same time, and impossible orders and scores."""
        numbers = [self.boxes, self.classes, self.scores]
        numbers += [] if self.count is None else [self.count]
        if len(set(numbers)) != len(numbers) or min(numbers) < 0:
            raise ValueError(f"outputs are {numbers}, expected different numbers from 0")
        if sorted(self.order) != [0, 1, 2, 3]:
            raise ValueError(f"order is {self.order}, expected each of 0 to 3 once")
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score is {self.min_score}, expected 0 to 1")
        if self.classes_per_box is not None and not 1 <= self.classes_per_box <= _MOST_CLASS:
            raise ValueError(f"classes_per_box is {self.classes_per_box}, expected 1 or more")
        if abs(self.first_class) > _MOST_CLASS:
            raise ValueError(f"first_class is {self.first_class}, expected a class index")


@dataclass(frozen=True, kw_only=True)
class AnchorSpec:
    """How a detector without post-processing is read that has one class, as BlazeFace does.

    The model's image has a grid of cells for each stride. Boxes are stored as the way from the
    centre of a cell to that of the box, then width and height; points of the object follow.

    Attributes:
        boxes: number of the output with boxes and points, (1, anchors, 4 + 2 points), in pixels of
            the model's image: all x before y.
        scores: number of the output with the logits, (1, anchors, 1).
        strides: pixels from cell to cell of each grid, in the order of the anchors.
        per_cell: how many anchors a cell of each grid has.
        points: names of the points.
        min_score: objects that score less are left out, 0 to 1.
        iou: boxes that overlap more are one object.
    """

    boxes: int = 0
    scores: int = 1
    strides: tuple[int, ...]
    per_cell: tuple[int, ...]
    points: tuple[str, ...] = ()
    min_score: float = 0.5
    iou: float = 0.3

    def __post_init__(self) -> None:
        """Refuse outputs that are two things at the same time, and impossible grids and scores."""
        if self.boxes == self.scores or min(self.boxes, self.scores) < 0:
            raise ValueError(
                f"outputs are {[self.boxes, self.scores]}, expected different numbers from 0"
            )
        grids = [*self.strides, *self.per_cell]
        if not self.strides or len(self.strides) != len(self.per_cell):
            raise ValueError("strides and per_cell are not as many, expected one each a grid")
        if not all(1 <= number <= _MOST_PIXELS for number in grids):
            raise ValueError(f"strides and per_cell are {grids}, expected 1 to {_MOST_PIXELS:g}")
        if len(self.points) > _MOST_KEYPOINTS:
            raise ValueError(f"{len(self.points):,} points, expected {_MOST_KEYPOINTS} or less")
        if not (0 <= self.min_score <= 1 and 0 <= self.iou <= 1):
            raise ValueError(f"min_score and iou are {self.min_score} and {self.iou}, not 0 to 1")


@dataclass(frozen=True, kw_only=True)
class CandidateSpec:
    """Which numbers of an output are what, where it has some for each place an object may be.

    YOLO models give such outputs, each candidate as box, objectness, class scores, and then what
    else there is: the coefficients of a mask, keypoints, or an angle.

    Attributes:
        output: number of the output with the candidates.
        layout: `channels-first` is (1, numbers, candidates), `channels-last` the other way round.
        picked: the model leaves out what overlaps: after the box come one score and the class.
        objectness: a number before the class scores multiplies them.
        classes: how many class scores there are; None where the model picked the objects.
        form: what the numbers of a box are.
        unit: `ratio` where 1 is the image's width or height, `pixel` for pixels of it; `either`
            where each answer tells: of boxes in pixels most have a number above 2.
        keypoints: how many keypoints there are, and the numbers of each: x, y and, of three, its
            score.
        coefficients: how many numbers weigh the prototypes of a mask.
        prototypes: number of the output with the prototypes of masks, as many as coefficients.
        prototypes_layout: `channels-last` is (1, rows, columns, prototypes).
        angle: the last number is how far the box is turned, clockwise, in radians.
        min_score: objects that score less are left out.
        iou: of objects of a class that overlap more, intersection over union, the surest is kept.
        max_objects: at most this many objects are kept, the surest.
    """

    output: int = 0
    layout: TensorLayout = "channels-first"
    picked: bool = False
    objectness: bool = False
    classes: int | None = None
    form: BoxForm = "center-size"
    unit: Literal["ratio", "pixel", "either"] = "ratio"
    keypoints: tuple[int, int] | None = None
    coefficients: int = 0
    prototypes: int | None = None
    prototypes_layout: TensorLayout = "channels-last"
    angle: bool = False
    min_score: float = 0.25
    iou: float = 0.7
    max_objects: int = 300

    def __post_init__(self) -> None:
        """Refuse parts that contradict each other, and impossible numbers."""
        numbers = [self.output, *(() if self.prototypes is None else (self.prototypes,))]
        if min(numbers) < 0 or len(set(numbers)) != len(numbers):
            raise ValueError(f"outputs are {numbers}, expected different numbers from 0")
        if self.picked != (self.classes is None) or (self.picked and self.objectness):
            raise ValueError("classes are counted, expected so unless the model picked the objects")
        if not 1 <= (1 if self.classes is None else self.classes) <= _MOST_CLASSES:
            raise ValueError(f"classes is {self.classes}, expected 1 to {_MOST_CLASSES:,}")
        if (self.coefficients > 0) != (self.prototypes is not None) or self.coefficients < 0:
            raise ValueError("a mask has coefficients and prototypes, expected both or none")
        if [self.keypoints is not None, self.coefficients > 0, self.angle].count(True) > 1:
            raise ValueError("more than one of keypoints, coefficients and angle, expected one")
        points, each = self.keypoints or (1, 2)
        if not 1 <= points <= _MOST_KEYPOINTS or each not in (2, 3):
            raise ValueError(f"keypoints is {self.keypoints}, expected their number, and 2 or 3")
        if self.coefficients > _MOST_COEFFICIENTS or not 1 <= self.max_objects <= _MOST_OBJECTS:
            raise ValueError(
                f"{self.coefficients} coefficients and {self.max_objects} objects, expected at "
                f"most {_MOST_COEFFICIENTS} and {_MOST_OBJECTS}"
            )
        if not (0 <= self.min_score <= 1 and 0 <= self.iou <= 1):
            raise ValueError(f"min_score {self.min_score}, iou {self.iou}: expected 0 to 1")

    @property
    def scores_at(self) -> tuple[int, int]:
        """Where the class scores are among a candidate's numbers: the first, and behind the last.

        Of picked objects it is the score alone.
        """
        first = 5 if self.objectness else 4
        return first, first + (self.classes or 1)

    @property
    def extras_at(self) -> tuple[int, int]:
        """Where what follows the class scores is: the first number, and behind the last."""
        first = self.scores_at[1] + (1 if self.picked else 0)
        points, numbers = self.keypoints or (0, 0)
        return first, first + self.coefficients + points * numbers + (1 if self.angle else 0)
