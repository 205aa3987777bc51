"""What `flash` came to, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgeinfer.device.errors import printable
from edgeinfer.host.flashing.result import HostResult
from edgeinfer.host.flashing.telling import size_text


def result_lines(result: HostResult) -> list[str]:
    """Say what became of one host."""
    if result.outcome == "planned":
        return [
            f"dry run: nothing was changed on {result.host}; flash would",
            *(f"  {number}. {step}" for number, step in enumerate(result.steps, 1)),
        ]
    lines = []
    if result.answers is not None:
        lines.append(f"live:    {result.answers} answers, the last {answer_text(result.last)}")
    if result.outcome == "unchanged":
        lines.append(
            f"release {result.release} runs on {result.host} already: nothing was sent, nothing "
            "was restarted"
            if not result.sent_bytes
            else f"release {result.release} runs on {result.host} already and was not restarted"
        )
        return lines
    steps = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result.seconds.items())
    lines.append(f"took:    {steps}")
    before = "nothing" if result.previous is None else f"release {result.previous}"
    if result.outcome == "confirmed":
        lines.append(f"release {result.release} runs on {result.host}; before it: {before}")
    return [printable(line) for line in lines]


def failure_text(result: HostResult) -> str:
    """Say why a release that was installed does not run."""
    runs = "nothing runs there" if result.previous is None else f"release {result.previous} runs on"
    return f"release {result.release} was not kept ({result.reason or 'no reason'}); {runs}"


def answer_text(last: Mapping[str, Any] | None) -> str:
    """Return an answer, as a line of JSON has it, in a few words."""
    if not last:
        return "not told"
    if "label" in last:
        probability = last.get("probability")
        share = f" {probability:.2f}" if isinstance(probability, int | float) else ""
        return f"{last['label']}{share}"
    if "value" in last:
        return f"{last['value']} {last.get('unit', '')}".strip()
    known = {key: value for key, value in last.items() if isinstance(value, list)}
    for key, value in known.items():
        return f"{len(value)} {key}"
    return "without a label"


def table_lines(results: Sequence[HostResult]) -> list[str]:
    """Return one row a host."""
    rows = [("host", "outcome", "release", "before", "sent", "seconds", "last answer or reason")]
    for result in results:
        seconds = sum(result.seconds.values())
        reason = result.reason if not result.good else answer_text(result.last)
        rows.append(
            (
                result.host,
                result.outcome,
                "" if result.release is None else str(result.release),
                "" if result.previous is None else str(result.previous),
                size_text(result.sent_bytes) if result.sent_bytes else "",
                f"{seconds:.0f}" if seconds else "",
                "" if result.outcome == "planned" else printable(reason),
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]

    def line(row: tuple[str, ...]) -> str:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        return "  ".join([*cells, row[-1]]).rstrip()

    return [line(row) for row in rows]
