"""A bar on a terminal, lines elsewhere."""

from __future__ import annotations

import io
import os
import pty
import re
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from edgeinfer.converters.common.progress import Progress, show_progress
from tests.support.waiting import until


class _Ended(Exception):
    """Ends the work."""


class _Terminal:
    """A terminal, and what was written to it so far, without what moves its cursor."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        os.set_blocking(self._ours, False)
        self.stream = open(theirs, "w", encoding="utf-8")  # noqa: SIM115
        self._written = b""

    @property
    def text(self) -> str:
        with suppress(BlockingIOError):
            while written := os.read(self._ours, 1 << 16):
                self._written += written
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._written.decode())

    @property
    def lines(self) -> list[str]:
        return re.split(r"[\r\n]+", self.text)

    def close(self) -> None:
        self.stream.close()
        os.close(self._ours)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Terminal]:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with closing(_Terminal()) as made:
        yield made


def _work(progress: Progress, *, look: Callable[[], object] = lambda: None) -> None:
    progress.start("count [all]", 40)
    for _ in range(40):
        progress.advance(note="loss 1")
    look()
    progress.say("half [way]")
    progress.start("write")


@pytest.mark.parametrize("keep", [True, False])
def test_a_pipe_has_a_line_for_each_piece_of_work(keep: bool) -> None:
    stream = io.StringIO()
    with show_progress(stream, keep=keep) as progress:
        _work(progress)
    assert stream.getvalue() == "count [all] ...\nhalf [way]\nwrite ...\n"


def test_a_terminal_has_a_bar_that_goes(terminal: _Terminal) -> None:
    with show_progress(terminal.stream) as progress:
        _work(progress, look=lambda: until(lambda: "40/40" in terminal.text))
    assert any(re.match(r"count \[all\] .* 40/40 .* loss 1", line) for line in terminal.lines)
    assert "half [way]" in terminal.lines
    assert any(re.match(r"write .* 0:00:00", line) for line in terminal.lines)
    assert not any(re.search(r"\d s$", line) for line in terminal.lines)


def test_each_piece_of_work_is_kept_with_its_time(terminal: _Terminal) -> None:
    with show_progress(terminal.stream, keep=True) as progress:
        _work(progress)
    kept = [line for line in terminal.lines if re.search(r": \d+\.\d s$", line)]
    assert [line.rpartition(":")[0] for line in kept] == ["count [all]", "write"]


def test_a_long_title_keeps_whole_words_and_its_time(
    terminal: _Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    title = "#12 efficientnet-lite0 width 0.75, 160 pixels, int8, from scratch: build and time"
    with show_progress(terminal.stream) as progress:
        progress.start(title)
        until(lambda: re.search(r"160 pixels, \.\.\. .* 0:00:00", terminal.text))


def test_failed_work_is_not_reported_as_done(terminal: _Terminal) -> None:
    with suppress(_Ended), show_progress(terminal.stream, keep=True) as progress:
        _work(progress)
        raise _Ended
    assert "count [all]: " in terminal.text
    assert "write: " not in terminal.text


def test_without_any_work_nothing_is_shown(terminal: _Terminal) -> None:
    with show_progress(terminal.stream, keep=True):
        pass
    assert terminal.text == ""
