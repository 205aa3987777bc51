"""OpenCV without words of its own."""

from __future__ import annotations

import os
from functools import cache

_OPENCVS_OWN_LEVEL = 3
"""Warnings: what OpenCV begins with."""


@cache
def quiet_opencv() -> None:
    """Keep OpenCV and its FFmpeg from writing to stderr: our errors say it in one line.

    Whoever sets these variables, or OpenCV's level before or after, keeps their choice. FFmpeg
    reads its own when it first opens a file; -8 is its level "quiet".
    """
    import cv2

    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if "OPENCV_LOG_LEVEL" in os.environ or not hasattr(cv2, "setLogLevel"):
        return
    if cv2.getLogLevel() == _OPENCVS_OWN_LEVEL:
        cv2.setLogLevel(0)
