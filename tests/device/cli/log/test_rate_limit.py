"""What is reported, what is skipped, and when that is reported later."""

from __future__ import annotations

import json

import pytest

from edgeinfer.device.core.events import event
from tests.device.cli.log.scene import Scene


def test_the_same_event_is_reported_once_in_ten_seconds_and_counted() -> None:
    scene = Scene()
    for number in range(35):  # numbers by themselves make no other event
        scene.clock.now_s = number
        scene.log.warning("/dev/video0: silent for %.1f s; try %d", number / 10, number)
    assert scene.lines() == [
        "warning: /dev/video0: silent for 0.0 s; try 0",
        "warning: /dev/video0: silent for 1.0 s; try 10 (9 more like it before)",
        "warning: /dev/video0: silent for 2.0 s; try 20 (9 more like it before)",
        "warning: /dev/video0: silent for 3.0 s; try 30 (9 more like it before)",
    ]


def test_the_last_skipped_event_is_reported_when_it_stops() -> None:
    scene = Scene("json")
    for number in range(4):
        scene.clock.now_s = number
        scene.log.warning("camera: try %d", number, extra=event("away", number=number))
        scene.handler.catch_up()
    scene.clock.now_s = 9.9
    scene.handler.catch_up()
    assert len(scene.lines()) == 1
    for now_s in (10, 11, 30):
        scene.clock.now_s = now_s
        scene.handler.catch_up()
    first, last = map(json.loads, scene.lines())
    assert (first["number"], last["number"], last["left_out"]) == (0, 3, 2)
    assert last["message"] == "camera: try 3 (2 more like it before)"


def test_at_the_end_everything_has_been_reported() -> None:
    scene = Scene()
    for number in range(2):
        scene.log.warning("camera: try %d", number)
    scene.handler.catch_up(at_end=True)
    scene.handler.catch_up(at_end=True)
    assert scene.lines() == ["warning: camera: try 0", "warning: camera: try 1"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/dev/video0: unplugged", "/dev/video1: unplugged"),
        ("dark/1.png: no image", "dark/2.png: no image"),
        ("usb-0:1.2: away", "usb-0:1.3: away"),
        ("it is away", "it is back"),
    ],
)
def test_other_events_are_reported(one: str, other: str) -> None:
    scene = Scene()
    scene.log.warning("%s", one)
    scene.log.warning("%s", other)
    scene.log.warning("%s", one, extra=event("another"))
    assert len(scene.lines()) == 3


def test_an_event_without_a_limit_is_reported_each_time() -> None:
    scene = Scene("json")
    for percent in (75, 50, 25):
        scene.log.warning("to %d %%", percent, extra=event("rate-lowered", limited=False))
    assert [json.loads(line)["message"] for line in scene.lines()] == [
        "to 75 %",
        "to 50 %",
        "to 25 %",
    ]


def test_a_month_of_other_events_takes_no_memory() -> None:
    scene = Scene()
    for number in range(10_000):
        scene.log.warning("/photos/%d: no image", number)
    assert len(scene.limit._kinds) <= 256


def test_an_error_that_was_left_out_is_not_kept() -> None:
    scene = Scene()
    for number in range(2):
        scene.log.warning("%s", ValueError(number))
    (kind,) = scene.limit._kinds.values()
    assert kind.last is not None
    assert (kind.last.getMessage(), kind.last.args) == ("1", None)
