"""The findings of a data set's check, file by file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgeinfer.device.core.errors import DataError

FindingKind = Literal[
    "empty",
    "corrupt",
    "not-an-image",
    "duplicate",
    "conflict",
    "ignored",
    "warning",
    "note",
    "near-duplicate",
    "near-conflict",
    "wrong-label",
    "uniform",
    "odd-size",
    "imbalance",
    "drift",
]

_LEFT_OUT = frozenset({"empty", "corrupt", "not-an-image", "duplicate", "conflict", "ignored"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What a data set's check found: mostly a file that is left out, and why.

    Attributes:
        kind: `empty`, `corrupt` (incomplete or damaged), `not-an-image`, `duplicate` (of a picture
            that is kept), `conflict` (the same picture under two labels) or `ignored` (not read)
            of a file that is left out; `warning` of what is used and should be looked at; `note`
            of how the data was understood. `data check` also has `near-duplicate` and
            `near-conflict` (the same under another label), `wrong-label`, `uniform` (one colour),
            `odd-size`, `imbalance` of a class and `drift` of a split: what to look at.
        path: the file or folder, relative to the data set's folder.
        detail: the reason in words.
        other: the file that it is the same as, relative to the folder; empty if there is none.
    """

    kind: FindingKind
    path: str
    detail: str
    other: str = ""

    @property
    def left_out(self) -> bool:
        """Whether the file is not used."""
        return self.kind in _LEFT_OUT

    @property
    def sentence(self) -> str:
        """The finding on one line, for a person."""
        if self.kind == "note":
            return f"note: {self.detail}"
        if self.kind == "warning":
            return f"warning: {self.path}: {self.detail}"
        return f"left out: {self.path}: {self.kind}, {self.detail}"


class LeftOutError(Exception):
    """Files were left out: the cause of a `DataError` about a data set of which too little is left.

    Args:
        findings: what was found.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(f"{len(self.findings)} findings")


def require_some(
    root: Path, left: Collection[object], findings: Sequence[Finding], *, what: str = "picture"
) -> None:
    """Refuse data of which nothing is left, and say why.

    Args:
        root: the folder to which the findings' paths are relative.
        left: what is left.
        findings: what was found there.
        what: what one of `left` is.

    Raises:
        DataError: there is nothing; its cause is a `LeftOutError`.
    """
    if left:
        return
    reasons = [f"{one.path}: {one.detail}" for one in findings if one.left_out]
    more = f", and {len(reasons) - 1:,} more" if len(reasons) > 1 else ""
    raise DataError(
        root,
        got=f"has no {what} that can be used"
        + (f" (left out: {reasons[0]}{more})" if reasons else ""),
        expected="one or more",
        next_step="correct what was left out, or give other pictures"
        if reasons
        else "give a folder that has some",
    ) from LeftOutError(findings)
