from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.core.errors import OutputError
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.outputs.drawing.draw import MAX_DRAWN_SIDE, MIN_SIDE
from edgeinfer.device.outputs.recording import stills as stills_module
from edgeinfer.device.outputs.recording.condition import parse_condition
from edgeinfer.device.outputs.recording.folder import RecordFolder
from edgeinfer.device.outputs.recording.stills import MAX_JPEG_SIDE, StillsSink
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.pictures.frame import Frame
from tests.device.outputs.examples import answer


def folder_of(path: Path, *, max_bytes: int = 10**9) -> RecordFolder:
    return RecordFolder(path, stem="still", suffix=".jpg", max_bytes=max_bytes, keep_free_bytes=0)


def brightness_of(path: Path) -> list[int]:
    """Return of each still how bright it is in the middle: that tells which frame it shows."""
    stills = [cv2.imread(str(still)) for still in sorted(path.iterdir())]
    return [round(float(still[200:280].mean()) / 10) * 10 for still in stills]


def feed(sink: StillsSink, probabilities: list[float], *, step_ms: int = 100) -> None:
    for number, probability in enumerate(probabilities):
        pixels = np.full((480, 640, 3), 10 * number, np.uint8)
        time_ns = 10**9 + number * step_ms * 10**6
        sink.write(answer(probability=probability, pixels=pixels, captured_ns=time_ns))


def test_every_frame_or_those_that_the_condition_names(tmp_path: Path) -> None:
    probabilities = [0.1, 0.9, 0.3, 0.95, 0.2]
    feed(StillsSink(folder_of(tmp_path / "all")), probabilities)
    assert brightness_of(tmp_path / "all") == [0, 10, 20, 30, 40]
    when = parse_condition("cat>0.8")
    feed(StillsSink(folder_of(tmp_path / "some"), when=when), probabilities)
    assert brightness_of(tmp_path / "some") == [10, 30]


def test_not_more_often_than_stated(tmp_path: Path) -> None:
    when = parse_condition("cat>0.8")
    sink = StillsSink(folder_of(tmp_path), when=when, every_s=0.3)
    feed(sink, [0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.9])
    assert brightness_of(tmp_path) == [10, 40, 80]


def test_the_answer_is_drawn(tmp_path: Path) -> None:
    sink = StillsSink(folder_of(tmp_path))
    sink.write(answer(pixels=np.full((480, 640, 3), 120, np.uint8)))
    (still,) = tmp_path.iterdir()
    picture = cv2.imread(str(still))
    assert picture.shape == (480, 640, 3)
    assert picture[:100, :300].max() > 230  # the label
    assert picture[-60:, :300].max() > 230  # the time
    assert np.abs(picture[200:300].astype(int) - 120).max() < 10


@pytest.mark.parametrize("max_bytes", [30_000, 60_000])
def test_the_folder_holds_no_more_than_stated(tmp_path: Path, max_bytes: int) -> None:
    sink = StillsSink(folder_of(tmp_path, max_bytes=max_bytes))
    feed(sink, [0.9] * 20)
    sizes = [one.stat().st_size for one in tmp_path.iterdir()]
    assert max_bytes / 2 < sum(sizes) <= max_bytes
    assert brightness_of(tmp_path)[-1] == 190


def size_of(still: Path) -> tuple[int, int]:
    """Return (width, height)."""
    height, width = cv2.imread(str(still)).shape[:2]
    return width, height


NARROW = [(9000, 30), (30, 9000), (5000, 1), (1, 5000), (65_600, 2), (1, 1)]
"""(width, height); the longest is more than a JPEG can be."""


@pytest.mark.parametrize("size", NARROW)
def test_a_narrow_picture_among_others_is_a_bounded_still(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    sink = StillsSink(folder_of(tmp_path))
    for width, height in ((640, 480), size, (640, 480)):
        sink.write(answer(pixels=np.full((height, width, 3), 120, np.uint8)))
    first, narrow, last = map(size_of, sorted(tmp_path.iterdir()))
    assert first == last == (640, 480)
    assert min(narrow) == MIN_SIDE
    assert max(narrow) <= MAX_DRAWN_SIDE


def test_the_narrow_picture_of_the_cases(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data.parent / "cases" / "media" / "narrow_9000x30.png"
    if not path.exists():
        pytest.skip(f"{path} is absent: this test needs the shared cases")
    sink = StillsSink(folder_of(tmp_path))
    sink.write(answer(pixels=read_image(path)))
    (still,) = tmp_path.iterdir()
    assert size_of(still) == (9000, MIN_SIDE)


def clean_still(folder: Path, frame: Frame) -> Path:
    """Write a frame as a clean still; return its path."""
    StillsSink(folder_of(folder), clean=True).write(
        Answer(frame=frame, prediction=answer().prediction, age_ms=1.0)
    )
    (still,) = folder.iterdir()
    return still


@pytest.mark.parametrize("size", [(640, 480), (20, 10), (1, 5000), (9000, 30)])
def test_clean_stills_have_nothing_drawn_and_the_frames_size(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    pixels = np.full((size[1], size[0], 3), 120, np.uint8)
    still = clean_still(tmp_path, Frame(pixels=pixels, sequence=0, captured_ns=0))
    assert size_of(still) == size
    assert np.abs(cv2.imread(str(still)).astype(int) - 120).max() <= 2


@pytest.mark.parametrize("tables", [True, False])
def test_clean_stills_of_jpegs_are_the_cameras_own_bytes(tmp_path: Path, tables: bool) -> None:
    """But for those of Motion JPEG without the tables that other programs need."""
    picture = np.full((48, 64, 3), 90, np.uint8)
    data = cv2.imencode(".jpg", picture)[1].tobytes()
    if not tables:
        while (start := data.find(b"\xff\xc4")) >= 0:
            length = int.from_bytes(data[start + 2 : start + 4], "big")
            data = data[:start] + data[start + 2 + length :]
    pixels = np.frombuffer(data, np.uint8)
    frame = Frame(pixels=pixels, format="jpeg", sequence=0, captured_ns=0)
    still = clean_still(tmp_path, frame)
    assert (still.read_bytes() == data) is tables
    assert np.abs(cv2.imread(str(still)).astype(int) - 90).max() <= 2


def test_a_clean_still_too_long_for_a_jpeg_is_made_smaller(tmp_path: Path) -> None:
    pixels = np.zeros((2, MAX_JPEG_SIDE + 100, 3), np.uint8)
    still = clean_still(tmp_path, Frame(pixels=pixels, sequence=0, captured_ns=0))
    assert size_of(still) == (MAX_JPEG_SIDE, 2)


def test_a_still_that_cannot_be_encoded_does_not_end_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of OpenCV's is one that the queue goes on after, as after a full disk."""
    monkeypatch.setattr(stills_module, "MAX_JPEG_SIDE", 10**6)
    sink = StillsSink(folder_of(tmp_path), clean=True)
    with pytest.raises(OutputError, match=r"a still of 65600x1: cannot be encoded \(.+\)"):
        sink.write(answer(pixels=np.zeros((1, 65_600, 3), np.uint8)))
    sink.write(answer(pixels=np.zeros((48, 64, 3), np.uint8)))
    assert len(list(tmp_path.iterdir())) == 1
