"""A window that shows the annotated frames, where there is a screen."""

from __future__ import annotations

import os
import re
import time

import cv2

from edgeinfer.device.annotate import annotate
from edgeinfer.device.errors import OutputError
from edgeinfer.device.outputs.base import Output, OutputGone
from edgeinfer.device.results import Answer

REDRAW_S = 1 / 15
"""The window is not drawn more often."""

TITLE = "edgeinfer"
_CLOSING_KEYS = (27, ord("q"))
"""Escape and q."""


def check_window() -> None:
    """Refuse a window where there can be none; the GUI libraries themselves end the process.

    Raises:
        OutputError: this OpenCV draws no windows, or there is no screen.
    """
    if re.search(r"^\s*GUI:\s*NONE\s*$", cv2.getBuildInformation(), re.MULTILINE):
        raise OutputError(
            "--output window",
            got="this OpenCV draws no windows",
            expected="opencv-python instead of opencv-python-headless",
            next_step="pip uninstall opencv-python-headless && pip install opencv-python, or "
            "Debian's python3-opencv",
        )
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise OutputError(
            "--output window",
            got="there is no screen (neither DISPLAY nor WAYLAND_DISPLAY is set)",
            next_step="start it on the desktop, or record with video: or stills:",
        )


class WindowSink(Output):
    """Shows frames with their answers; closing it, Escape or q end this output."""

    def __init__(self) -> None:
        self._drawn_at = float("-inf")
        self._open = False

    def write(self, answer: Answer) -> None:
        """Show a frame, unless the last one was shown a moment ago."""
        now = time.monotonic()
        if now < self._drawn_at + REDRAW_S:
            return
        self._drawn_at = now
        picture = annotate(answer)
        try:
            if not self._open:
                # A window of any size, that keeps the picture's shape.
                cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
                cv2.resizeWindow(TITLE, picture.shape[1], picture.shape[0])
                self._open = True
            cv2.imshow(TITLE, picture)
            key = cv2.waitKey(1) & 0xFF
            visible = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error as error:
            raise OutputError("window", got=f"cannot be drawn ({error.err})") from error
        if key in _CLOSING_KEYS or not visible:
            raise OutputGone("was closed")

    def close(self) -> None:
        """Close the window."""
        if self._open:
            self._open = False
            cv2.destroyAllWindows()
            cv2.waitKey(1)  # the window goes when its events are looked at
