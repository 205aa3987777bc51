"""The findings of a data set's check, file by file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingKind = Literal["empty", "corrupt", "not-an-image", "duplicate", "conflict", "ignored"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A file that is left out, and why.

    Attributes:
        kind: `empty`, `corrupt` (incomplete or damaged), `not-an-image`, `duplicate` (of a picture
            that is kept), `conflict` (the same picture under two labels) or `ignored` (not read).
        path: the file, relative to the data set's folder.
        detail: the reason in words.
    """

    kind: FindingKind
    path: str
    detail: str
