"""Sources that go on through faults: scripted ones, and the shim's camera in separate processes.

A scripted source stands for what no shim can play: one that never returns.
"""

from __future__ import annotations

import gc
import json
import subprocess
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.recovery.reconnect import CONNECTION, SPARE_S, SteadyCamera
from edgeinfer.device.core.errors import CameraError, UsageError
from edgeinfer.device.pictures.frame import Frame
from tests.support.waiting import PATIENCE_S, until
from tests.system.v4l2_shim.steering import Steering

Run = Callable[..., "subprocess.CompletedProcess[str]"]

QUICK: dict[str, Any] = {"first_delay_s": 0.01, "last_delay_s": 0.04}


class Scripted(Camera):
    """Gives frames; a string is an error, an event is waited for, None is the end."""

    live = True
    description = "scripted"

    def __init__(self, script: list[str | threading.Event | int | None]) -> None:
        self._script = script
        self._sequence = 0
        self.closed = False

    def read(self) -> Frame | None:
        step = self._script.pop(0)
        if isinstance(step, str):
            raise CameraError("scripted", got=step)
        if isinstance(step, threading.Event):
            step.wait()
            return None
        if step is None:
            return None
        frame = Frame(
            pixels=np.full((2, 2, 3), step, np.uint8),
            sequence=self._sequence,
            captured_ns=time.monotonic_ns(),
        )
        self._sequence += 1
        return frame

    def close(self) -> None:
        self.closed = True


class Opener:
    """Opens the scripted sources in turn; an error in their place is raised."""

    def __init__(self, *sources: Scripted | Exception) -> None:
        self._sources = list(sources)
        self.times: list[float] = []

    def __call__(self) -> Camera:
        self.times.append(time.monotonic())
        source = self._sources.pop(0)
        if isinstance(source, Exception):
            try:
                raise source
            finally:
                del source  # to which its traceback would lead
        return source


def frames(camera: SteadyCamera, count: int) -> list[tuple[int, int]]:
    """Read frames: number and content."""
    read = [camera.read() for _ in range(count)]
    return [(frame.sequence, int(frame.pixels[0, 0, 0])) for frame in read if frame is not None]


ABSENT = CameraError("scripted", got="is not connected")


def test_source_that_fails_is_opened_again_and_numbers_go_on(logged: list[str]) -> None:
    first, second = Scripted([7, 8, "was unplugged"]), Scripted([9, None])
    opener = Opener(first, ABSENT, ABSENT, second, Scripted([10, 11]))
    with SteadyCamera(opener, **QUICK) as camera:
        assert frames(camera, 5) == [(0, 7), (1, 8), (2, 9), (3, 10), (4, 11)]
        assert camera.reopenings == 2
        assert first.closed
        assert second.closed
    assert [line.split(" after ")[0] for line in logged] == [
        "scripted: was unplugged; opening it again",
        "scripted: is not connected; trying again",  # once, though it was tried twice
        "scripted: delivers pictures again",
        "scripted: ended; opening it again",
        "scripted: delivers pictures again",
    ]


def test_waits_grow_between_attempts_and_start_short_again_after_pictures() -> None:
    opener = Opener(Scripted([0, "failed"]), *[ABSENT] * 5, Scripted([1]))
    with SteadyCamera(opener, first_delay_s=0.02, last_delay_s=0.1) as camera:
        frames(camera, 2)
    waits = np.diff(opener.times)[0:]
    # 0.02, 0.04, 0.08, then 0.1, each a fifth shorter or longer.
    assert waits[0] >= 0.016
    assert waits[2] >= 0.064
    assert (waits[3:] >= 0.08).all()


def test_first_opening_that_fails_is_an_error_without_a_retry() -> None:
    with pytest.raises(CameraError, match="is not connected"):
        SteadyCamera(Opener(ABSENT), **QUICK)


def test_first_opening_can_be_waited_for(logged: list[str]) -> None:
    opener = Opener(ABSENT, ABSENT, Scripted([5]))
    with SteadyCamera(opener, wait=True, **QUICK) as camera:
        assert frames(camera, 1) == [(0, 5)]
    assert logged[0] == "scripted: is not connected; waiting for it"
    assert len(logged) == 2


