"""OpenCV is silent when pictures are read, unless somebody wants to hear it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

READ = """
import sys
import cv2
import numpy as np
from edgeinfer.device.pictures.decode import decode_image

picture = cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
exec(sys.argv[1])
decode_image(picture, subject="picture.png")
exec(sys.argv[2])
decode_image(picture, subject="picture.png")
print(cv2.getLogLevel())
"""


def level(before: str = "", between: str = "", **environment: str) -> int:
    """Return OpenCV's level after two pictures, with code before them and between them."""
    done = subprocess.run(
        [sys.executable, "-c", READ, before, between],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def test_it_is_silent() -> None:
    assert level() == 0


@pytest.mark.parametrize("chosen", [1, 5])
def test_a_level_that_was_chosen_before_stays(chosen: int) -> None:
    assert level(before=f"cv2.setLogLevel({chosen})") == chosen


@pytest.mark.parametrize("chosen", [1, 3, 5])
def test_a_level_that_is_chosen_later_stays(chosen: int) -> None:
    assert level(between=f"cv2.setLogLevel({chosen})") == chosen


def test_a_level_of_the_environment_stays() -> None:
    assert level(OPENCV_LOG_LEVEL="ERROR") == 2
