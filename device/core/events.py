"""What a log record holds in addition to its line: the event's name, its fields, and how often it
comes.

Every module reports through `logging`; all loggers are below
`edgeinfer`. Without a handler nothing is shown: the program `edgeinfer` brings its own
(`device/cli/log/`), a script the one that it likes.
"""

from __future__ import annotations

import logging

NOTICE = (logging.INFO + logging.WARNING) // 2
"""The level of what changes how the work goes on, though nothing is wrong."""
logging.addLevelName(NOTICE, "NOTICE")


def event(name: str, *, limited: bool = True, **fields: object) -> dict[str, object]:
    """Return the `extra` of a log record.

    Args:
        name: of the event, for programs; the line is for people.
        limited: the program `edgeinfer` reports the same event at most every few seconds. False for
            one that cannot come often by itself: each is reported.
        fields: what the line says, for programs.
    """
    return {"event": name, "fields": fields, "limited": limited}