def test_wrong_usage_is_not_waited_for() -> None:
    with pytest.raises(UsageError):
        SteadyCamera(Opener(UsageError("scripted", got="has no such mode")), wait=True, **QUICK)


def test_a_bug_is_not_taken_for_a_fault_of_the_camera() -> None:
    with (
        SteadyCamera(Opener(Scripted([1]), ABSENT), **QUICK) as camera,
        pytest.raises(IndexError),  # the script has ended
    ):
        frames(camera, 2)


def test_source_that_hangs_is_left_to_itself(logged: list[str]) -> None:
    hanging, released = Scripted([1, threading.Event()]), threading.Event()
    hanging._script[1] = released
    opener = Opener(hanging, Scripted([2, 3]))
    # Long enough for the other source to answer on a busy machine.
    with SteadyCamera(opener, timeout_s=2, **QUICK) as camera:
        assert frames(camera, 3) == [(0, 1), (1, 2), (2, 3)]
        assert logged[0].startswith(f"scripted: hangs in its driver for {SPARE_S + 2:.3g} s")
        assert not hanging.closed
        released.set()
        until(lambda: hanging.closed)


def test_closing_does_not_wait_for_a_driver_that_hangs() -> None:
    released = threading.Event()
    camera = SteadyCamera(Opener(Scripted([released])), timeout_s=2 * PATIENCE_S)
    results: list[Frame | None] = []
    reader = threading.Thread(target=lambda: results.append(camera.read()))
    reader.start()
    camera.close()
    reader.join(PATIENCE_S)
    assert results == [None]  # and the driver hangs still
    assert camera.read() is None
    released.set()


def interrupted(camera: SteadyCamera) -> Frame | None:
    """Read a picture that does not come, and interrupt that: again and again until it has begun."""
    results: list[Frame | None] = []
    reader = threading.Thread(target=lambda: results.append(camera.read()))
    reader.start()
    while reader.is_alive():
        camera.interrupt()
        reader.join(0.01)
    return results[0]


def test_interruption_ends_one_read_and_not_the_next() -> None:
    released = threading.Event()
    opener = Opener(Scripted([released, 4]), Scripted([5]))
    with SteadyCamera(opener, timeout_s=PATIENCE_S, **QUICK) as camera:
        assert interrupted(camera) is None
        threading.Timer(0.05, released.set).start()
        assert frames(camera, 1) == [(0, 5)]  # the first had ended: opened again


def test_interruption_ends_the_wait_for_a_camera_that_is_away() -> None:
    opener = Opener(Scripted(["gone"]), *[ABSENT] * 1000)
    with SteadyCamera(opener, first_delay_s=PATIENCE_S) as camera:
        assert interrupted(camera) is None


def test_skipping() -> None:
    with SteadyCamera(Opener(Scripted([1, 2, "gone"]), Scripted([3, 4])), **QUICK) as camera:
        assert camera.skip()
        assert frames(camera, 1) == [(1, 2)]
        assert camera.skip()
        assert frames(camera, 1) == [(3, 4)]


def test_unusable_pictures_are_a_reason_to_open_the_camera_again(logged: list[str]) -> None:
    opener = Opener(Scripted([1, 2]), Scripted([3]))
    with SteadyCamera(opener, **QUICK) as camera:
        frames(camera, 1)
        assert camera.restart("30 damaged pictures in a row")
        assert frames(camera, 1) == [(1, 3)]
    assert logged[0] == "scripted: 30 damaged pictures in a row; opening it again"


