"""Drivers that announce what cannot be, odd sizes, raw values, several planes: the shim's."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.v4l2.modes import READABLE

Run = Callable[..., "subprocess.CompletedProcess[str]"]

LOOK = """
import json, os, sys
from edgeinfer.device.cameras.list_cameras import list_cameras
from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import EdgeinferError

def look(wishes):
    report = {"lines": list_cameras().camera_lines()}
    wishes = {k: tuple(v) if isinstance(v, list) else v for k, v in wishes.items()}
    try:
        with open_camera("0", options=CameraOptions(timeout_s=5.0, **wishes)) as camera:
            report["description"] = camera.description
            for _ in range(2):
                frame = camera.read()
            pixels = frame.rgb()
            report["size"], report["format"] = frame.size, frame.format
            middle = pixels.shape[0] // 2
            report["left"] = pixels[middle, 0].tolist()
            report["right"] = pixels[middle, -1].tolist()
    except EdgeinferError as error:
        report["error"], report["exit_code"] = str(error), error.exit_code
    return report

reports = []
for settings, wishes in json.loads(sys.argv[1]):
    own = {f"FAKEV4L2_{name}": value for name, value in settings.items()}
    os.environ.update(own)
    reports.append(look(wishes))
    for name in own:
        del os.environ[name]
