"""The loop, with its own cameras, which end, fail and send damaged pictures."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.cameras.base import MAX_DAMAGED, Camera
from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.core.signals import StopRequest
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.data.capture.capture import Captured, capture
from edgeinfer.host.data.capture.settings import CaptureSettings, parse_labels
from edgeinfer.host.data.capture.store import CaptureFolder

Item = Pixels | bytes | CameraError

DAMAGED = b"\xff\xd8\xff\xe0 no picture"


class Scripted(Camera):
    """Gives pictures, bytes of JPEGs, or an error, one after the other."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.description = "a script"
        self._items = list(items)
        self._next = 0

    def read(self) -> Frame | None:
        if self._next == len(self._items):
            return None
        item, number = self._items[self._next], self._next
        self._next += 1
        if isinstance(item, CameraError):
            raise item
        if isinstance(item, bytes):
            pixels = np.frombuffer(item, np.uint8)
            return Frame(pixels=pixels, sequence=number, captured_ns=0, format="jpeg")
        return Frame(pixels=item, sequence=number, captured_ns=time.monotonic_ns())


def picture(brightness: int) -> Pixels:
    return np.full((48, 64, 3), brightness, np.uint8)


def run(folder: Path, items: Iterable[Item], **wishes: float | bool) -> Captured:
    settings = CaptureSettings(labels=parse_labels(["open"]), **wishes)  # type: ignore[arg-type]
    store = CaptureFolder(folder, add=False, value=None, keep_free_bytes=0)
    return capture(
        Scripted(items),
        store,
        settings,
        keyboard=None,
        stop=StopRequest(),
        fps=10.0,
        tell=lambda line: None,
    )


def shown(folder: Path) -> list[int]:
    return [int(read_image(path)[0, 0, 0]) for path in sorted((folder / "open").iterdir())]


def test_by_the_time_of_a_file(tmp_path: Path) -> None:
    result = run(tmp_path / "out", map(picture, range(0, 250, 10)), every_s=0.5, lossless=True)
    assert shown(tmp_path / "out") == [0, 50, 100, 150, 200]
    assert (result.saved, result.ended, result.failure) == ({"open": 5}, "source", None)


def test_times_in_the_names_are_those_of_the_file(tmp_path: Path) -> None:
    run(tmp_path / "out", map(picture, range(4)), every_s=0.1)
    first, *_, last = sorted(path.stem for path in (tmp_path / "out" / "open").iterdir())
    seconds = [int(stem[9:11]) * 3600 + int(stem[11:13]) * 60 + int(stem[13:18]) / 1e3
               for stem in (first, last)]  # fmt: skip
    assert (seconds[1] - seconds[0]) % 86_400 == pytest.approx(0.3, abs=0.002)


def test_when_the_picture_changes(tmp_path: Path) -> None:
    levels = [50, 52, 54, 120, 121, 50, 50, 50]
    result = run(tmp_path / "out", map(picture, levels), change=0.5, lossless=True)
    # The last is equal to the first.
    assert shown(tmp_path / "out") == [50, 120]
    assert (result.count, result.equal) == (2, 3)


def test_equal_pictures_are_saved_once(tmp_path: Path) -> None:
    result = run(tmp_path / "out", map(picture, [1, 1, 2, 1, 2, 3]), every_s=0.01, lossless=True)
    assert shown(tmp_path / "out") == [1, 2, 3]
    assert result.equal == 3


def test_the_most_pictures(tmp_path: Path) -> None:
    result = run(tmp_path / "out", map(picture, range(100)), every_s=0.01, max_frames=3)
    assert (result.count, result.ended) == (3, "frames")


def test_a_camera_that_fails_leaves_what_was_captured(tmp_path: Path) -> None:
    items: list[Item] = [picture(1), picture(2), CameraError("a script", got="was unplugged")]
    result = run(tmp_path / "out", items, every_s=0.01, lossless=True)
    assert shown(tmp_path / "out") == [1, 2]
    assert (result.ended, str(result.failure)) == ("failed", "a script: was unplugged")


def test_damaged_pictures_are_counted_not_saved(tmp_path: Path) -> None:
    result = run(tmp_path / "out", [DAMAGED, picture(1), DAMAGED, DAMAGED], every_s=0.01)
    assert (result.count, result.damaged, result.failure) == (1, 3, None)


def test_a_source_of_damaged_pictures_is_an_error(tmp_path: Path) -> None:
    result = run(tmp_path / "out", [DAMAGED] * (MAX_DAMAGED + 5), every_s=0.01)
    assert (result.count, result.damaged) == (0, MAX_DAMAGED)
    assert "damaged pictures in a row" in str(result.failure)


def test_a_jpeg_of_the_camera_is_kept_as_it_came(tmp_path: Path) -> None:
    import cv2

    done, encoded = cv2.imencode(".jpg", picture(77), [cv2.IMWRITE_JPEG_QUALITY, 40])
    assert done
    run(tmp_path / "out", [encoded.tobytes()], every_s=1.0)
    (path,) = (tmp_path / "out" / "open").iterdir()
    assert path.read_bytes() == encoded.tobytes()
