from __future__ import annotations

import io
import os
import pty
import struct
import termios
from contextlib import suppress
from fcntl import ioctl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.loop.results import Answer
from edgeinfer.device.outputs.text.terminal import TerminalSink, fit
from edgeinfer.device.tasks.value.prediction import Value
from tests.device.outputs.examples import SUMMARY, answer


def test_into_a_file_a_line_per_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeinfer.device.outputs.text.terminal.LINE_EVERY_S", 600.0)
    stream = io.StringIO()
    sink = TerminalSink(stream)
    for label in ("cat", "cat", "cat", "bird", "bird", "cat"):
        sink.write(answer(label))
    sink.finish(SUMMARY)
    lines = stream.getvalue().splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["cat", "bird", "cat"]
    assert lines[-1] == str(SUMMARY)
    assert "\r" not in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(("every_s", "lines"), [(0.0, 3), (600.0, 1)])
def test_into_a_file_a_line_from_time_to_time(
    monkeypatch: pytest.MonkeyPatch, every_s: float, lines: int
) -> None:
    monkeypatch.setattr("edgeinfer.device.outputs.text.terminal.LINE_EVERY_S", every_s)
    stream = io.StringIO()
    sink = TerminalSink(stream)
    for _ in range(3):
        sink.write(answer())
    assert len(stream.getvalue().splitlines()) == lines


def on_a_terminal(columns: int, answers: list[Answer]) -> str:
    """Return what TerminalSink writes to a real pseudo-terminal of that width."""
    controller, terminal = pty.openpty()
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with open(terminal, "w", encoding="utf-8") as stream:
        os.environ["COLUMNS"] = str(columns)
        try:
            sink = TerminalSink(stream)
            for one in answers:
                sink.write(one)
            sink.finish(SUMMARY)
        finally:
            del os.environ["COLUMNS"]
    written = b""
    with suppress(OSError):  # EIO: the other side is closed and everything was read
        while True:
            written += os.read(controller, 65536)
    os.close(controller)
    return written.decode()


def test_on_a_terminal_one_line_in_place_and_the_summary_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edgeinfer.device.outputs.text.terminal.REPAINT_S", 600.0)
    written = on_a_terminal(100, [answer("cat"), answer("bird"), answer("horse")])
    line, summary, rest = written.split("\r\n")
    # The second came too soon to be shown, the last one is shown at the end.
    assert line == "\rcat  90.0%   12.3 ms\x1b[K\rhorse  90.0%   12.3 ms\x1b[K"
    assert (summary, rest) == (str(SUMMARY), "")


def test_on_a_terminal_the_line_never_wraps() -> None:
    written = on_a_terminal(30, [answer("a very long label " * 10)])
    assert written.split("\x1b[K")[0] == "\r" + ("a very long label " * 10)[:27]


def test_labels_cannot_control_the_terminal() -> None:
    written = on_a_terminal(100, [answer("\x1b[2Jcat\r\n\u202e")])
    assert written.split("\x1b[K")[0] == "\r\\x1b[2Jcat\\r\\n\\u202e  90.0%   12.3 ms"


def test_truth_is_shown_where_the_model_knows_it_and_is_wrong() -> None:
    stream = io.StringIO()
    sink = TerminalSink(stream)
    sink.write(answer("cat", truth="cat"))
    sink.write(answer("bird", truth="dog"))
    sink.write(answer("cow", truth="a class of another model"))
    right, wrong, unknown = stream.getvalue().splitlines()
    assert "truth: dog" in wrong
    assert "truth" not in right + unknown


def test_values_are_shown_with_their_unit() -> None:
    stream = io.StringIO()
    value = Value(value=21.53, unit="°C")
    TerminalSink(stream).write(Answer(frame=answer().frame, prediction=value, age_ms=1.0))
    assert stream.getvalue() == "21.53 °C   1.0 ms\n"


def test_characters_that_the_stream_lacks_are_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    TerminalSink(stream).write(answer("Äpfel"))
    assert raw.getvalue().startswith(b"\\xc4pfel  90.0%")


@given(st.text(), st.integers(0, 40))
def test_fit_cuts_and_changes_nothing_else(text: str, width: int) -> None:
    cut = fit(text, width)
    assert text.startswith(cut)
    assert sum(char.isascii() for char in cut) <= width
    assert cut == text or len(cut) >= width // 2


def test_fit_counts_wide_characters_twice_and_combining_ones_not() -> None:
    assert fit("猫猫猫", 5) == "猫猫"
    assert fit("e\u0301e\u0301e", 2) == "e\u0301e\u0301"
