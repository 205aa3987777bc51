from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.diagnose.doctor.finding import broken, note, ok
from edgeinfer.device.diagnose.doctor.text import (
    WIDTH,
    can_show_marks,
    finding_json,
    finding_lines,
    summary_line,
)

FAULT = broken(
    "tflite-runtime",
    "tflite-runtime 2.14.0 cannot load it (this runtime was built against numpy 1)",
    expected="numpy 1",
    fix="run `pip install 'numpy<2' 'opencv-python-headless<4.12'` in the environment of edgeinfer",
)


def test_lines_of_a_fault() -> None:
    assert finding_lines(FAULT) == [
        "  ✗ tflite-runtime   tflite-runtime 2.14.0 cannot load it (this runtime was",
        "                     built against numpy 1)",
        "      expected numpy 1",
        "      fix: run `pip install 'numpy<2' 'opencv-python-headless<4.12'` in the",
        "           environment of edgeinfer",
    ]


def test_no_line_is_wider_than_the_terminal() -> None:
    for finding in (FAULT, note("x" * 30, "y " * 100, fix="z " * 100), ok("a", "b " * 90)):
        assert max(map(len, finding_lines(finding))) <= WIDTH


WORDS = st.lists(st.text(max_size=40), max_size=20).map(" ".join)


@given(WORDS)
def test_no_word_is_lost_and_only_words_are_too_wide(text: str) -> None:
    finding = ok("subject", text)
    lines = finding_lines(finding)
    for line in lines:
        assert len(line) <= WIDTH or len(line.rsplit(" ", 1)[-1]) > WIDTH - 21
    assert " ".join(lines).split() == ["✓", "subject", *finding.got.split()]


def test_what_is_in_order_needs_no_fix() -> None:
    assert finding_lines(ok("numpy", "1.26.4"), marks=False) == ["  + numpy            1.26.4"]


def test_marks_only_where_the_encoding_has_them() -> None:
    assert can_show_marks("utf-8")
    assert not can_show_marks("ascii")
    assert not can_show_marks(None)


def test_summaries() -> None:
    assert summary_line([ok("a", "b")]) == "nothing is broken: 1 in order"
    noted = [ok("a", "b"), note("c", "d")]
    assert summary_line(noted) == "nothing is broken: 1 in order, 1 note"
    assert summary_line([FAULT, *noted]) == "1 broken, 1 note, 1 in order: see tflite-runtime"


def test_json_has_every_key() -> None:
    assert finding_json("Python", ok("version", "3.11")) == {
        "check": "Python",
        "subject": "version",
        "state": "ok",
        "got": "3.11",
        "expected": "",
        "fix": "",
    }
