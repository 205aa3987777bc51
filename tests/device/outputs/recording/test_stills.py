from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.outputs.recording.condition import parse_condition
from edgeinfer.device.outputs.recording.folder import RecordFolder
from edgeinfer.device.outputs.recording.stills import StillsSink
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
