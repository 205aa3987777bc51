"""MP4 and QuickTime: boxes within boxes. Sources: ISO/IEC 14496-12, QuickTime File Format.

A phone writes its pictures as the sensor gives them, and says in a matrix how they are to be shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgeinfer.device.cameras.files.clips.codecs import by_fourcc
from edgeinfer.device.cameras.files.clips.facts import ClipFacts, orientation_of
from edgeinfer.device.cameras.files.clips.parts import Parts, UnclearError

_MOST_EDITS = 1000
_TRIMMED_BELOW = 0.98
"""An edit list that shows less of the frames than this says how many there are no more."""
_ENCRYPTED = b"encv"


@dataclass(frozen=True)
class _Box:
    """A box: its kind, where its content begins and ends, and whether the file ends before it."""

    kind: bytes
    begin: int
    end: int
    cut: bool


def read_mp4(parts: Parts) -> ClipFacts:
    """Return what an MP4 or QuickTime file says; raises as `Parts.at` where it is not one."""
    movie: _Box | None = None
    whole: bool | None = True
    fragments = media = False
    try:
        for box in _boxes(parts, 0, parts.size):
            whole = not box.cut
            fragments |= box.kind == b"moof"
            media |= box.kind == b"mdat"
            if box.kind == b"moov" and movie is None:
                movie = box
    except UnclearError:
        # It has too many boxes to look at all of them.
        if movie is None:
            return ClipFacts(container="mp4")
        whole = None
    if movie is None:
        fault = "was cut off or never finished: its index (the moov box) is missing"
        return ClipFacts(container="mp4", whole=False, fault=fault if media else "")
    if movie.cut:
        fault = "was cut off within its index (the moov box)"
        return ClipFacts(container="mp4", whole=False, fault=fault)
    return _read_movie(parts, movie, whole=whole, fragments=fragments)


def _read_movie(parts: Parts, movie: _Box, *, whole: bool | None, fragments: bool) -> ClipFacts:
    """Return what the index says of the first track of pictures, which OpenCV takes too."""
    matrix = _UPRIGHT
    timescale = tracks = 0
    for box in _boxes(parts, movie.begin, movie.end):
        if box.kind == b"mvhd":
            long = parts.at(box.begin, 1) == b"\1"
            (timescale,) = parts.numbers(">I", box.begin + (20 if long else 12))
            matrix = _matrix(parts, box.begin + (48 if long else 36))
        elif box.kind == b"mvex":
            fragments = True
        elif box.kind == b"trak":
            tracks += 1
            found = _inside(parts, box, b"tkhd", b"mdia", b"edts")
            media = _inside(parts, found.get(b"mdia"), b"hdlr", b"mdhd", b"minf")
            handler = media.get(b"hdlr")
            if handler is None or parts.at(handler.begin + 8, 4) != b"vide":
                continue
            facts = ClipFacts(container="mp4", pictures=True, whole=whole)
            return _read_track(parts, found, media, facts, matrix, timescale, fragments=fragments)
    return ClipFacts(container="mp4", pictures=False if tracks else None, whole=whole)


def _read_track(
    parts: Parts,
    track: dict[bytes, _Box],
    media: dict[bytes, _Box],
    facts: ClipFacts,
    movie_matrix: tuple[int, ...],
    movie_timescale: int,
    *,
    fragments: bool,
) -> ClipFacts:
    orientation = 1
    if (header := track.get(b"tkhd")) is not None:
        long = parts.at(header.begin, 1) == b"\1"
        matrix = _matrix(parts, header.begin + (52 if long else 40))
        orientation = orientation_of(*_product(matrix, movie_matrix))
    table = _inside(parts, media.get(b"minf"), b"stbl").get(b"stbl")
    samples = _inside(parts, table, b"stsd", b"stsz", b"stz2")
    codec, fault = None, ""
    if (description := samples.get(b"stsd")) is not None:
        (entries,) = parts.numbers(">I", description.begin + 4)
        mark = parts.at(description.begin + 12, 4) if entries else b""
        codec = by_fourcc(mark)
        if mark == _ENCRYPTED:
            codec, fault = None, "is encrypted"
    frames = None
    if (sizes := samples.get(b"stsz", samples.get(b"stz2"))) is not None and not fragments:
        (frames,) = parts.numbers(">I", sizes.begin + 8)
        if frames == 0:
            fault = "holds no frames"
        elif _trimmed(parts, track.get(b"edts"), media.get(b"mdhd"), movie_timescale):
            frames = None
    return ClipFacts(
        container="mp4",
        codec=codec,
        pictures=True,
        orientation=orientation,
        frames=frames,
        whole=facts.whole,
        fault=fault,
    )


def _trimmed(parts: Parts, edits: _Box | None, media: _Box | None, movie_timescale: int) -> bool:
    """Return whether an edit list shows a part of the frames only, as after trimming on a phone."""
    edit_list = _inside(parts, edits, b"elst").get(b"elst")
    if edit_list is None or media is None:
        return False
    long = parts.at(media.begin, 1) == b"\1"
    timescale, length = parts.numbers(">IQ" if long else ">II", media.begin + (20 if long else 12))
    long = parts.at(edit_list.begin, 1) == b"\1"
    (count,) = parts.numbers(">I", edit_list.begin + 4)
    layout, step = (">Qq", 20) if long else (">Ii", 12)
    shown = 0
    for number in range(min(count, _MOST_EDITS)):
        duration, begin = parts.numbers(layout, edit_list.begin + 8 + step * number)
        shown += duration if begin >= 0 else 0
    if not (shown and timescale and movie_timescale):
        return False
    return shown / movie_timescale < _TRIMMED_BELOW * length / timescale


def _inside(parts: Parts, box: _Box | None, *kinds: bytes) -> dict[bytes, _Box]:
    """Return the first box of each of these kinds within one."""
    found: dict[bytes, _Box] = {}
    if box is not None:
        for inner in _boxes(parts, box.begin, box.end):
            if inner.kind in kinds:
                found.setdefault(inner.kind, inner)
    return found


def _boxes(parts: Parts, begin: int, end: int) -> Iterator[_Box]:
    """Give the boxes of a range; the last one may end after it."""
    while begin + 8 <= end:
        size, kind = parts.numbers(">I4s", begin)
        content = begin + 8
        if size == 1:
            (size,) = parts.numbers(">Q", content)
            content += 8
        next_begin = end if size == 0 else begin + size
        if next_begin < content:
            return
        yield _Box(bytes(kind), content, min(next_begin, end), next_begin > end)
        begin = next_begin


_UPRIGHT: tuple[int, ...] = (1 << 16, 0, 0, 1 << 16)


def _matrix(parts: Parts, offset: int) -> tuple[int, ...]:
    """Return the part of a matrix that turns: how x moves, then y."""
    a, b, _, c, d = parts.numbers(">5i", offset)
    return a, b, c, d


def _product(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """Return the matrix that does the first and then the second."""
    (a, b, c, d), (e, f, g, h) = first, second
    return a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h
