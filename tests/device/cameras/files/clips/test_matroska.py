from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.cameras.files.clips.facts import ClipFacts
from edgeinfer.device.cameras.files.clips.read import read_clip_facts
from tests.device.cameras.files.clips.made_clips import grey, matroska

FRAMES = [grey(level) for level in (0, 100, 200)]
TIMES_MS = [0, 40, 80]


def facts_of(path: Path) -> ClipFacts:
    return read_clip_facts(path, path.read_bytes()[:4096])


def test_what_a_file_says(tmp_path: Path) -> None:
    assert facts_of(matroska(tmp_path / "x.mkv", FRAMES, TIMES_MS)) == ClipFacts(
        container="matroska", codec="Motion JPEG", pictures=True, orientation=1, whole=True
    )


@pytest.mark.parametrize(
    ("name", "codec"),
    [(b"V_AV1", "AV1"), (b"V_MPEGI/ISO/VVC", "H.266 (VVC)"), (b"V_NEW/1", "NEW/1")],
)
def test_the_codec_has_a_name(name: bytes, codec: str, tmp_path: Path) -> None:
    assert facts_of(matroska(tmp_path / "x.mkv", FRAMES, TIMES_MS, codec=name)).codec == codec


@pytest.mark.parametrize(
    ("roll", "yaw", "orientation"),
    [
        (90.0, None, 8),
        (180.0, 0.0, 3),
        (-90.0, 0.0, 6),
        (270.0, None, 6),
        (0.0, 180.0, 2),
        (90.0, -180.0, 5),
        (30.0, None, 1),
        (90.0, 45.0, 1),
        (float("nan"), None, 1),
    ],
)
def test_the_pose_turns_to_the_left(
    roll: float, yaw: float | None, orientation: int, tmp_path: Path
) -> None:
    path = matroska(tmp_path / "x.mkv", FRAMES, TIMES_MS, roll=roll, yaw=yaw)
    assert facts_of(path).orientation == orientation


def test_sound_alone(tmp_path: Path) -> None:
    path = matroska(tmp_path / "x.mkv", FRAMES, TIMES_MS, codec=b"A_OPUS", kind=2)
    assert facts_of(path).pictures is False


def test_a_cut_one_is_not_whole(tmp_path: Path) -> None:
    path = matroska(tmp_path / "x.mkv", FRAMES, TIMES_MS)
    path.write_bytes(path.read_bytes()[:-100])
    assert facts_of(path).whole is False


def test_a_live_recording_does_not_know_its_length(tmp_path: Path) -> None:
    path = matroska(tmp_path / "x.mkv", FRAMES, TIMES_MS)
    data = bytearray(path.read_bytes())
    place = data.index(b"\x18\x53\x80\x67") + 4
    data[place : place + 8] = b"\x01" + 7 * b"\xff"
    path.write_bytes(data)
    assert (facts_of(path).whole, facts_of(path).codec) == (None, "Motion JPEG")
