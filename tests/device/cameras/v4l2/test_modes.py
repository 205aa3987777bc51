"""Which mode of a camera is chosen, from lists and with the shim's device."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.cameras.v4l2.modes import READABLE, Mode, ModeWish, parse_size, rank_modes

Run = Callable[..., "subprocess.CompletedProcess[str]"]

OPEN = """
import json, sys
from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.core.errors import printable

wishes = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(sys.argv[1]).items()}
try:
    with open_camera("0", options=CameraOptions(**wishes)) as camera:
        print(camera.description.partition(", ")[2])
        pixels = camera.read().rgb()
        assert f"{pixels.shape[1]}x{pixels.shape[0]} " in camera.description, pixels.shape
except EdgeinferError as error:
    print(error.exit_code, error)
"""

WEBCAM = {"FORMATS": "YUYV,MJPG", "SIZE": "640x480,320x240,1280x720", "BANDWIDTH": "20000000"}
"""As over USB 2: raw pictures of 1280x720 come at 10 a second."""


def mode(fourcc: str, width: int, height: int, *rates: float) -> Mode:
    return Mode(fourcc=fourcc, size=(width, height), rates=rates)


def best(*modes: Mode, **wish: Any) -> Mode:
    return rank_modes(list(modes), ModeWish(**wish))[0]


def test_smallest_raw_mode_that_covers() -> None:
    modes = [
        mode("MJPG", 320, 240, 30),
        mode("YUYV", 160, 120, 30),
        mode("YUYV", 640, 480, 30),
        mode("YUYV", 320, 240, 30, 15),
    ]
    assert best(*modes, covers=(224, 224)).size == (320, 240)
    assert best(*modes, covers=(224, 224)).fourcc == "YUYV"
    assert best(*modes, covers=(500, 100)).size == (640, 480)


def test_compressed_where_raw_is_slow() -> None:
    modes = [mode("YUYV", 1280, 720, 10), mode("MJPG", 1280, 720, 30)]
    assert best(*modes, covers=(640, 640)).fourcc == "MJPG"
    assert best(modes[0], mode("MJPG", 1280, 720, 5), covers=(640, 640)).fourcc == "YUYV"


def test_small_compressed_pictures_come_before_far_larger_raw_ones() -> None:
    modes = [mode("YUYV", 1920, 1080, 30), mode("MJPG", 320, 240, 30)]
    assert best(*modes, covers=(224, 224)).fourcc == "MJPG"


def test_colour_before_grey() -> None:
    modes = [mode("GREY", 320, 240, 30), mode("MJPG", 640, 480, 30)]
    assert best(*modes, covers=(224, 224)).fourcc == "MJPG"


def test_largest_where_none_covers() -> None:
    modes = [mode("YUYV", 320, 240, 30), mode("YUYV", 640, 480, 30)]
    assert best(*modes, covers=(1024, 1024)).size == (640, 480)


@pytest.mark.parametrize(
    ("rates", "fps", "chosen"),
    [
        ((60, 30, 15), None, 30),
        ((60, 30, 15), 60, 60),
        ((60, 30, 15), 20, 15),
        ((15, 10), None, 15),
        ((), None, None),
        ((), 12, 12),
    ],
)
def test_rate(rates: tuple[float, ...], fps: float | None, chosen: float | None) -> None:
    assert mode("YUYV", 640, 480, *rates).rate(fps) == chosen


modes_of_cameras = st.lists(
    st.builds(
        Mode,
        fourcc=st.sampled_from([*READABLE, "H264"]),
        size=st.tuples(st.integers(2, 4000), st.integers(2, 4000)),
        rates=st.lists(st.floats(1, 240), max_size=4).map(tuple),
    ),
    max_size=12,
)


@given(modes_of_cameras, st.integers(1, 2000), st.integers(1, 2000))
def test_every_readable_mode_is_ranked_once(modes: list[Mode], width: int, height: int) -> None:
    ranked = rank_modes(modes, ModeWish(covers=(width, height)))
    assert len(ranked) == sum(one.fourcc != "H264" for one in modes)
    covering = [one.size[0] >= width and one.size[1] >= height for one in ranked]
    assert covering == sorted(covering, reverse=True)


@pytest.mark.parametrize(
    "text", ["", "640", "640x", "x480", "0x480", "640x-1", "640x480x3", "1e3x2"]
)
def test_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="expected WIDTHxHEIGHT"):
        parse_size(text)


def test_size() -> None:
    assert parse_size("640x480") == (640, 480)


@pytest.mark.parametrize(
    ("wishes", "chosen"),
    [
        ({}, "640x480 YUYV, 30 frames/s"),
        ({"covers": [224, 224]}, "320x240 YUYV, 30 frames/s"),
        ({"covers": [641, 480]}, "1280x720 MJPG, 30 frames/s"),
        ({"covers": [3000, 3000]}, "1280x720 MJPG, 30 frames/s"),
        ({"size": [1280, 720], "fps": 8}, "1280x720 YUYV, 10 frames/s"),
        ({"pixel_format": "MJPG"}, "640x480 MJPG, 30 frames/s"),
        ({"fps": 15}, "640x480 YUYV, 15 frames/s"),
    ],
)
def test_mode_of_a_webcam(run_with_camera: Run, wishes: dict[str, object], chosen: str) -> None:
    done = run_with_camera(OPEN, json.dumps(wishes), **WEBCAM)
    assert (done.stdout.strip(), done.stderr) == (chosen, "")


def test_mode_that_it_has_not_is_wrong_usage(run_with_camera: Run) -> None:
    done = run_with_camera(OPEN, json.dumps({"size": [800, 600]}), **WEBCAM)
    assert done.stdout.startswith("2 /dev/video0: has no mode 800x600, expected 320x240 MJPG, ")


def test_driver_that_lists_no_sizes(run_with_camera: Run) -> None:
    done = run_with_camera(OPEN, json.dumps({"covers": [224, 224]}), UNLISTED="1")
    assert done.stdout.strip() == "640x480 YUYV, 30 frames/s"


def test_mode_that_does_not_work_gives_way_to_the_next(run_with_camera: Run) -> None:
    settings = {**WEBCAM, "LIE": "1", "SIZE": "1280x720"}
    done = run_with_camera(OPEN, json.dumps({}), **settings)
    assert done.stdout.strip() == "1280x720 YUYV, 10 frames/s"
