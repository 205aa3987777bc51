"""The true values of a picture."""

from __future__ import annotations

from typing import NamedTuple


class ValueTarget(NamedTuple):
    """The true values of a picture.

    Attributes:
        values: in their units and the order of their names.
        stratum: which part of all targets they are in, from 0: splits and draws take the parts in
            turn.
    """

    values: tuple[float, ...]
    stratum: int = 0
