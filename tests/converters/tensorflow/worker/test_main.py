"""What a job reports, line by line."""

from __future__ import annotations

import io
import json

from edgeinfer.converters.tensorflow.worker.main import LineReporter


def test_steps_are_reported_a_few_times_a_second_and_none_is_lost() -> None:
    stream = io.StringIO()
    reporter = LineReporter(stream)
    reporter.start("train", 10_000)
    for _ in range(10_000):
        reporter.advance(note="loss 1")
    reporter.say("epoch 1")
    reporter.end()
    messages = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(messages) < 100
    assert messages[0] == {"start": "train", "total": 10_000}
    assert sum(message.get("advance", 0) for message in messages) == 10_000
    assert {"say": "epoch 1"} in messages
