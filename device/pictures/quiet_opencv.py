"""OpenCV without messages on stderr."""

from __future__ import annotations

import os
from functools import cache

_OPENCVS_OWN_LEVEL = 3
"""Warnings: what OpenCV begins with."""


@cache
def quiet_opencv() -> None:
    """Keep OpenCV and its FFmpeg from writing to stderr: edgeinfer's errors say it in one line.

    A user who sets these variables, or OpenCV's level before or after, keeps that choice. FFmpeg
    reads its own when it first opens a file; -8 is its level "quiet".
    """
    import cv2

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # OpenCV 4.13 has them in another module; very old ones have none.
    levels = cv2 if hasattr(cv2, "setLogLevel") else getattr(cv2.utils, "logging", None)
    if "OPENCV_LOG_LEVEL" in os.environ or levels is None:
        return
    if levels.getLogLevel() == _OPENCVS_OWN_LEVEL:
        levels.setLogLevel(0)
