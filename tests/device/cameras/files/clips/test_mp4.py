from __future__ import annotations

import struct
from pathlib import Path

import pytest

from edgeinfer.device.cameras.files.clips.facts import ClipFacts
from edgeinfer.device.cameras.files.clips.read import read_clip_facts
from tests.device.cameras.files.clips.made_clips import box, grey, movie

FRAMES = [grey(level) for level in (0, 100, 200)]
LENGTHS_MS = [40, 40, 40]


def facts_of(path: Path) -> ClipFacts:
    return read_clip_facts(path, path.read_bytes()[:4096])


def test_what_a_movie_says(tmp_path: Path) -> None:
    assert facts_of(movie(tmp_path / "x.mov", FRAMES, LENGTHS_MS)) == ClipFacts(
        container="mp4", codec="Motion JPEG", pictures=True, orientation=1, frames=3, whole=True
    )


@pytest.mark.parametrize(
    ("mark", "codec"),
    [(b"av01", "AV1"), (b"vvc1", "H.266 (VVC)"), (b"apch", "ProRes 422 HQ"), (b"zz9 ", "zz9")],
)
def test_the_codec_has_a_name(mark: bytes, codec: str, tmp_path: Path) -> None:
    assert facts_of(movie(tmp_path / "x.mov", FRAMES, LENGTHS_MS, codec=mark)).codec == codec


def test_an_encrypted_one_says_so(tmp_path: Path) -> None:
    path = movie(tmp_path / "x.mov", FRAMES, LENGTHS_MS, codec=b"encv")
    assert facts_of(path).fault == "is encrypted"


def test_the_track_turns_first_and_then_the_movie(tmp_path: Path) -> None:
    mirror, clockwise = (-1, 0, 0, 1), (0, 1, -1, 0)
    path = movie(tmp_path / "x.mov", FRAMES, LENGTHS_MS, turn=mirror, movie_turn=clockwise)
    assert facts_of(path).orientation == 7
    path = movie(tmp_path / "x.mov", FRAMES, LENGTHS_MS, turn=clockwise, movie_turn=mirror)
    assert facts_of(path).orientation == 5


def test_sound_alone(tmp_path: Path) -> None:
    path = movie(tmp_path / "x.mov", FRAMES, LENGTHS_MS, kind=b"soun", codec=b"mp4a")
    assert facts_of(path).pictures is False


def test_no_frames(tmp_path: Path) -> None:
    assert facts_of(movie(tmp_path / "x.mov", [], [])).fault == "holds no frames"


def test_fragments_are_not_counted(tmp_path: Path) -> None:
    path = movie(tmp_path / "x.mov", [], [])
    path.write_bytes(path.read_bytes() + box(b"moof") + box(b"mdat", FRAMES[0]))
    facts = facts_of(path)
    assert (facts.frames, facts.fault, facts.whole) == (None, "", True)


def test_a_trimmed_one_does_not_say_how_many_frames_it_shows(tmp_path: Path) -> None:
    assert facts_of(movie(tmp_path / "x.mov", FRAMES, LENGTHS_MS, shown_ms=40)).frames is None
    assert facts_of(movie(tmp_path / "x.mov", FRAMES, LENGTHS_MS, shown_ms=120)).frames == 3


def test_without_its_index_it_was_cut_off(tmp_path: Path) -> None:
    unfinished = movie(tmp_path / "x.mov", FRAMES, LENGTHS_MS, finished=False)
    assert "index (the moov box) is missing" in facts_of(unfinished).fault
    whole = movie(tmp_path / "x.mov", FRAMES, LENGTHS_MS).read_bytes()
    unfinished.write_bytes(whole[: len(whole) - 300])
    assert "cut off within its index" in facts_of(unfinished).fault
    # With the index first, some of it can be played.
    index = whole.index(b"moov") - 4
    unfinished.write_bytes(whole[:20] + whole[index:] + whole[20 : index - 9])
    assert (facts_of(unfinished).whole, facts_of(unfinished).fault) == (False, "")


def test_long_boxes_and_long_numbers(tmp_path: Path) -> None:
    """A box may have its length in 64 bits, and a header its times."""
    path = movie(tmp_path / "x.mov", FRAMES, LENGTHS_MS, turn=(0, 1, -1, 0))
    data = path.read_bytes()
    begin = data.index(b"tkhd") - 4
    (length,) = struct.unpack_from(">I", data, begin)
    short = data[begin + 8 : begin + length]
    long = b"\1" + short[1:4] + bytes(16) + short[12:20] + bytes(4) + short[20:]
    header = struct.pack(">I4sQ", 1, b"tkhd", 16 + len(long)) + long
    grown = len(header) - length
    index = data.index(b"moov") - 4
    (index_length,) = struct.unpack_from(">I", data, index)
    track = data.index(b"trak") - 4
    (track_length,) = struct.unpack_from(">I", data, track)
    parts = bytearray(data[:begin] + header + data[begin + length :])
    struct.pack_into(">I", parts, index, index_length + grown)
    struct.pack_into(">I", parts, track, track_length + grown)
    path.write_bytes(parts)
    assert (facts_of(path).orientation, facts_of(path).frames) == (6, 3)
