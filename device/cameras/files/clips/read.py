"""Reads what a video file says of itself, whatever its container."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from edgeinfer.device.cameras.files.clips.facts import ClipFacts
from edgeinfer.device.cameras.files.clips.matroska import read_matroska
from edgeinfer.device.cameras.files.clips.mp4 import read_mp4
from edgeinfer.device.cameras.files.clips.parts import Parts, UnclearError
from edgeinfer.device.cameras.files.clips.streams import (
    read_avi,
    read_bare_av1,
    read_flv,
    read_ivf,
    read_ogg,
    read_transport_stream,
)
from edgeinfer.device.cameras.files.containers import is_mp4, is_transport_stream

_BY_BEGINNING: tuple[tuple[bytes, Callable[[Parts], ClipFacts]], ...] = (
    (b"\x1a\x45\xdf\xa3", read_matroska),
    (b"RIFF", read_avi),
    (b"FLV\x01", read_flv),
    (b"DKIF", read_ivf),
    (b"OggS", read_ogg),
    (b"\x12\x00\x0a", read_bare_av1),
)


def read_clip_facts(path: Path, beginning: bytes) -> ClipFacts:
    """Return what a video file says of itself; of a damaged or unknown one, little or nothing.

    Args:
        path: the file, not a pipe.
        beginning: its first `SNIFF_BYTES`.

    Raises:
        OSError: it cannot be read.
    """
    read = next((read for mark, read in _BY_BEGINNING if beginning.startswith(mark)), None)
    if is_mp4(beginning):
        read = read_mp4
    elif read is None and is_transport_stream(beginning):
        read = read_transport_stream
    if read is None:
        return ClipFacts()
    with path.open("rb") as file:
        try:
            return read(Parts(file, os.fstat(file.fileno()).st_size))
        except (UnclearError, IndexError):
            return ClipFacts()
