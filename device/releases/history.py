"""What happened to the board's releases, the last of it."""

from __future__ import annotations

import json
import time

from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.untrusted_json import parse_json

MOST_LINES = 100


def now_text() -> str:
    """Return the wall clock for people; nothing is ordered by it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def read_history(layout: Layout) -> list[dict[str, object]]:
    """Return the events, oldest first; what cannot be read is left out."""
    try:
        lines = layout.history.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    events = []
    for line in lines:
        try:
            event = parse_json(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            events.append(event)
    return events


def note(layout: Layout, event: str, **fields: object) -> None:
    """Add an event; the oldest go when they are too many.

    Raises:
        StorageError: it cannot be written.
    """
    events = [*read_history(layout), {"event": event, "time": now_text(), **fields}]
    lines = (json.dumps(event) + "\n" for event in events[-MOST_LINES:])
    write_atomically(layout.history, "".join(lines))
