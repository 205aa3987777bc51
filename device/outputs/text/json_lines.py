"""Lines of JSON, for scripts. `SCHEMA` changes when what a key means does; keys may be added.

One object for each answered frame:

| key | |
|---|---|
| `schema` | 1 |
| `sequence` | the source's count of frames, from 0; dropped ones are missing |
| `time` | when the frame was captured, by the wall clock, ISO 8601, UTC |
| `name` | the file it came from, for sources of files |
| `position_s` | when it is shown in a video file, in seconds from its first frame |
| `label`, `probability`, `top` | of a classification: the best class and the five best |
| `value`, `unit`, `low`, `high` | of a measured quantity; the ends of its interval where known |
| `truth` | the true class, where the source knows it |
| `age_ms` | from capture to prediction, on the monotonic clock |
| `dropped` | answers that this output lost so far |

and at the end one `{"schema": 1, "summary": {...}}`, see `LoopSummary.to_json`. Other
kinds of prediction have the keys of their `to_json`.
"""

from __future__ import annotations

import json
from typing import Protocol

from edgeinfer.device.loop.results import Answer, LoopSummary
from edgeinfer.device.outputs.base import Output, capture_time, iso_time

SCHEMA = 1
POSITION_DIGITS = 4
"""A video of 1,000 frames a second has a frame a millisecond."""
LINE_BEGINS = '{"schema": '
"""How every line begins, by which a file of them is recognised."""


class Writer(Protocol):
    """Where text goes: `TextWriter` or `LineFile`."""

    def write(self, text: str) -> None:
        """Write it; raises as `Output.write` does."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


def answer_to_json(answer: Answer, dropped: int) -> dict[str, object]:
    """Return the object that stands for an answer.

    Args:
        answer: the answer.
        dropped: answers that the output lost so far.
    """
    frame = answer.frame
    told: dict[str, object] = {
        "schema": SCHEMA,
        "sequence": frame.sequence,
        "time": iso_time(capture_time(frame)),
    }
    if frame.name is not None:
        told["name"] = frame.name
    if frame.position_s is not None:
        told["position_s"] = round(frame.position_s, POSITION_DIGITS)
    told |= answer.prediction.to_json()
    if frame.label is not None:
        told["truth"] = frame.label
    told["age_ms"] = round(answer.age_ms, 3)
    told["dropped"] = dropped
    return told


class JsonLinesSink(Output):
    """One JSON object a line for each answer; the last line is the summary's."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def write(self, answer: Answer) -> None:
        """Print one line."""
        self._writer.write(json.dumps(answer_to_json(answer, self.dropped)) + "\n")

    def finish(self, summary: LoopSummary) -> None:
        """Print the summary."""
        line = {"schema": SCHEMA, "summary": summary.to_json()}
        self._writer.write(json.dumps(line) + "\n")

    def close(self) -> None:
        """Release the stream or file."""
        self._writer.close()
