"""The codec that simpler containers name: AVI, MPEG transport streams, FLV, IVF, Ogg, bare AV1.

Sources: Microsoft's AVI RIFF File Reference, ISO/IEC 13818-1 (transport streams), Adobe's FLV
specification and Enhanced RTMP, the registry of Ogg's stream headers.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgeinfer.device.cameras.files.clips.codecs import AV1, BY_STREAM_TYPE, by_fourcc
from edgeinfer.device.cameras.files.clips.facts import ClipFacts
from edgeinfer.device.cameras.files.clips.parts import Parts, UnclearError

_LOOK_AT = 256 * 1024
"""In so much of a file's beginning it says what it holds."""
_SYNC = b"G"
_FLV_CODECS = {
    2: "Sorenson H.263",
    3: "Flash Screen Video",
    4: "VP6",
    7: "H.264",
    12: "H.265 (HEVC)",
}
_FLV_VIDEO = 9
_OGG_STREAMS = ((b"\x80theora", "Theora"), (b"OVP80", "VP8"), (b"BBCD", "Dirac"))


def read_avi(parts: Parts) -> ClipFacts:
    """Return what an AVI file says; raises as `Parts.at` where it is not one."""
    (length,) = parts.numbers("<I", 4)
    whole = None if length in (0, 0xFFFFFFFF) else 8 + length <= parts.size
    streams = 0
    for header, format_begin in _avi_streams(parts):
        streams += 1
        if parts.at(header, 4) == b"vids":
            compression = parts.at(format_begin + 16, 4)
            # What says nothing is a bitmap for each frame.
            codec = by_fourcc(compression if any(compression) else b"raw ")
            return ClipFacts(
                container="avi", codec=codec, pictures=True, orientation=1, whole=whole
            )
    return ClipFacts(container="avi", pictures=False if streams else None, whole=whole)


def _avi_streams(parts: Parts) -> Iterator[tuple[int, int]]:
    """Give where the header of each stream and its format begin."""
    for kind, begin, end in _chunks(parts, 12, parts.size):
        if kind == b"LIST" and parts.at(begin, 4) == b"hdrl":
            for inner, inner_begin, inner_end in _chunks(parts, begin + 4, end):
                if inner == b"LIST" and parts.at(inner_begin, 4) == b"strl":
                    found = {
                        name: place for name, place, _ in _chunks(parts, inner_begin + 4, inner_end)
                    }
                    if b"strh" in found and b"strf" in found:
                        yield found[b"strh"], found[b"strf"]
            return


def _chunks(parts: Parts, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Give the chunks of a range: name, begin and end."""
    while begin + 8 <= end:
        name = parts.at(begin, 4)
        (length,) = parts.numbers("<I", begin + 4)
        yield name, begin + 8, min(begin + 8 + length, end)
        begin += 8 + length + length % 2


def read_transport_stream(parts: Parts) -> ClipFacts:
    """Return what the tables of an MPEG transport stream say."""
    data = parts.at(0, min(_LOOK_AT, parts.size))
    begin, step = _packets(data)
    map_numbers: set[int] = set()
    for offset in range(begin, len(data) - 187, step):
        packet = data[offset : offset + 188]
        number = int.from_bytes(packet[1:3], "big") & 0x1FFF
        section = _section(packet) if number == 0 or number in map_numbers else b""
        if number == 0 and section[:1] == b"\0":
            for place in range(8, len(section) - 4, 4):
                program, found = section[place : place + 2], section[place + 2 : place + 4]
                if any(program):
                    map_numbers.add(int.from_bytes(found, "big") & 0x1FFF)
        elif section[:1] == b"\2":
            return _program(section)
    return ClipFacts(container="transport stream")


def _packets(data: bytes) -> tuple[int, int]:
    """Return where the first packet begins and how far it is to the next."""
    for step in (188, 192, 204):
        for begin in range(step):
            marks = data[begin::step][:5]
            if len(marks) == 5 and not marks.strip(_SYNC):
                return begin, step
    raise UnclearError


def _section(packet: bytes) -> bytes:
    """Return the table that begins in a packet; empty where none does."""
    if not packet[1] & 0x40 or not packet[3] & 0x10:
        return b""
    begin = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    begin += 1 + int.from_bytes(packet[begin : begin + 1], "big")
    length = int.from_bytes(packet[begin + 1 : begin + 3], "big") & 0xFFF
    return packet[begin : begin + 3 + length]


def _program(section: bytes) -> ClipFacts:
    """Return what the map of a program says of its first stream of pictures."""
    place, streams = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF), 0
    while place + 5 <= len(section) - 4:
        length = int.from_bytes(section[place + 3 : place + 5], "big") & 0xFFF
        # AV1 does not have a number: it is private data, with this registration.
        private = section[place] == 0x06 and b"\x05\x04AV01" in section[place + 5 :][:length]
        codec = AV1 if private else BY_STREAM_TYPE.get(section[place])
        if codec is not None:
            return ClipFacts(
                container="transport stream", codec=codec, pictures=True, orientation=1
            )
        streams += 1
        place += 5 + length
    return ClipFacts(container="transport stream", pictures=None)


def read_flv(parts: Parts) -> ClipFacts:
    """Return what the first tag of pictures in an FLV file says."""
    begin = 9
    for _ in range(1000):
        begin += 4  # the length of the tag before
        kind = parts.at(begin, 1)[0] & 0x1F
        length = int.from_bytes(parts.at(begin + 1, 3), "big")
        if kind == _FLV_VIDEO and length >= 5:
            (first,) = parts.at(begin + 11, 1)
            enhanced = parts.at(begin + 12, 4)
            codec = by_fourcc(enhanced) if first & 0x80 else _FLV_CODECS.get(first & 0x0F)
            return ClipFacts(codec=codec, pictures=True, orientation=1)
        begin += 11 + length
    raise UnclearError


def read_ivf(parts: Parts) -> ClipFacts:
    """Return what the header of an IVF file says."""
    return ClipFacts(codec=by_fourcc(parts.at(8, 4)), pictures=True, orientation=1)


def read_ogg(parts: Parts) -> ClipFacts:
    """Return what the headers of the streams in an Ogg file say; all are at its beginning."""
    data, begin = parts.at(0, min(_LOOK_AT, parts.size)), 0
    while data[begin : begin + 4] == b"OggS" and data[begin + 5] & 2:
        segments = data[begin + 26]
        content = begin + 27 + segments
        for mark, codec in _OGG_STREAMS:
            if data.startswith(mark, content):
                return ClipFacts(codec=codec, pictures=True, orientation=1)
        begin = content + sum(data[begin + 27 : content])
    return ClipFacts()


def read_bare_av1(parts: Parts) -> ClipFacts:
    """Return that a file without a container is AV1: its beginning has said so."""
    return ClipFacts(codec=AV1, pictures=True, orientation=1)