FAULTS = """
import json, sys, threading, time
from pathlib import Path
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.recovery.reconnect import SteadyCamera
from edgeinfer.device.cameras.v4l2.opener import V4l2Opener
from tests.support.logged import hearing
from tests.system.v4l2_shim.steering import Steering, picture_number

steering = Steering(Path(sys.argv[1]))
report = {"told": [], "numbers": [], "sequences": [], "since_ms": []}
opener = V4l2Opener(None, CameraOptions(timeout_s=0.3))
ends, healed = [], [0]

def heal(end):
    healed.append(time.monotonic_ns())
    end()

def told(line):
    report["told"].append(line)
    if ends:  # the fault was noticed: it ends some time later
        threading.Timer(0.5, heal, [ends.pop()]).start()

LISTENER = hearing(told)
LISTENER.__enter__()
camera = SteadyCamera(opener, timeout_s=0.3, first_delay_s=0.02, last_delay_s=0.1)

def read(count):
    for _ in range(count):
        frame = camera.read()
        report["numbers"].append(picture_number(frame.pixels, frame.format))
        report["sequences"].append(frame.sequence)
        report["since_ms"].append((frame.captured_ns - healed[-1]) / 1e6)

read(3)
for count, fault in enumerate(sys.argv[2:], start=1):
    known = len(report["told"])
    if fault == "unplug":
        ends.append(lambda: steering.plug("/dev/video4"))
        steering.unplug()
    else:
        ends.append(steering.heal)
        steering.fault(fault)
    while len(healed) == count or len(report["told"]) < known + 2:  # the fault and its end
        read(1)
    report["since_ms"].clear()
    read(3)
report["skipped"], report["reopenings"] = camera.skipped_files, camera.reopenings
camera.close()
print(json.dumps(report))
"""


