"""Answers for people, on a terminal or as lines of text."""

from __future__ import annotations

import shutil
import time
import unicodedata
from typing import TextIO

from edgeinfer.device.core.errors import printable
from edgeinfer.device.loop.results import Answer, LoopSummary
from edgeinfer.device.outputs.base import Output
from edgeinfer.device.outputs.text.writer import TextWriter

CLEAR_TO_END = "\x1b[K"
REPAINT_S = 1 / 15
"""A terminal is not repainted more often; nobody reads faster."""
LINE_EVERY_S = 1.0


class TerminalSink(Output):
    """Answers for people: one line rewritten in place, or, into a file, a line per change.

    Into a file or pipe a line is printed when the answer changes and once a second.
    """

    def __init__(self, stream: TextIO) -> None:
        self._writer = TextWriter(stream)
        self._in_place = stream.isatty()
        self._shown: str | None = None
        self._shown_at = float("-inf")
        self._pending: Answer | None = None
        self._last_name: str | None = None
        self._rate = _Rate()

    def write(self, answer: Answer) -> None:
        """Show an answer, unless the last one was shown a moment ago."""
        now = time.monotonic()
        self._rate.count(now)
        waited = now - self._shown_at
        due = waited >= REPAINT_S if self._in_place else self._changed(answer, waited)
        self._pending = None if due else answer
        if due:
            self._show(answer, now)

    def finish(self, summary: LoopSummary) -> None:
        """Show the last answer and the summary below it."""
        if self._in_place and self._pending is not None:
            self._show(self._pending, time.monotonic())
        line_end = "\n" if self._in_place and self._shown is not None else ""
        self._writer.write(f"{line_end}{summary}\n")

    def _changed(self, answer: Answer, waited: float) -> bool:
        return waited >= LINE_EVERY_S or _headline(answer) != self._shown

    def _show(self, answer: Answer, now: float) -> None:
        self._shown = _headline(answer)
        self._shown_at = now
        # All frames of a video have its name: once is enough.
        named = answer.frame.name != self._last_name
        self._last_name = answer.frame.name
        line = describe(answer, per_second=self._rate.per_second, with_name=named)
        if self._in_place:
            # Room for the ^C that a terminal echoes: a wrapped line cannot be rewritten.
            width = shutil.get_terminal_size().columns - 3
            self._writer.write(f"\r{fit(line, width)}{CLEAR_TO_END}")
        else:
            self._writer.write(line + "\n")


class _Rate:
    """Answers per second, over about the last second."""

    def __init__(self) -> None:
        self.per_second: float | None = None
        self._since: float | None = None
        self._count = 0

    def count(self, now: float) -> None:
        if self._since is None:
            self._since = now
            return
        self._count += 1
        if now - self._since >= 1.0:
            self.per_second = self._count / (now - self._since)
            self._since, self._count = now, 0


def describe(answer: Answer, *, per_second: float | None, with_name: bool) -> str:
    """Return an answer on one printable line.

    Args:
        answer: what to describe.
        per_second: the present rate of answers; None where it is not known yet.
        with_name: name the frame's file.
    """
    frame = answer.frame
    parts = answer.prediction.phrases(frame.label)
    if with_name and frame.name is not None:
        parts.append(frame.name)
    parts.append(f"{answer.age_ms:.1f} ms")
    if per_second is not None:
        parts.append(f"{per_second:.1f} frames/s")
    return printable("   ".join(parts))


def fit(text: str, width: int) -> str:
    """Cut `text` to `width` columns; East Asian wide characters take two, combining ones none."""
    used = 0
    for index, char in enumerate(text):
        if not unicodedata.combining(char):
            used += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if used > width:
            return text[:index]
    return text


def _headline(answer: Answer) -> str:
    return answer.prediction.headline
