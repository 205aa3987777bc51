"""A camera that is away: signs of life go on, models are replaced, and the end does not wait."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.device.loop.supervision.loops import Loop
from tests.device.loop.supervision.manager import Manager
from tests.system.v4l2_shim.steering import Steering


class Scene:
    """A loop with a V4L2 camera that the test steers, and a manager whose watchdog waits 2 s."""

    def __init__(self, folder: Path, shim: dict[str, str], bundle: Path) -> None:
        self.steering = Steering(folder / "control")
        self.manager = Manager(folder)
        self.loop = Loop(
            *("--camera", "/dev/video0", "--model", bundle, "--json"),
            env={**shim, **self.steering.environment, **self.manager.environment(watchdog_s=2)},
        )


@pytest.fixture
def scene(tmp_path: Path, v4l2_shim: dict[str, str], sample_bundle: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path, v4l2_shim, sample_bundle)
    with scene.manager:
        yield scene
        scene.loop.process.kill()


def test_a_lost_camera_is_not_a_hang_and_the_model_can_be_replaced_meanwhile(scene: Scene) -> None:
    loop, manager = scene.loop, scene.manager
    manager.wait_for("WATCHDOG")
    scene.steering.unplug()
    loop.wait_for_event("/dev/video0")
    while manager.listen():  # what it said before
        pass
    for _ in range(6):  # one every half a second: longer than the watchdog waits
        manager.wait_for("WATCHDOG")
    loop.signal(signal.SIGHUP)
    loop.wait_for_event("reloaded: fashion-mnist")
    scene.steering.plug()
    loop.wait_for_event("delivers pictures again")
    loop.wait_for_answers(5)
    loop.signal(signal.SIGTERM)
    assert loop.end() == 0
    sequences = [answer["sequence"] for answer in loop.answers()]
    assert sequences == sorted(set(sequences))


@pytest.mark.parametrize("fault", ["unplug", "hang", "silent"])
def test_the_end_does_not_wait_for_a_camera(scene: Scene, fault: str) -> None:
    scene.loop.wait_for_answers(3)
    scene.steering.fault(fault)
    time.sleep(0.5)
    scene.loop.signal(signal.SIGTERM)
    assert scene.loop.end() == 0  # though the fault goes on
    summary = json.loads(scene.loop.out[-1])["summary"]
    assert summary["frames"] == len(scene.loop.answers())
    assert not [line for line in scene.loop.err if "something hangs" in line]
