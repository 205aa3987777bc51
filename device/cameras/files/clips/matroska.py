"""Matroska and WebM: elements within elements. Sources: RFC 8794 (EBML), RFC 9559 (Matroska)."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from edgeinfer.device.cameras.files.clips.codecs import by_matroska
from edgeinfer.device.cameras.files.clips.facts import ClipFacts, orientation_of
from edgeinfer.device.cameras.files.clips.parts import Parts, UnclearError

_SEGMENT, _CLUSTER, _TRACKS, _TRACK = 0x18538067, 0x1F43B675, 0x1654AE6B, 0xAE
_TRACK_TYPE, _CODEC_ID, _VIDEO = 0x83, 0x86, 0xE0
_PROJECTION, _YAW, _PITCH, _ROLL = 0x7670, 0x7673, 0x7674, 0x7675
_PICTURES = b"\1"
_MOST_TEXT = 64


@dataclass(frozen=True)
class _Element:
    """An element: its number, where its content begins and ends, whether it tells its length."""

    number: int
    begin: int
    end: int
    known: bool


def read_matroska(parts: Parts) -> ClipFacts:
    """Return what a Matroska or WebM file says; raises as `Parts.at` where it is not one."""
    for element in _elements(parts, 0, parts.size):
        if element.number == _SEGMENT:
            # A live recording does not know how long it will become.
            whole = element.end <= parts.size if element.known else None
            return _read_segment(parts, element, whole)
    raise UnclearError


def _read_segment(parts: Parts, segment: _Element, whole: bool | None) -> ClipFacts:
    for element in _elements(parts, segment.begin, min(segment.end, parts.size)):
        if element.number == _TRACKS:
            tracks = 0
            for track in _elements(parts, element.begin, element.end):
                if track.number == _TRACK:
                    tracks += 1
                    if (facts := _read_track(parts, track, whole)) is not None:
                        return facts
            pictures = False if tracks else None
            return ClipFacts(container="matroska", pictures=pictures, whole=whole)
        if element.number == _CLUSTER and not element.known:
            break
    return ClipFacts(container="matroska", whole=whole)


def _read_track(parts: Parts, track: _Element, whole: bool | None) -> ClipFacts | None:
    """Return what is said of a track; None where it is not one of pictures."""
    codec, orientation, pictures = None, 1, False
    for element in _elements(parts, track.begin, track.end):
        if element.number == _TRACK_TYPE:
            pictures = _content(parts, element) == _PICTURES
        elif element.number == _CODEC_ID:
            codec = by_matroska(_content(parts, element).decode("latin-1").rstrip("\0"))
        elif element.number == _VIDEO:
            for part in _elements(parts, element.begin, element.end):
                if part.number == _PROJECTION:
                    orientation = _orientation(parts, part)
    if not pictures:
        return None
    return ClipFacts(
        container="matroska", codec=codec, pictures=True, orientation=orientation, whole=whole
    )


def _orientation(parts: Parts, projection: _Element) -> int:
    """Return how a projection turns its pictures in their plane: to the left, after mirroring."""
    angles = {_YAW: 0.0, _PITCH: 0.0, _ROLL: 0.0}
    for element in _elements(parts, projection.begin, projection.end):
        if element.number in angles:
            angles[element.number] = _real(_content(parts, element))
    yaw, pitch, roll = angles[_YAW], angles[_PITCH], math.radians(angles[_ROLL])
    if pitch != 0 or abs(yaw) not in (0, 180) or not math.isfinite(roll):
        return 1
    mirror = -1 if yaw else 1
    sine, cosine = math.sin(roll), math.cos(roll)
    return orientation_of(mirror * cosine, -mirror * sine, sine, cosine)


def _real(content: bytes) -> float:
    if len(content) not in (4, 8):
        return 0.0
    (number,) = struct.unpack(">f" if len(content) == 4 else ">d", content)
    return float(number)


def _content(parts: Parts, element: _Element) -> bytes:
    return parts.at(element.begin, min(element.end - element.begin, _MOST_TEXT))


def _elements(parts: Parts, begin: int, end: int) -> Iterator[_Element]:
    """Give the elements of a range; the last one may end after it."""
    while begin < end:
        number, length = _variable(parts, begin, keep_mark=True)
        begin += length
        size, length = _variable(parts, begin, keep_mark=False)
        begin += length
        known = size != (1 << 7 * length) - 1
        yield _Element(number, begin, begin + size if known else end, known)
        if not known:
            return
        begin += size


def _variable(parts: Parts, offset: int, *, keep_mark: bool) -> tuple[int, int]:
    """Return a number of variable length and its length in bytes, which zeros before a 1 tell."""
    (first,) = parts.at(offset, 1)
    if first == 0:
        raise UnclearError
    length = 9 - first.bit_length()
    number = int.from_bytes(parts.at(offset, length), "big")
    return (number if keep_mark else number & ~(1 << 7 * length)), length
