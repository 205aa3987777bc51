"""Pictures that are probably not what was meant, and classes of very different sizes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.host.data.dataset import PreparedData
from edgeinfer.host.data.groups.near.together import UNIFORM_CONTRAST
from edgeinfer.host.evaluation.dataset.looks import Look

_BLACK, _WHITE = 16.0, 240.0
_ASPECT = 2.5
"""An aspect ratio is odd that differs from the median by this factor."""
_SMALLER, _LARGER = 4.0, 8.0
_MOST_ODD = 0.05
"""If more pictures than this share are odd, the data set is of mixed sizes, and none is named."""

IMBALANCE = 5.0
"""The largest class has this many times the pictures of the smallest one."""

_SHARES_DIFFER = 2.0


@dataclass(frozen=True, kw_only=True)
class Oddity:
    """A picture, or a class, that should be looked at.

    Attributes:
        kind: `uniform`, `odd-size`, or `imbalance` of a class.
        path: the picture, or the class's name.
        detail: what is odd, in words.
    """

    kind: Literal["uniform", "odd-size", "imbalance"]
    path: str
    detail: str


def odd_pictures(looks: Sequence[Look]) -> list[Oddity]:
    """Return the pictures of one colour, and those of another size or shape than the others."""
    found = [
        Oddity(kind="uniform", path=look.sample.source, detail=words_of_uniform(look))
        for look in looks
        if look.contrast < UNIFORM_CONTRAST
    ]
    if not looks:
        return found
    aspect = median(math.log(look.width / look.height) for look in looks)
    shorter = median(min(look.width, look.height) for look in looks)
    shape, size = [], []
    for look in looks:
        if abs(math.log(look.width / look.height) - aspect) > math.log(_ASPECT):
            shape.append((look, f"is {look.width} x {look.height}: a shape unlike the others'"))
        elif min(look.width, look.height) * _SMALLER < shorter:
            size.append((look, f"is {look.width} x {look.height}: much smaller than the others"))
        elif min(look.width, look.height) > shorter * _LARGER:
            size.append((look, f"is {look.width} x {look.height}: much larger than the others"))
    for odd in (shape, size):
        if len(odd) <= max(1.0, _MOST_ODD * len(looks)):
            found += [
                Oddity(kind="odd-size", path=look.sample.source, detail=detail)
                for look, detail in odd
            ]
    return found


def imbalance(prepared: PreparedData, class_of: Callable[[Any], int | None]) -> list[Oddity]:
    """Return classes that are rare, and those whose shares differ between the splits.

    Args:
        prepared: the pictures.
        class_of: returns the class that a target names; None where there are no classes, and then
            nothing is returned.
    """
    counts: dict[Split, Counter[int | None]] = {
        split: Counter(class_of(sample.target) for sample in samples)
        for split, samples in prepared.splits.items()
        if samples
    }
    classes = range(len(prepared.labels))
    if not classes or not counts or any(None in count for count in counts.values()):
        return []
    found = []
    total = {index: sum(count[index] for count in counts.values()) for index in classes}
    largest = max(total.values())
    for index in classes:
        if total[index] * IMBALANCE <= largest:
            detail = (
                f"has {total[index]:,} pictures, the largest class {largest:,}: "
                "`train --class-weights balanced` lets them count more"
            )
            found.append(Oddity(kind="imbalance", path=prepared.labels[index], detail=detail))
    train = counts.get("train")
    if train is None:
        return found
    for split in sorted(prepared.own_splits - {"train"}):
        for index in classes:
            here, there = counts[split][index], train[index]
            shares = here / counts[split].total(), there / train.total()
            # Three standard deviations of what chance gives so few pictures.
            noise = 3 * math.sqrt(shares[1] * (1 - shares[1]) / counts[split].total())
            factor = max(shares) / max(min(shares), 1e-9)
            if factor > _SHARES_DIFFER and abs(shares[0] - shares[1]) > noise:
                detail = (
                    f"is {100 * shares[0]:.0f} % of {split} and {100 * shares[1]:.0f} % of train"
                )
                found.append(Oddity(kind="imbalance", path=prepared.labels[index], detail=detail))
    return found


def words_of_uniform(look: Look) -> str:
    """Return which colour a picture is nearly all of, in words."""
    colour = "one colour"
    if look.brightness < _BLACK:
        colour = "black"
    elif look.brightness > _WHITE:
        colour = "white"
    return f"is nearly all {colour} (grey level {look.brightness:.0f} +- {look.contrast:.1f})"
