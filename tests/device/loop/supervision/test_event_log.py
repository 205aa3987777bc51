"""Events: their three shapes, what is left out, and streams that take nothing."""

from __future__ import annotations

import io
import json
import os
import threading
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.loop.supervision.event_log import EventLog, LogFormat, under_journald


class Clock:
    """Seconds that the test turns."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Scene:
    """A log into a string."""

    def __init__(self, style: LogFormat = "text", before: str = "") -> None:
        self.stream = io.StringIO()
        self.clock = Clock()
        self.log = EventLog(self.stream, style=style, before=before, clock=self.clock)

    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def test_text_is_for_people() -> None:
    scene = Scene(before="\r")
    scene.log.info("model", "model:   cats")
    scene.log.notice("rate-raised", "rate back to 100 %", percent=100)
    scene.log.warn("photo\n.png: no image")
    scene.log.error("it ended")
    assert scene.stream.getvalue() == (
        "\rmodel:   cats\n"
        "\rrate back to 100 %\n"
        "\rwarning: photo\\n.png: no image\n"
        "\rerror: it ended\n"
    )


def test_json_is_one_object_a_line() -> None:
    scene = Scene("json")
    scene.log.warning("rate-lowered", "hot:\n75 %", percent=75)
    (line,) = map(json.loads, scene.lines())
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {
        "priority": 4,
        "level": "warning",
        "event": "rate-lowered",
        "message": "hot:\\n75 %",
        "percent": 75,
    }


def test_journald_reads_the_priority_first() -> None:
    scene = Scene("journald")
    scene.log.info("camera", "camera:  /dev/video0")
    scene.log.warning("rate-lowered", "hot", percent=75)
    scene.log.error("it ended")
    assert scene.lines() == [
        '<6>camera:  /dev/video0 {"event": "camera"}',
        '<4>hot {"event": "rate-lowered", "percent": 75}',
        '<3>it ended {"event": "error"}',
    ]


def test_the_same_event_is_told_once_in_ten_seconds_and_counted() -> None:
    scene = Scene()
    for number in range(35):  # numbers by themselves make no other event
        scene.clock.now_s = number
        scene.log.warn(f"/dev/video0: silent for {number / 10} s; try {number}")
    assert scene.lines() == [
        "warning: /dev/video0: silent for 0.0 s; try 0",
        "warning: /dev/video0: silent for 1.0 s; try 10 (9 more like it before)",
        "warning: /dev/video0: silent for 2.0 s; try 20 (9 more like it before)",
        "warning: /dev/video0: silent for 3.0 s; try 30 (9 more like it before)",
    ]


def test_the_last_of_those_left_out_is_told_when_no_more_come() -> None:
    scene = Scene("json")
    for number in range(4):
        scene.clock.now_s = number
        scene.log.warning("away", f"camera: try {number}", number=number)
        scene.log.catch_up()
    scene.clock.now_s = 9.9
    scene.log.catch_up()
    assert len(scene.lines()) == 1
    for now_s in (10, 11, 30):
        scene.clock.now_s = now_s
        scene.log.catch_up()
    first, last = map(json.loads, scene.lines())
    assert (first["number"], last["number"], last["left_out"]) == (0, 3, 2)
    assert last["message"] == "camera: try 3 (2 more like it before)"


def test_at_the_end_nothing_stays_untold() -> None:
    scene = Scene()
    for number in range(2):
        scene.log.warn(f"camera: try {number}")
    scene.log.catch_up(at_end=True)
    scene.log.catch_up(at_end=True)
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
def test_other_events_are_told(one: str, other: str) -> None:
    scene = Scene()
    scene.log.warn(one)
    scene.log.warn(other)
    scene.log.warning("another", one)
    assert len(scene.lines()) == 3


def test_what_is_not_limited_is_told_each_time() -> None:
    scene = Scene("json")
    for percent in (75, 50, 25):
        scene.log.warning("rate-lowered", f"to {percent} %", limited=False)
    assert [json.loads(line)["message"] for line in scene.lines()] == [
        "to 75 %",
        "to 50 %",
        "to 25 %",
    ]


def test_a_month_of_other_events_takes_no_memory() -> None:
    scene = Scene()
    for number in range(10_000):
        scene.log.warn(f"/photos/{number}: no image")
    assert len(scene.log._kinds) <= 256


@given(st.text(), st.sampled_from(["text", "json", "journald"]))
def test_any_text_is_one_line(text: str, style: LogFormat) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    EventLog(stream, style=style).warn(text)
    stream.seek(0)
    assert len(stream.read().split("\n")) == 2


def test_threads_do_not_mix_lines() -> None:
    scene = Scene("json")

    def tell(name: str) -> None:
        for number in range(200):
            scene.log.warn(f"{name}/{number}: x")

    threads = [threading.Thread(target=tell, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([json.loads(line) for line in scene.lines()]) == 800


@pytest.mark.parametrize("kind", ["absent", "closed", "full"])
def test_a_stream_that_takes_nothing_ends_nothing(kind: str) -> None:
    if kind == "absent":
        EventLog(None).warn("x")
        return
    stream = open("/dev/full", "w")  # noqa: SIM115
    if kind == "closed":
        stream.close()
    EventLog(stream).warn("x")
    if kind == "full":
        with pytest.raises(OSError, match="No space left"):
            stream.close()


def test_the_journal_is_known_by_device_and_inode(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w") as journal, (tmp_path / "other").open("w") as other:
        status = os.fstat(journal.fileno())
        environment = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert under_journald(journal.fileno(), environment)
        assert not under_journald(other.fileno(), environment)
        assert not under_journald(journal.fileno(), {})
        descriptor = journal.fileno()
    assert not under_journald(descriptor, environment)