print(json.dumps(reports))
"""

Wishes = Mapping[str, object]


def look_at(
    run: Run, cases: Sequence[tuple[Mapping[str, str], Wishes]], **settings: str
) -> list[dict[str, Any]]:
    """Open a camera of each (settings of the shim, options), one after the other in one process."""
    done = run(LOOK, json.dumps(cases), **settings)
    assert done.returncode == 0, done.stderr
    reports: list[dict[str, Any]] = json.loads(done.stdout)
    return reports


def look(run: Run, wishes: Wishes | None = None, /, **settings: str) -> dict[str, Any]:
    (report,) = look_at(run, [({}, wishes or {})], **settings)
    return report


def assert_red_and_blue(report: dict[str, Any]) -> None:
    assert "error" not in report, report["error"]
    left, right = report["left"], report["right"]
    assert (left[0] > 240, max(left[1:]) < 15) == (True, True), left
    assert (right[2] > 240, max(right[:2]) < 15) == (True, True), right


def assert_refused(report: dict[str, Any], *said: str, exit_code: int = 1) -> None:
    assert report.get("exit_code") == exit_code, report
    for part in said:
        assert part in report["error"]


IN_SPITE: list[tuple[dict[str, str], list[int]]] = [
    ({"SIZE": "641x481"}, [640, 481]),
    ({"SIZE": "161x120", "PADDING": "6"}, [160, 120]),
    ({"SIZE": "161x121", "FORMATS": "NV12"}, [160, 120]),
    ({"SIZE": "321x241", "ROW_BYTES": "0"}, [320, 241]),
    ({"SIZE": "0x0,640x480"}, [640, 480]),
    ({"SIZE": "640x480,0x480,640x0"}, [640, 480]),
    ({"ROW_BYTES": "0"}, [640, 480]),
    ({"ROW_BYTES": "640"}, [640, 480]),
    ({"ROW_BYTES": "4294967295"}, [640, 480]),
    ({"ROW_BYTES": "1281"}, [640, 480]),
    ({"PADDING": "64", "FORMATS": "NV12"}, [640, 480]),
    ({"FORMATS": "NV12", "ROW_BYTES": "1000000"}, [640, 480]),
]


def test_pictures_in_spite_of_what_is_announced(run_with_camera: Run) -> None:
    reports = look_at(run_with_camera, [(settings, {}) for settings, _ in IN_SPITE])
    for (settings, size), report in zip(IN_SPITE, reports, strict=True):
        assert_red_and_blue(report)
        assert report["size"] == size, settings
        assert not any(re.search(r"\b0x|x0\b", line) for line in report["lines"])


UNUSABLE: list[tuple[dict[str, str], tuple[str, ...]]] = [
    ({"ANSWER": "0x0"}, ("sends 0x0 YUYV, expected 640x480 YUYV",)),
    ({"ANSWER": "0x480", "FORMATS": "MJPG"}, ("sends 0x480 MJPG, expected 640x480 MJPG",)),
    ({"ANSWER": "1x480"}, ("sends 1x480 YUYV",)),
    ({"ANSWER": "640x1", "FORMATS": "NV12"}, ("sends 640x1 NV12",)),
    (
        {"ANSWER": "4294967295x4294967295", "FPS": "1000"},
        ("30 damaged pictures in a row, the last one of 614,400 bytes, expected ",),
    ),
    (
        {"BUFFER_BYTES": "4096", "FPS": "1000"},
        ("the last one of 4,096 bytes, expected 614,400 bytes of 640x480 YUYV",),
    ),
    ({"BUFFER_BYTES": "1", "FPS": "1000"}, ("the last one of 1 bytes",)),
    (
        {"ROW_BYTES": "2000", "PADDING": "8", "FPS": "1000"},
        ("of 618,240 bytes", "(the driver announces rows of 2,000 bytes)"),
    ),
]


def test_what_cannot_be_used_is_the_cameras_error(run_with_camera: Run) -> None:
    reports = look_at(run_with_camera, [(settings, {}) for settings, _ in UNUSABLE])
    for (_, said), report in zip(UNUSABLE, reports, strict=True):
        assert_refused(report, "/dev/video0: ", "--camera-size and --camera-format", *said)


def test_buffers_without_bytes(run_with_camera: Run) -> None:
    report = look(run_with_camera, MULTI_PLANAR="1", BUFFER_BYTES="0")
    assert_refused(report, "/dev/video0: cannot be opened (the driver's buffers have no bytes)")


PLANES: list[tuple[dict[str, str], list[int]]] = [
    ({"FORMATS": "NV12"}, [640, 480]),
    ({"FORMATS": "NM12"}, [640, 480]),
    ({"FORMATS": "YM12", "PADDING": "32"}, [640, 480]),
    ({"FORMATS": "NM12", "PADDING": "64", "HEADER": "4096"}, [640, 480]),
    ({"FORMATS": "NM12", "SIZE": "641x481"}, [640, 480]),
    ({"FORMATS": "NM12", "ROW_BYTES": "0"}, [640, 480]),
    ({"FORMATS": "YM12", "ROW_BYTES": "1000000"}, [640, 480]),
    ({"FORMATS": "YUYV"}, [640, 480]),
    ({"FORMATS": "MJPG"}, [640, 480]),
    ({"FORMATS": "YUYV,MJPG", "UNLISTED": "1"}, [640, 480]),
    ({"FORMATS": "NM12", "NUM_PLANES": "255"}, [640, 480]),
]


def test_several_planes_of_memory(run_with_camera: Run) -> None:
    cases: list[tuple[dict[str, str], Wishes]] = [(settings, {}) for settings, _ in PLANES]
    reports = look_at(run_with_camera, cases, MULTI_PLANAR="1")
    for (settings, size), report in zip(PLANES, reports, strict=True):
        assert_red_and_blue(report)
        assert report["size"] == size, settings
        assert "/dev/video0  Test camera, platform:fakev4l2" in report["lines"]


@pytest.mark.parametrize("count", ["0", "1"])
def test_planes_that_are_missing(run_with_camera: Run, count: str) -> None:
    report = look(run_with_camera, MULTI_PLANAR="1", FORMATS="NM12", NUM_PLANES=count)
    assert_refused(report, f"/dev/video0: sends NM12 in {count} planes of memory, expected 2")


def test_codecs_are_not_cameras(run_with_camera: Run) -> None:
    report = look(run_with_camera, MULTI_PLANAR="1", MODE="codec")
    assert_refused(report, "/dev/video0: does not capture video")
    assert "no camera found" in report["lines"][0]


@pytest.mark.parametrize("name", ["Y16 ", "Y16B"])
def test_raw_values_are_scaled_by_the_users_range(run_with_camera: Run, name: str) -> None:
    fourcc = {"Y16 ": "Y16", "Y16B": "Y16-BE"}[name]
    wishes: Mapping[str, object] = {"raw_range": [7500, 8600]}
    report = look(run_with_camera, wishes, FORMATS=f"YUYV,{name}", RAW="8000,9000", SIZE="160x120")
    assert report["description"] == f"/dev/video0 (Test camera), 160x120 {fourcc}, 30 frames/s"
    assert report["format"] == "grey"
    assert (report["left"], report["right"]) == ([116] * 3, [255] * 3)  # 255 * 500 / 1100


@pytest.mark.parametrize(
    ("name", "wishes", "left"),
    [("Y10 ", {}, 127), ("Y12 ", {}, 32), ("Y10 ", {"raw_range": [400, 600]}, 140)],
)
def test_formats_that_define_a_range(
    run_with_camera: Run, name: str, wishes: Mapping[str, object], left: int
) -> None:
    report = look(run_with_camera, wishes, FORMATS=name, RAW="510,1023", SIZE="161x121")
    assert report["size"] == [161, 121]
    assert report["left"] == [left] * 3


UNKNOWN_RANGES: list[tuple[dict[str, str], Wishes, str]] = [
    ({"FORMATS": "Y16 "}, {}, "from 7000 to 9000 in the first picture"),
    (
        {"FORMATS": "YUYV,Y16 "},
        {"pixel_format": "Y16"},
        "give for example --camera-range 7000,9000",
    ),
    ({"FORMATS": "Y16B", "RAW": "300,300"}, {}, "give for example --camera-range 300,301"),
    (
        {"FORMATS": "Y16 ", "RAW": "65535,65535"},
        {},
        "give for example --camera-range 65534,65535",
    ),
    ({"FORMATS": "Y16 ", "PADDING": "7", "RAW": "1,2"}, {}, "from 1 to 2 in"),
]


def test_a_range_is_never_guessed(run_with_camera: Run) -> None:
    cases = [(settings, wishes) for settings, wishes, _ in UNKNOWN_RANGES]
    reports = look_at(run_with_camera, cases, SIZE="160x120")
    for (_, _, said), report in zip(UNKNOWN_RANGES, reports, strict=True):
        assert_refused(report, "expected --camera-range LOW,HIGH", said, exit_code=2)


def test_other_formats_come_before_raw_values(run_with_camera: Run) -> None:
    report = look(run_with_camera, FORMATS="Y16 ,YUYV")
    assert_red_and_blue(report)
    assert "  Y16  (16-bit grey: needs --camera-range LOW,HIGH)" in report["lines"]
    assert any("<- without a model" in line for line in report["lines"][-8:])


@pytest.mark.parametrize(
    ("formats", "wishes", "said"),
    [
        ("YUYV,MJPG", {}, "is given, and /dev/video0 sends YUYV, MJPG, expected a camera that"),
        ("GREY", {}, "/dev/video0 sends GREY"),
        ("YUYV,Y16 ", {"pixel_format": "YUYV"}, "/dev/video0 sends YUYV, expected"),
    ],
)
def test_a_range_that_no_format_takes_is_refused(
    run_with_camera: Run, formats: str, wishes: Mapping[str, object], said: str
) -> None:
    report = look(run_with_camera, {"raw_range": [0, 9], **wishes}, FORMATS=formats)
    assert_refused(report, "--camera-range: ", said, exit_code=2)


@pytest.mark.parametrize("raw_range", [(5, 5), (9, 3), (-1, 3), (0, 65_536)])
def test_impossible_ranges(raw_range: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected low < high from 0 to 65535"):
        CameraOptions(raw_range=raw_range)


NUMBERS = """
import ctypes, json, random, sys
from pathlib import Path
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.v4l2 import abi, planes_abi
from edgeinfer.device.cameras.v4l2.camera import V4l2Camera
from edgeinfer.device.core.errors import EdgeinferError

