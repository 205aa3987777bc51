"""A window that shows the annotated frames, where there is a screen."""

from __future__ import annotations

import os
import re
import socket
import time
from contextlib import suppress

import cv2

from edgeinfer.device.core.errors import OutputError
from edgeinfer.device.core.installation.advice import add_packages
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.outputs.base import Output, OutputGone
from edgeinfer.device.outputs.drawing.draw import annotate

REDRAW_S = 1 / 15
"""The window is not drawn more often."""

TITLE = "edgeinfer"
MAX_SIDE = 1280
"""A window opens no larger: the user enlarges it where the screen has room."""
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
            next_step=add_packages("opencv-python", instead_of=("opencv-python-headless",))
            + ", or take Debian's python3-opencv",
        )
    reason = _why_no_screen()
    if reason:
        raise OutputError(
            "--output window",
            got=f"there is no screen ({reason})",
            next_step="start it on the desktop, or record with video: or stills:",
        )


def _why_no_screen() -> str:
    """Return why nothing can be shown; empty where something can, or where one must try."""
    if os.environ.get("WAYLAND_DISPLAY"):
        return ""
    display = os.environ.get("DISPLAY", "")
    if not display:
        return "DISPLAY and WAYLAND_DISPLAY are not set"
    # Source: X(7): ":N.S" is display N of this machine, which listens under this name.
    local = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", display)
    if local is None:
        return ""
    path = f"/tmp/.X11-unix/X{local[1]}"
    for address in (path, f"\0{path}"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1.0)
            with suppress(OSError):
                connection.connect(address)
                return ""
    return f"nothing answers at DISPLAY {display}"


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
                # A window of any size that keeps the picture's shape, without a tool bar.
                flags = cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL
                cv2.namedWindow(TITLE, flags)
                cv2.resizeWindow(TITLE, *_first_size(picture.shape[1], picture.shape[0]))
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


def _first_size(width: int, height: int) -> tuple[int, int]:
    """Return the size that a window of a picture opens with."""
    factor = min(1.0, MAX_SIDE / max(width, height))
    return max(1, round(width * factor)), max(1, round(height * factor))
