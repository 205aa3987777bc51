"""What is known of a video before a frame of it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Container = Literal["mp4", "matroska", "avi", "transport stream", "other"]


@dataclass(frozen=True, kw_only=True)
class ClipFacts:
    """What a container says of its first track of pictures.

    Attributes:
        container: the kind of file; mp4 stands for QuickTime's as well.
        codec: what the pictures are encoded with, "AV1"; None where it is not known.
        pictures: False where the file says that it holds none, such as one of sound alone.
        orientation: how the pictures stand, by Exif's number, 1 to 8; 1 is upright. None where
            the container was not read.
        frames: how many it says that it holds; None where it does not say so exactly.
        whole: False where the file ends before its contents do; None where that is not known.
        fault: why no frame of it can be decoded, for the user; empty where nothing is known.
    """

    container: Container = "other"
    codec: str | None = None
    pictures: bool | None = None
    orientation: int | None = None
    frames: int | None = None
    whole: bool | None = None
    fault: str = ""


def orientation_of(a: float, b: float, c: float, d: float) -> int:
    """Return Exif's number for a matrix that turns or mirrors; 1 for others.

    Args:
        a: a step to the right in the stored picture goes so far to the right in the shown one,
        b: and so far down.
        c: a step down in the stored picture goes so far to the right in the shown one,
        d: and so far down.
    """
    straight, across = min(abs(a), abs(d)), min(abs(b), abs(c))
    if straight > 0 and max(abs(b), abs(c)) <= ALMOST_RIGHT * straight:
        return _STRAIGHT[a > 0, d > 0]
    if across > 0 and max(abs(a), abs(d)) <= ALMOST_RIGHT * across:
        return _ACROSS[b > 0, c > 0]
    return 1


ALMOST_RIGHT = 0.02
"""The tangent of the largest angle, one degree, by which a rotation may miss a right angle."""
_STRAIGHT = {(True, True): 1, (False, True): 2, (False, False): 3, (True, False): 4}
_ACROSS = {(True, True): 5, (True, False): 6, (False, False): 7, (False, True): 8}
