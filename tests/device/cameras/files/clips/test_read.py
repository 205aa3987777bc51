"""Whatever a file holds, what it says of itself is read in bounds, without an error."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.device.cameras.files.clips import parts
from edgeinfer.device.cameras.files.clips.facts import ClipFacts
from edgeinfer.device.cameras.files.clips.read import read_clip_facts
from tests.device.cameras.files.clips.made_clips import box, grey, matroska, movie
from tests.device.cameras.files.clips.test_streams import flv, packets, section


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="module")
def clips(folder: Path) -> list[bytes]:
    """Whole files of every kind that is read."""
    frames = [grey(level) for level in (0, 100)]
    avi = folder / "x.avi"
    writer = cv2.VideoWriter(str(avi), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    return [
        movie(folder / "x.mov", frames, [40, 40], turn=(0, 1, -1, 0), shown_ms=40).read_bytes(),
        matroska(folder / "x.mkv", frames, [0, 40], roll=90.0).read_bytes(),
        avi.read_bytes(),
        packets((0, section(0, b"\0\1\xe1\0")), (0x100, section(2, bytes(20))), *[(9, b"")] * 5),
        flv(b"\x17\0"),
        b"OggS\0\2" + bytes(20) + b"\1\x0a\x80theora" + bytes(3),
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_read_as_far_as_they_go(
    data: st.DataObject, clips: list[bytes], folder: Path
) -> None:
    damaged = bytearray(data.draw(st.sampled_from(clips)))
    # The fields that lead elsewhere are near the beginning, and of a movie near the end.
    near = st.integers(0, min(600, len(damaged) - 1))
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(near | near.map(lambda at: len(damaged) - 1 - at))
        damaged[place] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    end = data.draw(st.just(len(damaged)) | st.integers(4, len(damaged)))
    path = folder / "damaged"
    path.write_bytes(damaged[:end])
    facts = read_clip_facts(path, bytes(damaged[:end][:4096]))
    assert facts.orientation in (None, *range(1, 9))


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp") + box(b"free") * 100_000,
        box(b"ftyp") + box(b"moov", box(b"trak", box(b"mdia")) * 50_000),
        b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01" + 7 * b"\xff" + b"\xec\x80" * 200_000,
        b"RIFF\xff\xff\xff\xffAVI " + (b"JUNK" + bytes(4)) * 100_000,
        b"FLV\x01\x05\0\0\0\x09" + (bytes(4) + b"\x12" + bytes(10)) * 100_000,
    ],
    ids=["boxes", "tracks", "elements", "chunks", "tags"],
)
def test_a_file_of_nothing_but_parts_is_not_read_to_its_end(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MOST_READS", 1000)
    reads = 0
    at = parts.Parts.at

    def counted(self: parts.Parts, offset: int, length: int) -> bytes:
        nonlocal reads
        reads += 1
        return at(self, offset, length)

    monkeypatch.setattr(parts.Parts, "at", counted)
    path = tmp_path / "parts"
    path.write_bytes(data)
    assert read_clip_facts(path, data[:4096]).codec is None
    assert reads <= 1001


def test_an_unknown_kind_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"nothing known")
    assert read_clip_facts(tmp_path / "x", b"nothing known") == ClipFacts()
