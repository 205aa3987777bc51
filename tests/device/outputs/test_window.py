"""When a window is refused; the window itself needs a screen and another OpenCV than the tests'."""

from __future__ import annotations

import re
import socket

import cv2
import numpy as np
import pytest

from edgeinfer.device.core.errors import OutputError
from edgeinfer.device.outputs.window import MAX_SIDE, WindowSink, check_window
from tests.device.outputs.examples import answer


@pytest.fixture
def opencv_with_windows(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Have OpenCV say that it was built with Qt."""
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: "  GUI:   QT5\n")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_headless_opencv_is_recognized() -> None:
    if not re.search(r"GUI:\s+NONE", cv2.getBuildInformation()):
        pytest.skip("this OpenCV draws windows: there is nothing to refuse")
    with pytest.raises(OutputError, match="opencv-python instead of opencv-python-headless"):
        check_window()


def test_without_a_screen_it_says_so(opencv_with_windows: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match="DISPLAY and WAYLAND_DISPLAY are not set"):
        check_window()


@pytest.mark.parametrize("display", [":4321", "unix:4321.0"])
def test_screen_that_does_not_answer(opencv_with_windows: pytest.MonkeyPatch, display: str) -> None:
    """OpenCV's Qt would end the whole process there."""
    opencv_with_windows.setenv("DISPLAY", display)
    with pytest.raises(OutputError, match=f"nothing answers at DISPLAY {display}"):
        check_window()


def test_screen_that_answers(opencv_with_windows: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0/tmp/.X11-unix/X4322")
        server.listen()
        opencv_with_windows.setenv("DISPLAY", ":4322")
        check_window()


@pytest.mark.parametrize(
    ("variable", "value"), [("WAYLAND_DISPLAY", "wayland-0"), ("DISPLAY", "desk.example:0")]
)
def test_screens_elsewhere_are_tried(
    opencv_with_windows: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    opencv_with_windows.setenv(variable, value)
    check_window()


@pytest.mark.parametrize("size", [(640, 480), (9000, 30), (1, 5000), (6000, 4000)])
def test_a_window_opens_no_larger_than_a_screen(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    opened: list[tuple[int, int]] = []
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "resizeWindow", lambda _, *sides: opened.append(sides))
    monkeypatch.setattr(cv2, "imshow", lambda *_: None)
    monkeypatch.setattr(cv2, "waitKey", lambda _: -1)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    WindowSink().write(answer(pixels=np.zeros((size[1], size[0], 3), np.uint8)))
    ((width, height),) = opened
    assert min(width, height) >= 1
    assert max(width, height) <= MAX_SIDE