@pytest.mark.parametrize(
    ("pixel_format", "faults"),
    [
        ("YUYV", ["eio", "silent", "repeat", "cut"]),
        ("YUYV", ["size", "hang", "unplug"]),
        ("MJPG", ["cut", "damaged", "other", "unplug"]),
    ],
)
def test_every_fault_is_reported_and_survived_and_no_picture_is_repeated_or_incomplete(
    run_with_camera: Run,
    v4l2_shim: dict[str, str],
    tmp_path: Path,
    pixel_format: str,
    faults: list[str],
) -> None:
    control = tmp_path / "control"
    done = run_with_camera(
        FAULTS,
        str(control),
        *faults,
        FORMATS=pixel_format,
        OTHER_JPEG=f"{v4l2_shim['FAKEV4L2_FOLDER']}/smaller.jpg",
        **{name.removeprefix("FAKEV4L2_"): v for name, v in Steering(control).environment.items()},
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["reopenings"] >= len(faults)
    for key in ("numbers", "sequences"):
        assert (np.diff(report[key]) > 0).all(), report[key]
    # What it saw before the fault was over is never given.
    assert min(report["since_ms"]) > 0
    if "unplug" in faults:
        assert report["told"][-1].startswith("/dev/video4 (Test camera), 640x480")


IDENTITY = """
import json, sys
from pathlib import Path
from edgeinfer.device.cameras.v4l2 import devices
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.v4l2.opener import V4l2Opener
from edgeinfer.device.core.errors import CameraError
from tests.system.v4l2_shim.steering import Steering

steering = Steering(Path(sys.argv[1]))
devices.LINKS = Path(sys.argv[2])
open_it = V4l2Opener(Path("/dev/video2"), CameraOptions())
steering.plug("/dev/video2")
with open_it() as camera:
    print(camera.found.link)
steering.unplug()
for link in Path(sys.argv[2]).glob("*"):
    link.unlink()
try:
    open_it()
except CameraError as error:
    print(error)
steering.plug("/dev/video5")
with open_it() as camera:
    print(camera.found.path)
"""


@pytest.mark.parametrize("linked", [False, True])
def test_camera_is_known_again_under_another_number_and_no_other_takes_its_place(
    run_with_camera: Run, tmp_path: Path, linked: bool
) -> None:
    control, links = tmp_path / "control", tmp_path / "by-id"
    links.mkdir()
    link = links / "usb-Test_camera-video-index0"
    if linked:
        link.symlink_to("/dev/video2")
    done = run_with_camera(
        IDENTITY, str(control), str(links), CONTROL=str(control), OTHER_PATH="/dev/video3"
    )
    assert done.stdout.splitlines() == [
        str(link) if linked else "None",
        "/dev/video2 (Test camera): is not connected; connected: /dev/video3 (Other camera)",
        "/dev/video5",
    ], done.stderr


@pytest.mark.parametrize("fault", ["EIO", None])
def test_a_source_that_failed_is_freed_immediately(fault: str | None) -> None:
    """Its frames' memory would wait for the garbage collector, which rarely looks in a loop."""
    first = Scripted([1, fault])
    ends = weakref.ref(first)
    opener = Opener(first, Scripted([2, 3]))
    del first
    gc.disable()
    try:
        with SteadyCamera(opener, **QUICK) as camera:
            assert frames(camera, 3) == [(0, 1), (1, 2), (2, 3)]
            assert ends() is None
    finally:
        gc.enable()


def test_an_opening_that_failed_is_freed_immediately() -> None:
    error = CameraError("scripted", got="not there")
    ends = weakref.ref(error)
    opener = Opener(Scripted([1, "EIO"]), error, Scripted([2]))
    del error
    gc.disable()
    try:
        with SteadyCamera(opener, **QUICK) as camera:
            assert len(frames(camera, 2)) == 2
            assert ends() is None
    finally:
        gc.enable()


FORGOTTEN = """
import gc, json, sys, threading
from pathlib import Path
from edgeinfer.device.cameras.frame_pool import FramePool
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.recovery.reconnect import SteadyCamera
from edgeinfer.device.cameras.v4l2.camera import V4l2Camera
from edgeinfer.device.cameras.v4l2.opener import V4l2Opener
from tests.support.logged import hearing
from tests.system.v4l2_shim.steering import Steering

steering, told, left, faulty = Steering(Path(sys.argv[1])), [], [], []

def hear(line):
    told.append(line)
    if faulty:  # the fault was noticed: it ends some time later
        threading.Timer(0.2, faulty.pop()).start()

opener = V4l2Opener(None, CameraOptions(timeout_s=0.3))
gc.disable()
with hearing(hear), SteadyCamera(
    opener, timeout_s=0.3, first_delay_s=0.02, last_delay_s=0.1
) as camera:
    for fault in sys.argv[2:]:
        known = len(told)
        faulty.append(steering.heal)
        steering.fault(fault)
        while len(told) < known + 2:  # the fault and its end
            camera.read()
        kinds = [type(item).__name__ for item in gc.get_objects()]
        left.append([kinds.count("V4l2Camera"), kinds.count("FramePool")])
print(json.dumps(left))
"""


def test_no_memory_of_a_camera_that_failed_is_kept(
    run_with_camera: Run, v4l2_shim: dict[str, str], tmp_path: Path
) -> None:
    control = tmp_path / "control"
    settings = {
        name.removeprefix("FAKEV4L2_"): v for name, v in Steering(control).environment.items()
    }
    faults = ("eio", "silent", "eio")
    done = run_with_camera(FORGOTTEN, str(control), *faults, FORMATS="YUYV", **settings)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[1, 1]] * len(faults)


def test_waiting_for_a_source_may_be_given_up() -> None:
    tries: list[float] = []

    def fail() -> Camera:
        tries.append(time.monotonic())
        raise CameraError("scripted", got="is not there")

    start = time.monotonic()
    with pytest.raises(CameraError, match="is not there"):
        SteadyCamera(fail, wait=True, give_up_s=2, **QUICK)
    assert time.monotonic() - start >= 2
    assert len(tries) > 2  # of some fifty


def test_what_hangs_is_named_for_what_it_is(logged: list[str]) -> None:
    never = threading.Event()
    with SteadyCamera(
        lambda: Scripted([1, never]),
        timeout_s=0.01 - SPARE_S + 0.2,
        holder=CONNECTION,
        **QUICK,
    ) as camera:
        assert camera.read() is not None
        results: list[Frame | None] = []

        def read() -> None:
            while (frame := camera.read()) is not None:
                results.append(frame)

        reader = threading.Thread(target=read)
        reader.start()
        until(lambda: logged)
        while reader.is_alive():
            camera.interrupt()
            reader.join(0.01)
        never.set()
    assert logged[0] == "scripted: hangs in its connection for 0.21 s; opening it again"
