"""OpenCV without words of its own."""

from __future__ import annotations

import os


def quiet_opencv() -> None:
    """Keep OpenCV and its FFmpeg from writing to stderr: our errors say it in one line.

    Whoever sets these variables keeps their choice. FFmpeg reads its own when it first opens a
    file; -8 is its level "quiet".
    """
    import cv2

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if "OPENCV_LOG_LEVEL" not in os.environ and hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(0)
