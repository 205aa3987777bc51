"""What a video begins with: FFmpeg opens much that is not a video, and some of it leads elsewhere.

A playlist, whatever its name, names other files and addresses, and FFmpeg reads those. So it gets
only what begins like a container of pictures.
"""

from __future__ import annotations

SNIFF_BYTES = 4096

_PLAYLISTS = (b"#extm3u", b"ffconcat", b"v=0", b"<?xml", b"<mpd", b"<smil", b"<asx", b"[reference]")
_MAGIC = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"\x00\x00\x01",  # MPEG program streams, and MPEG-4, H.264 and H.265 without a container
    b"\x00\x00\x00\x01",
    b"FLV\x01",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
    b"OggS",
    b"DKIF",  # IVF
    b"YUV4MPEG2",
    b"GIF8",
    b"\xff\xd8\xff",  # JPEG, one behind the other
    b".RMF",
    b"nut/multimedia container",
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01",  # MXF
    b"\x1f\x07\x00",  # DV
    b"\xb7\xd8\x00\x20\x37\x49\xda\x11",  # WTV
    b"\x12\x00\x0a",  # AV1 without a container
)
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"moof", b"sidx")
_RIFF = (b"AVI ", b"AVIX", b"AMV ")
_TS_PACKETS = (188, 192, 204)
_TS_SYNC, _TS_TIMES = 0x47, 5


def is_playlist(beginning: bytes) -> bool:
    """Return whether a file or answer names other files or addresses instead of holding pictures.

    Args:
        beginning: its first bytes, `SNIFF_BYTES` where there are as many.
    """
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    # FFmpeg skips tags of music at the beginning of anything.
    return text.startswith(_PLAYLISTS) or (text.startswith(b"id3") and b"#extm3u" in text)


def is_video(beginning: bytes) -> bool:
    """Return whether a file begins like one of the containers that are opened."""
    if is_playlist(beginning):
        return False
    return (
        beginning.startswith(_MAGIC)
        or is_mp4(beginning)
        or (beginning[:4] == b"RIFF" and beginning[8:12] in _RIFF)
        or is_transport_stream(beginning)
    )


def is_mp4(beginning: bytes) -> bool:
    """Return whether a file begins like MP4 or QuickTime: with the length of a box and its name."""
    return beginning[4:8] in _BOXES


def is_transport_stream(beginning: bytes) -> bool:
    """Return whether packets of MPEG-TS follow each other, from somewhere in the first on."""
    return any(
        len(packets := beginning[start::size][:_TS_TIMES]) == _TS_TIMES
        and set(packets) == {_TS_SYNC}
        for size in _TS_PACKETS
        for start in range(size)
    )
