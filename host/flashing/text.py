"""The results of `flash` and `unflash`, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgeinfer.device.core.errors import printable
from edgeinfer.host.flashing.progress import size_text
from edgeinfer.host.flashing.result import HostResult

_LONG = ("collect", "send", "install", "try")
_ANSWER_CHARACTERS = 200
NAME_WIDTH = 9
"""Width of the short names before the lines of one board."""


def named_line(name: str, text: str) -> str:
    """Return a line under a short name."""
    return f"{name:<{NAME_WIDTH}} {text}"


def result_lines(result: HostResult) -> list[str]:
    """Return the lines about one host with a good outcome, or with `--dry-run`."""
    host = result.host
    if result.outcome == "planned":
        steps = [f"  {number:2}. {step}" for number, step in enumerate(result.steps, 1)]
        total = ""
        if result.sent_bytes:
            total = f" ({result.sent_files} files, {size_text(result.sent_bytes)} in all)"
        return [f"dry run, nothing was changed on {host}; it would{total}", *map(printable, steps)]
    if result.outcome == "nothing there":
        return [f"edgeinfer is not installed on {host}"]
    if result.outcome == "removed":
        lines = [named_line("removed", step) for step in result.steps]
        return [*map(printable, lines), f"edgeinfer was removed from {host}"]
    lines = []
    if result.answers is not None:
        answers = f"{result.answers} answers, the last: {answer_text(result.last)}"
        lines.append(named_line("live", answers))
    if result.outcome == "unchanged":
        sent = "it was not restarted" if result.sent_bytes else "nothing was sent or restarted"
        lines.append(f"release {result.release} already runs on {host}: {sent}")
    elif result.outcome == "confirmed":
        lines.append(named_line("took", took_text(result)))
        before = "" if result.previous is None else f"; before it ran release {result.previous}"
        lines.append(f"release {result.release} runs on {host}{before}")
    return [printable(line) for line in lines]


def took_text(result: HostResult) -> str:
    """Return how long the work took, and the long steps of it."""
    total = sum(result.seconds.values())
    steps = {name: result.seconds[name] for name in _LONG if name in result.seconds}
    parts = [f"{name} {seconds:.1f}" for name, seconds in steps.items()]
    parts.append(f"the rest {total - sum(steps.values()):.1f}")
    return f"{total:.1f} s: {', '.join(parts)}"


def failure_text(result: HostResult) -> str:
    """Say in one sentence why the release does not run, and which one does."""
    reason = result.reason or "it gives no reason"
    now = "nothing runs there" if result.current is None else f"release {result.current} runs there"
    sentence = {
        "rolled back": f"release {result.release} was tried and rolled back ({reason})",
        "refused": f"release {result.release} did not pass `verify` ({reason})",
        "not healthy": f"release {result.release}, which runs there, does not answer ({reason})",
    }.get(result.outcome)
    if sentence is None:
        return reason
    return sentence if result.outcome == "not healthy" else f"{sentence}; {now}"


def answer_text(last: Mapping[str, Any] | None) -> str:
    """Return an answer from a line of JSON in a few words; a board may send anything."""
    return _answer(last)[:_ANSWER_CHARACTERS]


def _answer(last: Mapping[str, Any] | None) -> str:
    if not last:
        return "not told"
    if "label" in last:
        probability = last.get("probability")
        share = f" {probability:.2f}" if isinstance(probability, int | float) else ""
        return printable(f"{last['label']}{share}")
    if "value" in last:
        return printable(f"{last['value']} {last.get('unit', '')}".strip())
    for key, value in last.items():
        if isinstance(value, list):
            return printable(f"{len(value)} {key}")
    return "without a label"


def table_lines(results: Sequence[HostResult]) -> list[str]:
    """Return one row for each host, and below them the reasons of the failed ones."""
    rows = [("host", "outcome", "release", "sent", "seconds", "last answer")]
    for result in results:
        seconds = sum(result.seconds.values())
        release = result.current if result.release is None else result.release
        rows.append(
            (
                result.host,
                result.outcome,
                "" if release is None else str(release),
                size_text(result.sent_bytes) if result.sent_bytes else "",
                f"{seconds:.0f}" if seconds else "",
                answer_text(result.last) if result.last and result.good else "",
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]

    def line(row: tuple[str, ...]) -> str:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        return "  ".join([*cells, row[-1]]).rstrip()

    failures = [result for result in results if not result.good]
    return [
        *(line(row) for row in rows),
        *(reason_line(result) for result in failures),
    ]


def reason_line(result: HostResult, *, alone: bool = False) -> str:
    """Return why a host failed, with its name; a local error has its own subject if it is alone."""
    reason = printable(failure_text(result))
    named = reason.startswith(result.host) or (alone and result.outcome == "failed")
    return reason if named else f"{result.host}: {reason}"


def failures_line(results: Sequence[HostResult]) -> str:
    """Return how many of several hosts failed, and how many were therefore left alone."""
    alone = [result.host for result in results if result.outcome == "left alone"]
    failed = [result.host for result in results if not result.good and result.host not in alone]
    told = f"{len(failed)} of {len(results)} boards failed: {', '.join(failed)}"
    if alone:
        told += f"; {len(alone)} left alone, nothing was changed there: {', '.join(alone)}"
    return printable(told)
