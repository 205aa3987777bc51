"""What another program sends instead of JPEGs: its name, by its first bytes.

Sources: ITU-T H.264 and H.265 annex B.
"""

from __future__ import annotations

import re

from edgeinfer.device.cameras.files.containers import is_video

_START_CODE = re.compile(rb"\x00\x00\x01(..)", re.DOTALL)
_ENOUGH_UNITS = 3
"""A video has this many parts side by side; other bytes look like one part by chance."""
_MAGIC = (
    (b"\x1a\x45\xdf\xa3", "Matroska or WebM"),
    (b"\x00\x00\x01\xba", "MPEG"),
    (b"\x00\x00\x01\xb3", "MPEG"),
    (b"\x00\x00\x01\xb0", "MPEG-4"),
    (b"FLV\x01", "FLV"),
    (b"OggS", "Ogg"),
    (b"DKIF", "IVF"),
    (b"YUV4MPEG2", "uncompressed (YUV4MPEG2)"),
    (b"RIFF", "AVI"),
    (b"G", "MPEG-TS"),
)


def name_video(beginning: bytes) -> str:
    """Return the name of the video that some bytes begin; empty if they are none that is known.

    Args:
        beginning: the first bytes, or some from the middle.
    """
    if beginning.startswith((b"\xff\xd8\xff", b"GIF8")):
        return ""
    if beginning[4:8] == b"ftyp":
        return "MP4"
    for magic, name in _MAGIC:
        if beginning.startswith(magic) and is_video(beginning):
            return name
    units = [unit for unit in map(_name_unit, _START_CODE.findall(beginning)) if unit]
    if units and beginning.startswith((b"\x00\x00\x01", b"\x00\x00\x00\x01")):
        return units[0]
    return max(units, key=units.count) if len(units) >= _ENOUGH_UNITS else ""


def _name_unit(header: bytes) -> str:
    """Return which video a unit belongs to, by the two bytes of its header; empty if unknown."""
    first, second = header
    kind_265, layer_265 = first >> 1, (first & 1) << 5 | second >> 3
    # H.265 has its parameters first: 32 to 34; 35 and 39 may precede them.
    if kind_265 in (*range(32, 36), 39, 19, 20, 1) and layer_265 == 0 and second & 7 == 1:
        # The same bytes in H.264 have an importance that its units of this kind never have.
        return "H.265"
    kind, importance = first & 31, first >> 5
    if (kind in (7, 8, 5) and importance in (1, 2, 3)) or (kind in (6, 9) and importance == 0):
        return "H.264"
    return "H.264" if kind == 1 and importance < 4 else ""
