"""Labelled pictures decide the range of a model's input where nothing in the file states it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.convert.adopt.pictures import LabelledPath
from edgeinfer.converters.tasks.intervals import compare_scores, wilson
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.models.input_range.find import CHOICES
from edgeinfer.device.models.model import Model
from edgeinfer.device.preprocess.input_range import RANGES
from edgeinfer.device.runtime.open_options import OpenOptions


@dataclass(frozen=True, kw_only=True)
class RangeTrial:
    """How a model answers with one range of its input.

    Attributes:
        name: of the range, a key of `RANGES`, or what states it.
        right: (pictures,) 1 where the answer is the picture's class, else 0.
    """

    name: str
    right: NDArray[np.float64]

    def text(self) -> str:
        """Return the figure with its 95 % interval, for people."""
        count = int(self.right.sum())
        low, high = wilson(count, len(self.right))
        return (
            f"{self.name}: {count / len(self.right):.1%} of {len(self.right):,} right "
            f"({low:.1%} to {high:.1%})"
        )


def measure(
    path: Path,
    opening: OpenOptions,
    pictures: Sequence[LabelledPath],
    *,
    name: str,
    progress: Progress,
) -> RangeTrial | None:
    """Answer labelled pictures as the device does.

    Returns:
        The figure; None where no picture's folder is a class of the model.
    """
    right: list[float] = []
    labelled = [picture for picture in pictures if picture.label is not None]
    if not labelled:
        return None
    progress.start(f"answer with input {name}", len(labelled))
    with Model.open(path, opening) as model:
        for picture in labelled:
            assert picture.label is not None
            verdict = model.predict(picture.path).is_right(picture.label)
            if verdict is not None:
                right.append(float(verdict))
            progress.advance()
    return RangeTrial(name=name, right=np.array(right)) if right else None


def try_ranges(
    path: Path, opening: OpenOptions, pictures: Sequence[LabelledPath], progress: Progress
) -> list[RangeTrial]:
    """Answer labelled pictures with each usual range.

    Returns:
        The range that is right most often first; of equal ones, in the order of `RANGES`.
    """
    trials = [
        measure(path, replace(opening, input_range=name), pictures, name=name, progress=progress)
        for name in RANGES
    ]
    found = [trial for trial in trials if trial is not None]
    return sorted(found, key=lambda trial: -float(trial.right.mean()))


def choose_range(path: Path, trials: Sequence[RangeTrial]) -> str:
    """Return the best range, if the ranges differ by more than chance gives.

    Two of them, -1..1 and ImageNet's, are so near to each other that a good model gives the same
    answer to most pictures; `rivals` names what these pictures do not tell from the best.

    Raises:
        ModelError: no picture's folder is a class of the model, or chance may be behind the
            difference between the first and the last.
    """
    if not trials:
        raise ModelError(
            path,
            got="nothing states the range of its input, and no folder of the pictures has the name "
            "of one of its classes",
            expected=CHOICES,
            next_step="give --labels, or name the folders like the classes",
        )
    if compare_scores(trials[-1].right, trials[0].right).more_than_chance:
        return trials[0].name
    raise ModelError(
        path,
        got="nothing states the range of its input, and the pictures do not decide: "
        + "; ".join(trial.text() for trial in trials),
        expected=CHOICES,
        next_step="give more labelled pictures, or the range",
    )


def rivals(trials: Sequence[RangeTrial]) -> tuple[str, ...]:
    """Return the ranges that these pictures do not tell from the best, without the best."""
    return tuple(
        trial.name
        for trial in trials[1:]
        if not compare_scores(trial.right, trials[0].right).more_than_chance
    )
