from __future__ import annotations

import pytest

from edgeinfer.host.flashing.progress import bar, size_text
from edgeinfer.host.flashing.result import HostResult, Outcome
from edgeinfer.host.flashing.text import (
    answer_text,
    failures_line,
    reason_line,
    result_lines,
    table_lines,
    took_text,
)

BAG = {"label": "Bag", "probability": 0.8751}
DONE = HostResult(
    host="pi@cam1",
    outcome="confirmed",
    board="a Pi",
    release=2,
    previous=1,
    current=2,
    sent_bytes=2_500_000,
    sent_files=2,
    answers=31,
    last=BAG,
    seconds={"connect": 0.5, "send": 3.0, "install": 20.0, "try": 4.0},
)


def failed(outcome: Outcome, reason: str, current: int | None = None) -> HostResult:
    return HostResult(host="pi@cam2", outcome=outcome, release=3, current=current, reason=reason)


def test_a_release_that_runs() -> None:
    assert result_lines(DONE) == [
        "live      31 answers, the last: Bag 0.88",
        "took      27.5 s: send 3.0, install 20.0, try 4.0, the rest 0.5",
        "release 2 runs on pi@cam1; before it ran release 1",
    ]
    assert took_text(HostResult(host="x", outcome="confirmed")) == "0.0 s: the rest 0.0"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (failed("rolled back", "it hangs", 2),
         "pi@cam2: release 3 was tried and rolled back (it hangs); release 2 runs there"),
        (failed("rolled back", "", None),
         "pi@cam2: release 3 was tried and rolled back (it gives no reason); nothing runs there"),
        (failed("refused", "frame 3 differs", 2),
         "pi@cam2: release 3 did not pass `verify` (frame 3 differs); release 2 runs there"),
        (failed("not healthy", "it is silent", 3),
         "pi@cam2: release 3, which runs there, does not answer (it is silent)"),
        (failed("failed", "pi@cam2: has no sudo"), "pi@cam2: has no sudo"),
        (failed("failed", "x.whl: is not a wheel"), "pi@cam2: x.whl: is not a wheel"),
    ],
)  # fmt: skip
def test_why_a_board_does_not_run_it(result: HostResult, words: str) -> None:
    assert reason_line(result) == words


def test_an_error_of_this_machine_has_no_host_before_it() -> None:
    assert (
        reason_line(failed("failed", "x.whl: is not a wheel"), alone=True)
        == "x.whl: is not a wheel"
    )


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (None, "not told"),
        (BAG, "Bag 0.88"),
        ({"label": "x\x1b"}, r"x\x1b"),
        ({"value": 21.5, "unit": "C"}, "21.5 C"),
        ({"schema": 1, "objects": [1, 2]}, "2 objects"),
        ({"schema": 1}, "without a label"),
    ],
)
def test_an_answer_in_a_few_words(last: dict[str, object] | None, words: str) -> None:
    assert answer_text(last) == words


def test_a_table_of_boards() -> None:
    left = HostResult(host="c", outcome="left alone", reason="pi@cam2 was first and failed")
    assert table_lines([DONE, failed("failed", "no sudo"), left]) == [
        "host     outcome     release  sent    seconds  last answer",
        "pi@cam1  confirmed   2        2.5 MB  28       Bag 0.88",
        "pi@cam2  failed      3",
        "c        left alone",
        "pi@cam2: no sudo",
        "c: pi@cam2 was first and failed",
    ]


def test_other_outcomes() -> None:
    same = HostResult(host="a", outcome="unchanged", release=1, answers=9, last=BAG)
    assert result_lines(same)[-1] == "release 1 already runs on a: nothing was sent or restarted"
    planned = HostResult(host="a", outcome="planned", steps=("send x", "try"), sent_bytes=5000)
    assert result_lines(planned) == [
        "dry run, nothing was changed on a; it would (0 files, 5 kB in all)",
        "   1. send x",
        "   2. try",
    ]
    gone = HostResult(host="a", outcome="removed", steps=("user edgeinfer",))
    assert result_lines(gone) == ["removed   user edgeinfer", "edgeinfer was removed from a"]
    assert (
        "edgeinfer is not installed on a"
        in result_lines(HostResult(host="a", outcome="nothing there"))[0]
    )


def test_sizes_and_bars() -> None:
    assert [size_text(count) for count in (0, 999_499, 1_000_000)] == ["0 kB", "999 kB", "1.0 MB"]
    assert bar(0, 0).startswith("[----")
    assert bar(50, 100) == f"[{'#' * 12}{'-' * 12}] 0.0 of 0.0 MB"


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        (("failed", "left alone", "left alone"), "1 of 3 boards failed: a; 2 left alone, "),
        (("confirmed", "rolled back", "failed"), "2 of 3 boards failed: b, c"),
        (("confirmed", "unchanged", "not healthy"), "1 of 3 boards failed: c"),
    ],
)
def test_boards_that_were_left_alone_did_not_fail(outcomes: tuple[Outcome, ...], said: str) -> None:
    results = [
        HostResult(host=host, outcome=outcome)
        for host, outcome in zip("abc", outcomes, strict=True)
    ]
    line = failures_line(results)
    assert line.startswith(said)
    assert ("left alone" in line) == ("left alone" in outcomes)
