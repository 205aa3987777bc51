"""Findings as text and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from edgeinfer.device.core.text.wrapping import COLUMNS, wrap
from edgeinfer.device.diagnose.doctor.finding import Finding, State

WIDTH = COLUMNS
_INDENT = " " * 6
_SUBJECT_WIDTH = 16

_MARKS: dict[State, str] = {"ok": "✓", "note": "•", "broken": "✗"}
_PLAIN_MARKS: dict[State, str] = {"ok": "+", "note": "-", "broken": "X"}


def can_show_marks(encoding: str | None) -> bool:
    """Return whether the encoding of an output has ticks and crosses."""
    try:
        "".join(_MARKS.values()).encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def mark(state: State, *, marks: bool) -> str:
    """Return the sign of a state."""
    return (_MARKS if marks else _PLAIN_MARKS)[state]


def finding_lines(finding: Finding, *, marks: bool = True, width: int = WIDTH) -> list[str]:
    """Return a finding as lines of at most `width`: what was found, what was expected, what to do.

    Longer words such as paths stay whole, so that a command can be copied.
    """
    lead = f"  {mark(finding.state, marks=marks)} {finding.subject:<{_SUBJECT_WIDTH}} "
    lines = _wrap(finding.got, width, first=lead, rest=" " * (5 + _SUBJECT_WIDTH))
    if finding.state == "ok":
        return lines
    if finding.expected:
        lines += _wrap(finding.expected, width, first=f"{_INDENT}expected ", rest=_INDENT)
    if finding.fix:
        lines += _wrap(finding.fix, width, first=f"{_INDENT}fix: ", rest=f"{_INDENT}     ")
    return lines


def _wrap(text: str, width: int, *, first: str, rest: str) -> list[str]:
    return wrap(f"{first}{text}".rstrip(), width, rest)


def summary_line(findings: Sequence[Finding]) -> str:
    """Return the counts, and the names of what is broken, which may have scrolled out of sight."""
    counts = {state: sum(f.state == state for f in findings) for state in ("broken", "note", "ok")}
    if not counts["broken"]:
        notes = f", {_counted(counts['note'], 'note')}" if counts["note"] else ""
        return f"nothing is broken: {counts['ok']} in order{notes}"
    names = ", ".join(dict.fromkeys(f.subject for f in findings if f.state == "broken"))
    return (
        f"{counts['broken']} broken, {_counted(counts['note'], 'note')}, {counts['ok']} in order: "
        f"see {names}"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def finding_json(check: str, finding: Finding) -> dict[str, str]:
    """Return a finding for programs.

    Keys: `check` (the heading), `subject`, `state` (`ok`, `note`, `broken`), `got`, `expected`,
    `fix`.
    """
    return {"check": check, **dataclasses.asdict(finding)}
