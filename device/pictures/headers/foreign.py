"""The names of picture formats that are not read, by their first bytes."""

from __future__ import annotations

_RAW, _VIDEO = "a camera raw file", "a video"
_TEXT_BYTES = 2048
"""In which an SVG begins, behind what XML puts before it."""
_STARTS = (
    (b"II+\x00", "a BigTIFF file"),
    (b"MM\x00+", "a BigTIFF file"),
    (b"II\xbc", "a JPEG XR file"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "a JPEG 2000 file"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 file"),
    (b"\xff\x0a", "a JPEG XL file"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL file"),
    (b"8BPS", "a Photoshop file"),
    (b"gimp xcf", "a GIMP file"),
    (b"icns", "an icon file"),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"IIRO", _RAW),
    (b"IIRS", _RAW),
    (b"MMOR", _RAW),
    (b"IIU\x00", _RAW),
    (b"FOVb", _RAW),
    (b"\x00MRM", _RAW),
    (b"v/1\x01", "an OpenEXR file"),
    (b"#?RADIANCE", "an HDR file"),
    (b"#?RGBE", "an HDR file"),
    (b"\x59\xa6\x6a\x95", "a Sun raster file"),
    (b"DDS ", "a DDS file"),
    (b"qoif", "a QOI file"),
    (b"%PDF", "a PDF file"),
    (b"%!PS", "a PostScript file"),
    (b"\x1aE\xdf\xa3", _VIDEO),
)
_TARGA_KINDS = (
    *(b"\x00\x01\x01", b"\x00\x01\x09"),
    *(b"\x00\x00\x03", b"\x00\x00\x0a", b"\x00\x00\x0b"),
)
_TARGA_BITS = (b"\x08", b"\x0f", b"\x10", b"\x18", b"\x20")
_CR2 = (b"II*\x00\x10\x00\x00\x00CR", b"MM\x00*\x00\x00\x00\x10CR")


def foreign_format(data: bytes) -> str | None:
    """Return what a file is that is known but not read, such as "an SVG file"; None if unknown."""
    if data[4:8] == b"ftyp":
        return _RAW if data[8:11] == b"crx" else _VIDEO
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return _VIDEO
    if data[:1] == b"P" and data[1:2] in b"1234567fF" and data[2:3] in b" \t\r\n":
        return "a PNM or PFM file"
    if data[:4] in (b"\x00\x00\x01\x00", b"\x00\x00\x02\x00"):
        # A cursor says next how many pictures it has; a Targa begins with the same, then zeros.
        if data[4:6] != b"\x00\x00":
            return "an icon or cursor file"
        return "a Targa file" if data[2] == 2 and len(data) > 18 else None
    if data[:3] in _TARGA_KINDS and data[16:17] in _TARGA_BITS:
        return "a Targa file"
    if data[:1] == b"\x0a" and data[1:2] in b"\x00\x02\x03\x05" and data[2:3] == b"\x01":
        return "a PCX file"
    if data[128:132] == b"DICM":
        return "a DICOM file"
    if _is_svg(data[:_TEXT_BYTES]):
        return "an SVG file"
    return next((name for magic, name in _STARTS if data.startswith(magic)), None)


def is_canon_raw(data: bytes) -> bool:
    """Return whether a TIFF is a camera's raw file by its first bytes."""
    return data.startswith(_CR2)


def _is_svg(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = head[2:].replace(b"\0", b"")
    return text.startswith(b"<svg") or (
        text.startswith((b"<?xml", b"<!--", b"<!DOCTYPE svg")) and b"<svg" in text
    )
