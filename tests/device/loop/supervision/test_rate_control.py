"""A real pipeline on a board whose temperature the test sets."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cli.log.formats import JsonFormatter, TextFormatter
from edgeinfer.device.cli.log.handler import StreamHandler, handling
from edgeinfer.device.loop.pipeline import Pipeline
from edgeinfer.device.loop.supervision.rate_control import Heat
from edgeinfer.device.loop.supervision.rate_steps import Reading
from tests.device.loop.supervision.boards import FakeBoard
from tests.device.loop.test_pipeline import Counter, Echo
from tests.support.waiting import PATIENCE_S, until


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBoard:
    monkeypatch.setenv("EDGEINFER_SYSFS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("edgeinfer.device.loop.supervision.rate_control.RATE_OVER_S", 0.5)
    monkeypatch.setattr("edgeinfer.device.loop.supervision.rate_steps.CALM_S", 0.3)
    return FakeBoard(tmp_path)


class Scene:
    """A pipeline at about 100 answers a second, with what slows it down."""

    def __init__(self, *, max_fps: float | None = None) -> None:
        self.told = io.StringIO()
        camera: Camera = Counter(1 << 30, live=True, pause_s=0.01)
        self.pipeline = Pipeline(camera, [Echo()], max_fps=max_fps)
        self._hearing = ExitStack()
        handler = StreamHandler(self.told, JsonFormatter())
        self._hearing.enter_context(handling(handler, logging.INFO))
        self.heat = Heat(max_fps=max_fps, every_s=0.02)

    def close(self) -> None:
        self.heat.close()
        self.pipeline.close()
        self._hearing.close()

    def run(self, seconds: float) -> int:
        """Answer for a time and return how many answers that were."""
        start, answers = time.monotonic(), 0
        while time.monotonic() < start + seconds:
            if self.pipeline.next(0.05) is not None:
                answers += 1
                self.heat.answered()
            self.pipeline.max_fps = self.heat.look()
        return answers

    def measure(self) -> None:
        """Answer until the rate is known that is to be lowered."""
        until(lambda: self.run(0.3) >= 0 and self.heat._rates, "a measured rate")
        assert self.events() == []

    def run_until_told(self, events: int) -> list[dict[str, Any]]:
        """Answer until this many events were reported, and return them."""

        def told() -> bool:
            self.run(0.05)
            return self.told.getvalue().count("\n") >= events

        until(told, f"{events} events")
        return self.events()

    def events(self) -> list[dict[str, Any]]:
        """Return what was reported since the last call."""
        events = [json.loads(line) for line in self.told.getvalue().splitlines()]
        self.told.seek(0)
        self.told.truncate()
        return events


def rates(message: str) -> tuple[float, float]:
    """Return the rate to be held and the loop's own, as an event tells them."""
    match = re.search(r"\((\S+) of (\S+) answers/s\)", message)
    assert match is not None, message
    return float(match[1]), float(match[2])


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("edgeinfer-")]


def test_the_rate_follows_the_temperature_and_each_step_is_reported(
    board: FakeBoard, scene: Scene
) -> None:
    board.zone(50)
    scene.measure()
    for celsius, percent in ((75, 75), (78, 50), (81, 25)):
        board.zone(celsius)
        (event,) = scene.run_until_told(1)
        assert (event["event"], event["percent"], event["level"]) == (
            "rate-lowered",
            percent,
            "warning",
        )
        assert f"cpu-thermal {celsius}.0 °C" in event["message"]
        assert event["temperatures"] == {"cpu-thermal": celsius}
        assert ("cool the board" in event["message"]) == (percent == 25)
        limit_fps, own_fps = rates(event["message"])
        assert limit_fps == pytest.approx(own_fps * percent / 100, rel=0.02)
        assert scene.pipeline.max_fps == pytest.approx(limit_fps, rel=0.02)
        begun_s = time.monotonic()
        answers = scene.run(0.6)
        # As well as what the limit allows, there may be what was on its way.
        assert answers <= (time.monotonic() - begun_s) * 1.02 * limit_fps + 6
    assert scene.events() == []
    board.zone(60)
    assert [(e["event"], e["percent"]) for e in scene.run_until_told(3)] == [
        ("rate-raised", 50),
        ("rate-raised", 75),
        ("rate-raised", 100),
    ]
    assert scene.pipeline.max_fps is None


def test_the_users_own_limit_comes_back(board: FakeBoard) -> None:
    board.zone(50)
    scene = Scene(max_fps=40)
    scene.measure()
    board.zone(100)
    (event,) = scene.run_until_told(1)
    assert event["percent"] == 25
    assert scene.pipeline.max_fps is not None
    assert scene.pipeline.max_fps < 11
    board.zone(50)
    scene.run_until_told(3)
    assert scene.pipeline.max_fps == 40
    scene.close()


def test_a_weak_supply_is_reported_once_with_a_fix(board: FakeBoard, scene: Scene) -> None:
    board.throttled(0)
    scene.measure()
    board.throttled(0x10001)
    supply, *events = scene.run_until_told(2)
    assert supply["event"] == "undervoltage"
    assert "voltage is too low; use the power supply made for the board" in supply["message"]
    for bits in (0x10000, 0x10001):
        board.throttled(bits)
        events += scene.run_until_told(1)
    assert [event["percent"] for event in events] == [75, 100, 75]


def test_an_earlier_undervoltage_is_reported_too(board: FakeBoard, scene: Scene) -> None:
    board.throttled(0x10000)
    (event,) = scene.run_until_told(1)
    assert "was too low since the board started" in event["message"]


def test_a_sensor_that_fails_or_hangs_does_not_matter(board: FakeBoard) -> None:
    told, hangs, release = io.StringIO(), threading.Event(), threading.Event()
    readings = iter([OSError("remote I/O error")])

    def read() -> Reading:
        for error in readings:
            raise error
        hangs.set()
        release.wait(PATIENCE_S)
        return Reading()

    with handling(StreamHandler(told, TextFormatter()), logging.INFO):
        heat = Heat(read=read, every_s=0.01)
        assert hangs.wait(PATIENCE_S)
        for _ in range(100):
            assert heat.look() is None
    assert told.getvalue() == "warning: heat: cannot be read (remote I/O error)\n"
    release.set()
    heat.close()