random.seed(int(sys.argv[1]))
honest = abi.call
STRANGE = (0, 1, 2, 3, 255, 641, 2**16, 2**31, 2**32 - 1)

def numbers(structure):
    for name, kind, *_ in getattr(structure, "_fields_", ()):
        if kind in (ctypes.c_uint32, ctypes.c_uint8):
            yield structure, name

def call(descriptor, request, argument):
    honest(descriptor, request, argument)
    fields = []
    if request == abi.VIDIOC_S_FMT:
        planar = argument.type == planes_abi.BUF_TYPE_VIDEO_CAPTURE_MPLANE
        pix = planes_abi.planes_format(argument) if planar else argument.fmt.pix
        fields += numbers(pix)
        if planar:
            fields += [one for plane in pix.plane_fmt for one in numbers(plane)]
    elif request == abi.VIDIOC_DQBUF:
        fields += [(argument, name) for name in ("index", "bytesused", "flags", "sequence")]
        fields += [(argument.timestamp, name) for name in ("tv_sec", "tv_usec")]
    elif not isinstance(argument, abi.Capability) and request not in (
        abi.VIDIOC_QUERYBUF, abi.VIDIOC_REQBUFS, abi.VIDIOC_QBUF
    ):
        fields += numbers(argument)
    for structure, name in fields:
        if random.random() < 0.1:
            setattr(structure, name, random.choice(STRANGE))

abi.call = call
outcomes = []
for _ in range(40):
    options = CameraOptions(timeout_s=0.2, raw_range=random.choice([None, (3, 900)]))
    try:
        with V4l2Camera(Path("/dev/video0"), options) as camera:
            camera.read()
        outcomes.append("")
    except EdgeinferError as error:
        outcomes.append(str(error))
print(json.dumps(outcomes))
"""


@pytest.mark.parametrize(
    "settings",
    [
        {"FORMATS": "YUYV,Y16 ,MJPG", "SIZE": "320x240"},
        {"FORMATS": "NM12,NV12", "MULTI_PLANAR": "1", "SIZE": "64x48,33x17"},
    ],
)
def test_any_numbers_of_a_driver_are_pictures_or_the_cameras_error(
    run_with_camera: Run, settings: dict[str, str]
) -> None:
    done = run_with_camera(NUMBERS, "1", FPS="1000", **settings)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert outcomes.count("") >= 2
    assert len(set(outcomes)) >= 4
    assert all("/dev/video0" in outcome for outcome in outcomes if outcome)


def test_names_of_all_formats_are_different() -> None:
    assert len(set(READABLE)) == len(READABLE)
