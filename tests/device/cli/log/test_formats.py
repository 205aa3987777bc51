"""The three shapes of events."""

from __future__ import annotations

import io
import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.cli.log.formats import LogFormat, formatter
from edgeinfer.device.cli.log.handler import StreamHandler
from edgeinfer.device.core.events import NOTICE, event
from tests.device.cli.log.scene import Scene, logger_to


def test_text_is_for_people() -> None:
    scene = Scene(before="\r")
    scene.log.info("model:   cats", extra=event("model"))
    scene.log.log(NOTICE, "rate back to 100 %", extra=event("rate-raised", percent=100))
    scene.log.warning("photo\n.png: no image")
    scene.log.error("it ended")
    assert scene.stream.getvalue() == (
        "\rmodel:   cats\n"
        "\rrate back to 100 %\n"
        "\rwarning: photo\\n.png: no image\n"
        "\rerror: it ended\n"
    )


def test_json_is_one_object_a_line() -> None:
    scene = Scene("json")
    scene.log.warning("%s:\n%d %%", "hot", 75, extra=event("rate-lowered", percent=75))
    (line,) = map(json.loads, scene.lines())
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {
        "priority": 4,
        "level": "warning",
        "event": "rate-lowered",
        "message": "hot:\\n75 %",
        "percent": 75,
    }


def test_json_names_every_level() -> None:
    scene = Scene("json")
    for level in (20, NOTICE, 30, 40):
        scene.log.log(level, "x")
    told = [json.loads(line) for line in scene.lines()]
    assert [(line["level"], line["priority"]) for line in told] == [
        ("info", 6),
        ("notice", 5),
        ("warning", 4),
        ("error", 3),
    ]
    assert [line["event"] for line in told] == ["info", "notice", "warning", "error"]


def test_journald_reads_the_priority_first() -> None:
    scene = Scene("journald")
    scene.log.info("camera:  /dev/video0", extra=event("camera"))
    scene.log.warning("hot", extra=event("rate-lowered", percent=75))
    scene.log.error("it ended")
    assert scene.lines() == [
        '<6>camera:  /dev/video0 {"event": "camera"}',
        '<4>hot {"event": "rate-lowered", "percent": 75}',
        '<3>it ended {"event": "error"}',
    ]


@given(st.text(), st.sampled_from(["text", "json", "journald"]))
def test_any_text_is_one_line(text: str, style: LogFormat) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    logger_to(StreamHandler(stream, formatter(style))).warning("%s", text)
    stream.seek(0)
    assert len(stream.read().split("\n")) == 2


@pytest.mark.parametrize("name", ["100%s.png", "%(x)d", "%", "{0}"])
def test_a_name_is_never_read_as_a_format(name: str) -> None:
    scene = Scene()
    for number in (1, 2):
        scene.log.warning("%s: try %d", name, number)
    scene.handler.catch_up(at_end=True)
    assert scene.lines() == [f"warning: {name}: try 1", f"warning: {name}: try 2"]
