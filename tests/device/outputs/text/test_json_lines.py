from __future__ import annotations

import io
import json
import re
import time
from datetime import datetime, timedelta, timezone

from edgeinfer.device.outputs.base import capture_time, iso_time
from edgeinfer.device.outputs.text.json_lines import JsonLinesSink, answer_to_json
from edgeinfer.device.outputs.text.writer import TextWriter
from tests.device.outputs.examples import SUMMARY, answer


def test_the_lines_are_what_the_schema_promises() -> None:
    stream = io.StringIO()
    sink = JsonLinesSink(TextWriter(stream))
    sink.dropped = 3
    sink.write(answer(truth="dog", name="a\udcff.jpg", sequence=7))
    sink.finish(SUMMARY)
    first, last = (json.loads(line) for line in stream.getvalue().splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
    assert first == {
        "schema": 1,
        "sequence": 7,
        "name": "a\udcff.jpg",
        "label": "cat",
        "probability": 0.9,
        "top": [{"label": "cat", "probability": 0.9}, {"label": "dog", "probability": 0.1}],
        "truth": "dog",
        "age_ms": 12.346,
        "dropped": 3,
    }
    assert last == {"schema": 1, "summary": SUMMARY.to_json()}


def test_of_a_video_it_tells_the_position_in_it() -> None:
    told = answer_to_json(answer(name="clip.mp4", position_s=1.001000049), 0)
    assert (told["name"], told["position_s"]) == ("clip.mp4", 1.001)
    assert answer_to_json(answer(position_s=0.0), 0)["position_s"] == 0


def test_the_time_is_that_of_the_capture_however_long_the_line_waited() -> None:
    before = datetime.now(timezone.utc)
    waited = answer(captured_ns=time.monotonic_ns() - 90 * 10**9)
    stamp = capture_time(waited.frame)
    # Two clocks are read one after the other, and the time is written in milliseconds.
    spare = timedelta(milliseconds=100)
    assert before - spare < stamp + timedelta(seconds=90) < datetime.now(timezone.utc) + spare


def test_time_as_text() -> None:
    moment = datetime(2026, 11, 24, 1, 2, 3, 45_678, tzinfo=timezone.utc)
    assert iso_time(moment) == "2026-11-24T01:02:03.045Z"
