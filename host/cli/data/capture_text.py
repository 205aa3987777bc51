"""What `edgeinfer data capture` says: which keys there are, and at its end what was saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.model_file import command_line

if TYPE_CHECKING:
    from edgeinfer.host.data.capture.capture import Captured
    from edgeinfer.host.data.capture.settings import CaptureSettings


def printable_cells(line: str) -> str:
    """Return a line with its tabs, and other control characters escaped."""
    return "\t".join(printable(cell) for cell in line.split("\t"))


def key_lines(settings: CaptureSettings) -> list[str]:
    """Return what the keys do."""
    if not settings.keyed:
        return ["Ctrl-C ends"]
    if settings.value is not None:
        return [f"a number and Enter: save with that {settings.value.name}; u: undo; q: end"]
    return [
        *(f"{one.key}: save as {printable(one.label)}" for one in settings.labels),
        "u: take the last picture back; q: end",
    ]


def to_json(out: Path, captured: Captured) -> str:
    """Return what was saved as one JSON object."""
    return json.dumps(
        {
            "out": str(out),
            "saved": captured.saved,
            "equal": captured.equal,
            "blurred": captured.blurred,
            "damaged": captured.damaged,
            "ended": captured.ended,
            "error": None if captured.failure is None else str(captured.failure),
        }
    )


_ENDED = {
    "key": "",
    "stopped": "stopped: ",
    "frames": "",
    "seconds": "",
    "source": "the source has ended: ",
    "failed": "",
}


def print_summary(out: Path, captured: Captured, settings: CaptureSettings) -> None:
    """Print why the capture ended, and what it kept."""
    counts = ", ".join(f"{printable(name)} {count:,}" for name, count in captured.saved.items())
    many = f"{captured.count:,} picture{'s' * (captured.count != 1)}"
    where = f"kept in {printable(str(out))} ({counts})" if captured.count else "kept"
    say(f"{_ENDED[captured.ended]}{many} {where}")
    for count, what in (
        (captured.equal, "equal to one that was saved"),
        (captured.blurred, "less sharp than usual"),
        (captured.damaged, "damaged"),
    ):
        if count:
            say(f"not saved: {count:,} {what}")
    if captured.count and captured.failure is None and settings.value is None:
        say(f"next: {command_line('data', 'check', out)}")
