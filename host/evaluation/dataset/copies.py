"""What near-duplicates mean for the splits: which of two copies stays, and which may go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.host.data.groups.near.compare import Likeness
from edgeinfer.host.data.groups.near.find import Near
from edgeinfer.host.evaluation.dataset.looks import Look

_KEEP_FIRST = {"test": 0, "validation": 1, "train": 2}


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A picture that is nearly the same as another one, which would rather stay.

    Attributes:
        path: the picture.
        split: where it is; None where the splits are drawn for each training.
        kept: the other picture.
        kept_split: where that is.
        likeness: how similar they are; `first` is the copy.
        contradicts: whether their targets contradict each other, so that one is wrong.
    """

    path: str
    split: Split | None
    kept: str
    kept_split: Split | None
    likeness: Likeness
    contradicts: bool

    @property
    def straddles(self) -> bool:
        """Whether the two are, or by chance may be, in different splits."""
        return self.split is None or self.kept_split is None or self.split != self.kept_split

    @property
    def text(self) -> str:
        """How the two differ, in words."""
        one, other = self.likeness.first_share, self.likeness.second_share
        part = "nearly the same picture as"
        if min(one, other) < _WHOLE:
            part = "a part of" if one > other else "shows more of"
        return part + (" (mirrored)" if self.likeness.mirrored else "")


_WHOLE = 0.93
"""Share of a picture from which the other shows all of it: the edges are not compared."""


def choose_copies(
    looks: Sequence[Look],
    near: Sequence[Near],
    *,
    own_split: Callable[[Look], Split | None],
    contradict: Callable[[Any, Any], bool],
) -> list[Copy]:
    """Name for each near-duplicate the one that stays.

    A picture of the test split stays before one of validation, and that before one of training; in
    one split the larger picture, then the first by name.

    Args:
        looks: all pictures.
        near: the pairs.
        own_split: the split that the data set itself puts a picture in; None if it is drawn.
        contradict: whether two targets cannot both be true of one picture.

    Returns:
        One for each picture that is a copy of one that stays, ordered by path.
    """

    def rank(index: int) -> tuple[int, int, str]:
        look = looks[index]
        split = own_split(look)
        place = 3 if split is None else _KEEP_FIRST[split]
        return place, -look.width * look.height, look.sample.source

    linked: dict[int, list[Near]] = {}
    for pair in near:
        linked.setdefault(pair.first, []).append(pair)
        linked.setdefault(pair.second, []).append(pair)
    stay: set[int] = set()
    copies = []
    for index in sorted(linked, key=rank):
        with_kept = [pair for pair in linked[index] if _other(pair, index) in stay]
        if not with_kept:
            stay.add(index)
            continue
        # Of several, name one that contradicts it, then one in another split.
        best = min(
            with_kept,
            key=lambda pair: (
                not contradict(
                    looks[index].sample.target, looks[_other(pair, index)].sample.target
                ),
                own_split(looks[_other(pair, index)]) == own_split(looks[index]),
                -pair.likeness.correlation,
                pair.first,
                pair.second,
            ),
        )
        look, kept = looks[index], looks[_other(best, index)]
        copies.append(
            Copy(
                path=look.sample.source,
                split=own_split(look),
                kept=kept.sample.source,
                kept_split=own_split(kept),
                likeness=best.likeness if best.first == index else best.likeness.turned,
                contradicts=contradict(look.sample.target, kept.sample.target),
            )
        )
    return sorted(copies, key=lambda copy: copy.path)


def _other(pair: Near, index: int) -> int:
    return pair.second if pair.first == index else pair.first
