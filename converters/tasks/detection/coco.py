"""Mean average precision as COCO defines it, by the library faster-coco-eval.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", 2014: precision at 101 steps of
recall, for boxes that overlap a true one by at least 50, 55, ... 95 % (intersection over union), at
most 100 answers a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.detection.target import BoxesTarget

Floats = NDArray[np.float64]

MOST_ANSWERS = 100
ANY_AREA = (0.0, 1e10)
SMALL = (0.0, 32.0**2)
"""COCO's small things, in square pixels."""
_AT_50, _AT_75 = 0, 5
"""The places of these overlaps among the ten."""


class Answered(NamedTuple):
    """A picture's true boxes and a detector's.

    Attributes:
        target: the truth.
        size: (width, height) of the picture in pixels.
        boxes: (objects, 4) left, top, right, bottom in pixels.
        classes: (objects,) numbers of their classes.
        scores: (objects,) 0 to 1.
    """

    target: BoxesTarget
    size: tuple[int, int]
    boxes: Floats
    classes: NDArray[np.int64]
    scores: Floats


class Precisions(NamedTuple):
    """Average precisions, (classes,) each, 0 to 1; NaN for classes without a true box.

    Attributes:
        at_50: of boxes that overlap by half.
        at_75: by three quarters.
        mean: the mean over overlaps from 50 to 95 %.
    """

    at_50: Floats
    at_75: Floats
    mean: Floats

    @property
    def means(self) -> Floats:
        """(3,): the mean of each over the classes with true boxes; 0 where there are none."""
        known = ~np.isnan(self.at_50)
        if not known.any():
            return np.zeros(3)
        return np.array([float(one[known].mean()) for one in self])


@dataclass(frozen=True)
class CocoMeasure:
    """Measures answers, all or those of some pictures.

    Attributes:
        pictures: the answers, picture by picture.
        classes: how many classes there are.
    """

    pictures: Sequence[Answered]
    classes: int

    def over(self, places: Sequence[int], area: tuple[float, float] = ANY_AREA) -> Precisions:
        """Return the average precisions over some pictures.

        Args:
            places: the pictures, by their places; each counts once.
            area: the least and the largest area of a box that counts, in square pixels. As in COCO,
                answers do not count where they overlap a true box of another area,
                or have another area and overlap none.
        """
        truth, answers = self._sets
        if answers is None or not len(places):
            return self._nothing_found(places, area)
        from faster_coco_eval import COCOeval_faster

        measured = COCOeval_faster(truth, answers, "bbox", print_function=_silent)
        parameters = measured.params
        parameters.areaRng, parameters.areaRngLbl = [list(area)], ["one"]
        parameters.maxDets = [MOST_ANSWERS]
        parameters.imgIds = [place + 1 for place in places]
        measured.evaluate()
        measured.accumulate()
        # (overlaps, steps of recall, classes); -1 where a class has no true box.
        steps = np.asarray(measured.eval["precision"])[:, :, :, 0, 0]
        precision = np.where(steps[:, 0] < 0, np.nan, steps.mean(axis=1))
        return Precisions(precision[_AT_50], precision[_AT_75], precision.mean(axis=0))

    @cached_property
    def _sets(self) -> tuple[Any, Any | None]:
        """The truth and the answers as the library takes them; no answers are None."""
        from faster_coco_eval import COCO

        truth = COCO(
            {
                # Numbers begin with 1: the library takes 0 for "not matched".
                "images": [{"id": n + 1} for n in range(len(self.pictures))],
                "categories": [{"id": n, "name": str(n)} for n in range(self.classes)],
                "annotations": self._annotations(),
            }
        )
        rows = [
            np.column_stack(
                [
                    np.full(len(one.scores), n + 1),
                    one.boxes[:, :2],
                    one.boxes[:, 2:] - one.boxes[:, :2],
                    one.scores,
                    one.classes,
                ]
            )
            for n, one in enumerate(self.pictures)
        ]
        table = np.concatenate(rows) if rows else np.zeros((0, 7))
        return truth, truth.loadRes(table) if len(table) else None

    def _annotations(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for number, one in enumerate(self.pictures):
            for label, box in zip(one.target.labels, one.target.boxes(one.size), strict=True):
                left, top, right, bottom = box.tolist()
                sides = [right - left, bottom - top]
                found.append(
                    {
                        "id": len(found) + 1,
                        "image_id": number + 1,
                        "category_id": int(label),
                        "bbox": [left, top, *sides],
                        "area": sides[0] * sides[1],
                        "iscrowd": 0,
                    }
                )
        return found

    def _nothing_found(self, places: Sequence[int], area: tuple[float, float]) -> Precisions:
        there = [np.zeros(0, np.int64)]
        for one in (self.pictures[place] for place in places):
            boxes = one.target.boxes(one.size)
            areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
            there.append(one.target.labels[(areas >= area[0]) & (areas <= area[1])])
        counts = np.bincount(np.concatenate(there), minlength=self.classes)
        return Precisions(*np.tile(np.where(counts > 0, 0.0, np.nan), (3, 1)))


def _silent(*_: object) -> None:
    """Take what the library prints."""
