"""RTSP from a real server: no picture is reported as younger than it is.

The pictures show when they were captured, see `clock_server`. Delays that a receiver cannot know
are kept small: the encoders hold nothing back.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.recovery.reconnect import SteadyCamera
from edgeinfer.device.pictures.frame import Frame
from tests.support.told import tell
from tests.support.waiting import PATIENCE_S
from tests.system.rtsp.relay import Relay
from tests.system.rtsp.server import Server, clock_server, shown_clock_ms

pytestmark = pytest.mark.system

YOUNGER_BY_MS = 200
"""No picture may be reported as younger than it is by more."""
RATE_S = 1 / 15


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with clock_server() as running:
        yield running


@dataclass
class Seen:
    """What a camera gave, and what was true.

    Attributes:
        younger_ms: by how much each picture was reported as younger than it is.
        ages_ms: how old each truly was when it was given.
        damaged: pictures whose clock cannot be read.
    """

    younger_ms: list[float] = field(default_factory=list)
    ages_ms: list[float] = field(default_factory=list)
    damaged: int = 0

    def look(self, frame: Frame | None) -> None:
        """Compare a picture's clock with what was reported of it."""
        assert frame is not None
        now_ms = time.monotonic_ns() / 1e6
        clock_ms = shown_clock_ms(frame.pixels)
        if clock_ms is None:
            self.damaged += 1
            return
        self.younger_ms.append(frame.captured_ns / 1e6 - clock_ms)
        self.ages_ms.append(now_ms - clock_ms)

    def told(self) -> str:
        """Return the distribution, one line."""
        low, middle, high = np.percentile(self.younger_ms, [1, 50, 99])
        wrong = sum(1 for one in self.younger_ms if one > YOUNGER_BY_MS)
        return (
            f"{len(self.younger_ms)} pictures reported younger by {min(self.younger_ms):.0f} to"
            f" {max(self.younger_ms):.0f} ms (1 % {low:.0f}, median {middle:.0f}, 99 % {high:.0f});"
            f" by more than {YOUNGER_BY_MS} ms: {wrong}; oldest {max(self.ages_ms):.0f} ms;"
            f" {self.damaged} damaged"
        )


def watch(camera: Camera, seen: Seen, until: Callable[[], bool], then: int) -> None:
    """Look at pictures until something has happened, and at some more."""
    end_s = time.monotonic() + PATIENCE_S
    while not until():
        assert time.monotonic() < end_s
        seen.look(camera.read())
    for _ in range(then):
        seen.look(camera.read())


def stall(server: Server, relay: Relay, kind: str, length_s: float) -> threading.Timer:
    """Have the network keep pictures, or the server capture none, for some time."""
    if kind != "server":
        relay.hold()
    if kind != "network":
        server.stop()

    def end() -> None:
        if kind != "network":
            server.go_on()
        relay.release()

    timer = threading.Timer(length_s, end)
    timer.start()
    return timer


def follow(
    config: pytest.Config,
    server: Server,
    stream: str,
    *,
    stalls: int,
    reconnections: int,
    longest_s: float,
) -> Seen:
    """Watch a stream that stalls and breaks off."""
    seen, length = Seen(), random.Random(stream)
    with (
        Relay(server.port) as relay,
        open_camera(
            f"rtsp://127.0.0.1:{relay.port}/{stream}", options=CameraOptions(timeout_s=5)
        ) as camera,
    ):
        assert isinstance(camera, SteadyCamera)
        watch(camera, seen, lambda: True, 10)
        for number in range(stalls):
            kind = ("network", "server", "both")[number % 3]
            timer = stall(server, relay, kind, length.uniform(0.5, longest_s))
            watch(camera, seen, lambda: not timer.is_alive(), 10)  # noqa: B023
            timer.join()
        for number in range(reconnections):
            before = camera.reopenings
            if number % 2:
                camera.restart("a test asks for it")
            else:
                relay.cut()
            watch(camera, seen, lambda: camera.reopenings > before, 5)  # noqa: B023
        assert camera.reopenings >= reconnections
        assert camera.dropped > 0
        text = f"{stream}: {seen.told()}; {camera.reopenings} reconnections, {camera.dropped} old"
    tell(config, "RTSP: pictures reported younger than they are", text)
    return seen


@pytest.mark.parametrize("stream", ["h264-tcp", "hevc-tcp"])
def test_no_picture_is_reported_younger_than_it_is(
    pytestconfig: pytest.Config, server: Server, stream: str
) -> None:
    seen = follow(pytestconfig, server, stream, stalls=3, reconnections=3, longest_s=2)
    assert max(seen.younger_ms) <= YOUNGER_BY_MS


@pytest.mark.long
@pytest.mark.parametrize("stream", ["h264", "h264-tcp", "hevc", "hevc-tcp"])
def test_fifty_stalls_and_fifty_reconnections(
    pytestconfig: pytest.Config, server: Server, stream: str
) -> None:
    seen = follow(pytestconfig, server, stream, stalls=50, reconnections=50, longest_s=6)
    assert max(seen.younger_ms) <= YOUNGER_BY_MS
    assert len(seen.younger_ms) >= 500
