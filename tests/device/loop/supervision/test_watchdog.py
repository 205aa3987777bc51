"""Signs of life: while answers come or the camera is being sought, and not otherwise."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.loop.supervision.sd_notify import Notifier
from edgeinfer.device.loop.supervision.watchdog import Watchdog
from edgeinfer.device.pictures.frame import Frame
from tests.device.loop.supervision.loops import Loop
from tests.device.loop.supervision.manager import Manager
from tests.support.waiting import until


class Source(Camera):
    """A camera whose state the test sets."""

    def read(self) -> Frame | None:
        return None


class Scene:
    """A watchdog of 8 s, whose clock the test turns."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.now_s = 1000.0
        self.camera = Source()
        self.notifier = Notifier(manager.environment(watchdog_s=8))
        self.watchdog = Watchdog(self.notifier, self.camera, clock=lambda: self.now_s)

    def pass_time(
        self, seconds: float, *, answer_every_s: float | None = None, max_fps: float | None = None
    ) -> list[str]:
        """Let time pass in steps of 0.25 s, with answers or without; return what was said."""
        said: list[str] = []
        for step in range(1, round(seconds * 4) + 1):
            self.now_s += 0.25
            if answer_every_s is not None and step % round(answer_every_s * 4) == 0:
                self.watchdog.answered()
            self.watchdog.look(max_fps)
            said += [key for message in self.manager.listen() for key in message]
        return said


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Manager(tmp_path) as manager:
        scene = Scene(manager)
        yield scene
        scene.notifier.close()


def test_ready_once_after_the_first_answer(scene: Scene) -> None:
    assert scene.pass_time(20) == []
    said = scene.pass_time(20, answer_every_s=0.25)
    assert said.count("READY") == 1
    assert said[0] == "READY"


def test_signs_of_life_come_in_time_while_answers_come(scene: Scene) -> None:
    said = scene.pass_time(40, answer_every_s=0.5)
    assert 40 / 8 * 2 <= said.count("WATCHDOG") <= 40
    assert said.count("STATUS") == 1 + 4  # with READY, and every 10 s


def test_a_hang_ends_the_signs_of_life(scene: Scene) -> None:
    scene.pass_time(20, answer_every_s=0.5)
    scene.pass_time(4)  # what was still due
    assert "WATCHDOG" not in scene.pass_time(60)
    assert "WATCHDOG" in scene.pass_time(4, answer_every_s=0.5)


def test_a_reconnect_is_not_a_hang(scene: Scene) -> None:
    scene.pass_time(20, answer_every_s=0.5)
    scene.camera.recovering = True
    assert scene.pass_time(600).count("WATCHDOG") >= 600 / 8
    scene.camera.recovering = False
    scene.pass_time(4)
    assert "WATCHDOG" not in scene.pass_time(60)  # back, and yet no answers


def test_an_outage_does_not_make_it_more_patient(scene: Scene) -> None:
    scene.pass_time(20, answer_every_s=0.5)
    scene.camera.recovering = True
    scene.pass_time(600)
    scene.camera.recovering = False
    scene.pass_time(5, answer_every_s=0.5)
    scene.pass_time(4)
    assert "WATCHDOG" not in scene.pass_time(60)


def test_a_slow_loop_is_not_a_hang(scene: Scene) -> None:
    scene.pass_time(100, answer_every_s=20, max_fps=1 / 20)
    assert scene.pass_time(200, answer_every_s=20, max_fps=1 / 20).count("WATCHDOG") >= 200 / 8
    other = scene.pass_time(200, answer_every_s=20)  # as with --every
    assert other.count("WATCHDOG") >= 200 / 8
    scene.pass_time(80)
    assert "WATCHDOG" not in scene.pass_time(60)


def test_starting_may_take_longer_during_a_reconnect(scene: Scene) -> None:
    scene.camera.recovering = True
    said = scene.pass_time(60)
    assert set(said) == {"EXTEND_TIMEOUT_USEC"}
    assert 2 <= len(said) <= 60
    scene.camera.recovering = False
    scene.pass_time(4)
    assert scene.pass_time(60) == []


def test_the_running_program_says_it(
    tmp_path: Path, sample_bundle: Path, class_folder: Path
) -> None:
    with Manager(tmp_path) as manager:
        loop = Loop(
            *("--camera", f"simulated:{class_folder}", "--model", sample_bundle, "--json"),
            env=manager.environment(watchdog_s=2),
        )
        ready = manager.wait_for("READY")
        assert ready["STATUS"] == "answering"
        until(lambda: bool(loop.out))  # it came after the first answer
        manager.wait_for("WATCHDOG")
        loop.signal(signal.SIGHUP)
        manager.wait_for("RELOADING")
        manager.wait_for("READY")
        loop.wait_for_event("reloaded")
        loop.signal(signal.SIGTERM)
        manager.wait_for("STOPPING")
        assert loop.end() == 0


def test_a_stopped_process_gives_no_signs_of_life(
    tmp_path: Path, sample_bundle: Path, class_folder: Path
) -> None:
    with Manager(tmp_path) as manager:
        loop = Loop(
            *("--camera", f"simulated:{class_folder}", "--model", sample_bundle, "--json"),
            env=manager.environment(watchdog_s=1),
        )
        manager.wait_for("WATCHDOG")
        loop.signal(signal.SIGSTOP)
        status = Path(f"/proc/{loop.process.pid}/status")
        until(lambda: "State:\tT" in status.read_text(), "its stop")
        while manager.listen():  # what it said before
            pass
        assert manager.listen(1.5) == []
        loop.signal(signal.SIGCONT)
        manager.wait_for("WATCHDOG")
        loop.signal(signal.SIGTERM)
        assert loop.end() == 0
