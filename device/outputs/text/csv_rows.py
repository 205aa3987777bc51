"""Rows of CSV, one for each answered frame; the columns are the same for every kind of prediction.

| column | |
|---|---|
| `sequence`, `time`, `age_ms`, `dropped`, `name`, `truth` | as in lines of JSON, see `json_lines` |
| `label_1`, `score_1`, ... `score_5` | best classes, surest objects or largest areas |
| `value`, `unit` | of a measured quantity; of several `angle=-12;throttle=0.4` and `deg;%` |
| `count` | of objects or people |
| `position_s` | as in lines of JSON |
| `low`, `high` | ends of a measured quantity's interval; of several as `value` |
| `numbers` | of objects that are followed, as `3;1`, in the order of the scores |
| `places` | what is counted at lines and in zones, as text |

What does not apply is empty; text that a spreadsheet would take for a formula has an apostrophe
before it. Source: RFC 4180, with line feeds alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.text.csv_cells import csv_cell
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.outputs.base import TOP_LABELS, Output, capture_time, iso_time
from edgeinfer.device.outputs.text.json_lines import POSITION_DIGITS, Writer

_RANKED = [f"{what}_{n}" for n in range(1, TOP_LABELS + 1) for what in ("label", "score")]
COLUMNS = (
    *("sequence", "time", "age_ms", "dropped", "name", "truth"),
    *_RANKED,
    *("value", "unit", "count"),
    "position_s",
    *("low", "high"),
    *("numbers", "places"),
)
EARLIER_COLUMNS = (COLUMNS[:-5], COLUMNS[:-4], COLUMNS[:-2])
"""What earlier versions wrote: such a file makes room for one with all columns."""


class CsvSink(Output):
    """One row for each answer; the writer's file has `csv_line(COLUMNS)` as its header."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def write(self, answer: Answer) -> None:
        """Append one row."""
        frame, prediction = answer.frame, answer.prediction
        row: dict[str, object] = {
            "sequence": frame.sequence,
            "time": iso_time(capture_time(frame)),
            "age_ms": round(answer.age_ms, 3),
            "dropped": self.dropped,
            "name": frame.name,
            "truth": frame.label,
            "position_s": None
            if frame.position_s is None
            else round(frame.position_s, POSITION_DIGITS),
        }
        for place, (label, score) in enumerate(prediction.ranked(TOP_LABELS), start=1):
            row |= {f"label_{place}": label, f"score_{place}": round(score, 6)}
        row |= prediction.cells()
        self._writer.write(csv_line([row.get(column) for column in COLUMNS]))

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


def csv_line(cells: Sequence[object]) -> str:
    """Return cells as one line; control characters are escaped, so that a row is a line."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(
        [csv_cell(printable(cell)) if isinstance(cell, str) else cell for cell in cells]
    )
    return text.getvalue()
