"""Outputs that are slow, blocked, failing, dead or defective, alone and side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.core.signals import StopRequest
from edgeinfer.device.loop.results import Answer, LoopSummary
from edgeinfer.device.outputs.base import Output, OutputGone
from edgeinfer.device.outputs.fan_out import Outputs
from edgeinfer.device.outputs.queue import FOREVER, QueuedOutput
from tests.device.outputs.examples import SUMMARY, answer
from tests.support.waiting import PATIENCE_S, until

FULL = StorageError("out.csv", got="cannot be written (no space left on device)")


class Scripted(Output):
    """An output that does with each answer what `act` does."""

    def __init__(self, act: Callable[[Answer], None] = lambda _: None) -> None:
        self._act = act
        self.taken: list[Answer] = []
        self.summaries: list[LoopSummary] = []
        self.closed = 0

    def write(self, answer: Answer) -> None:
        self._act(answer)
        self.taken.append(answer)

    def finish(self, summary: LoopSummary) -> None:
        self.summaries.append(summary)

    def close(self) -> None:
        self.closed += 1

    @property
    def sequences(self) -> list[int]:
        return [one.frame.sequence for one in self.taken]


class Gate:
    """Blocks the writer until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()

    def __call__(self, _: Answer) -> None:
        self.reached.set()
        assert self.open.wait(PATIENCE_S)


def raising(error: Exception) -> Callable[[Answer], None]:
    def act(_: Answer) -> None:
        raise error

    return act


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def warnings(logged: list[str]) -> list[str]:
    return logged


MADE: list[QueuedOutput] = []


class Queued(QueuedOutput):
    """Is ended and joined after its test."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        MADE.append(self)


@pytest.fixture(autouse=True)
def no_thread_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # An output that has no turn on a busy machine is not stuck.
    monkeypatch.setattr("edgeinfer.device.outputs.queue.STUCK_S", PATIENCE_S)
    for name in ("DRAIN_S", "SUMMARY_S"):
        monkeypatch.setattr(f"edgeinfer.device.outputs.fan_out.{name}", PATIENCE_S)
    yield
    for output in MADE:
        output.end()
        assert output.join(time.monotonic() + PATIENCE_S)
    MADE.clear()


def feed(output: Outputs | QueuedOutput, count: int, *, first: int = 0) -> None:
    write = output.write if isinstance(output, Outputs) else output.put
    for number in range(first, first + count):
        write(answer(sequence=number))


def wait_until(true: Callable[[], object], meanwhile: Callable[[], None] = lambda: None) -> None:
    def happened() -> object:
        if not true():
            meanwhile()
        return true()

    until(happened)


def test_everything_arrives_in_order_and_it_is_closed_once(warnings: list[str]) -> None:
    sink = Scripted()
    with Outputs([Queued("x", sink)], live=True) as outputs:
        feed(outputs, 50)
        outputs.finish(SUMMARY)
    assert sink.sequences == list(range(50))
    assert (sink.closed, warnings) == (1, [])
    (report,) = sink.summaries[0].outputs
    assert (report.name, report.written, report.dropped, report.failure) == ("x", 50, 0, None)


@pytest.mark.parametrize(
    ("overflow", "kept"), [("drop-oldest", [0, 7, 8, 9]), ("drop-newest", [0, 1, 2, 3])]
)
def test_blocked_output_loses_answers_but_no_time(
    overflow: str, kept: list[int], gate: Gate, warnings: list[str]
) -> None:
    sink = Scripted(gate)
    output = Queued("x", sink, capacity=3, overflow=overflow)
    output.put(answer())
    assert gate.reached.wait(PATIENCE_S)
    feed(output, 9, first=1)
    gate.open.set()
    assert output.drain(time.monotonic() + PATIENCE_S)
    assert sink.sequences == kept
    assert output.report().dropped == 6
    assert warnings == ["output x: takes answers too slowly; some are dropped"]
    output.end()


def test_one_blocked_output_does_not_hold_the_others_up(
    gate: Gate, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeinfer.device.outputs.fan_out.DRAIN_S", 0.2)
    monkeypatch.setattr("edgeinfer.device.outputs.fan_out.SUMMARY_S", 0.2)
    good, blocked = Scripted(), Scripted(gate)
    outputs = Outputs(
        [
            Queued("blocked", blocked, capacity=4),
            Queued("good", good),
        ],
        live=True,
    )
    feed(outputs, 60)
    wait_until(lambda: len(good.taken) == 60)
    outputs.finish(SUMMARY)
    assert good.sequences == list(range(60))
    first, second = good.summaries[0].outputs
    assert (first.name, first.written, first.dropped) == ("blocked", 0, 60)
    assert first.failure == "no longer takes answers"
    assert (second.written, second.dropped, second.failure) == (60, 0, None)


def test_failing_output_is_reported_once_tried_again_and_counted(
    warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeinfer.device.outputs.queue.FIRST_RETRY_S", 0.05)
    full = threading.Event()
    full.set()
    attempts = 0

    def act(_: Answer) -> None:
        nonlocal attempts
        attempts += 1
        if full.is_set():
            raise FULL

    sink = Scripted(act)
    output = Queued("csv:out.csv", sink)
    feed(output, 20)
    assert output.drain(time.monotonic() + PATIENCE_S)
    assert attempts < 20  # it was left alone for some time
    assert output.report().failure == str(FULL)
    full.clear()
    wait_until(lambda: sink.taken, lambda: feed(output, 1))
    output.end()
    assert output.join(time.monotonic() + PATIENCE_S)
    report = output.report()
    assert report.written == len(sink.taken)
    assert (report.dropped >= 20, report.failure) == (True, None)
    told, works = warnings
    assert told == f"output csv:out.csv: {FULL}; the loop goes on and tries again"
    assert works.startswith("output csv:out.csv: works again; ")


def test_output_that_fails_in_turn_does_not_fill_the_log(
    warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeinfer.device.outputs.queue.FIRST_RETRY_S", 0.0)

    def act(one: Answer) -> None:
        if one.frame.sequence % 2:
            raise FULL

    output = Queued("x", Scripted(act))
    feed(output, 40)
    assert output.drain(time.monotonic() + PATIENCE_S)
    output.end()
    assert len(warnings) == 2  # that it fails, and that it works again; then a minute's silence
    assert output.report().dropped == 20


@pytest.mark.parametrize("error", [BrokenPipeError(), OutputGone()])
def test_reader_that_leaves_one_of_several_does_not_end_the_loop(
    error: Exception, warnings: list[str]
) -> None:
    good = Scripted()
    gone = Queued("gone", Scripted(raising(error)))
    outputs = Outputs([gone, Queued("good", good)], live=True)
    feed(outputs, 30)
    wait_until(lambda: gone.gone)
    feed(outputs, 30, first=30)
    outputs.finish(SUMMARY)
    assert good.sequences == list(range(60))
    assert good.summaries[0].outputs[0].dropped == 60


def test_reader_that_leaves_the_only_output_ends_the_loop(warnings: list[str]) -> None:
    output = Queued("json", Scripted(raising(BrokenPipeError())))
    with Outputs([output], live=True) as outputs, pytest.raises(BrokenPipeError):
        wait_until(lambda: False, lambda: feed(outputs, 1))
    assert warnings == []


def test_closing_the_only_window_asks_the_loop_to_stop(warnings: list[str]) -> None:
    stop = StopRequest()
    output = Queued("window", Scripted(raising(OutputGone())))
    with Outputs([output], live=True, stop=stop) as outputs:
        wait_until(lambda: stop.requested, lambda: feed(outputs, 1))


def test_a_bug_in_one_of_several_is_reported_and_the_loop_goes_on(warnings: list[str]) -> None:
    good = Scripted()
    broken = Queued("x", Scripted(raising(ZeroDivisionError("oh"))))
    outputs = Outputs([broken, Queued("good", good)], live=True)
    feed(outputs, 10)
    outputs.finish(SUMMARY)
    assert len(good.taken) == 10
    assert warnings == [
        "output x: a defect in edgeinfer (ZeroDivisionError: oh); the loop goes on without it"
    ]
    assert good.summaries[0].outputs[0].failure == "oh"


def test_file_as_the_source_waits_for_a_slow_output_and_loses_nothing(
    warnings: list[str],
) -> None:
    sink = Scripted(lambda _: time.sleep(0.005))
    output = Queued("x", sink, capacity=2, patience_s=PATIENCE_S)
    with Outputs([output], live=False) as outputs:
        feed(outputs, 40)
        outputs.finish(SUMMARY)
        outputs.raise_loss()
    assert sink.sequences == list(range(40))
    assert warnings == []


def test_file_as_the_source_waits_for_a_blocked_output_only_so_long(
    gate: Gate, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeinfer.device.outputs.fan_out.DRAIN_S", 0.1)
    monkeypatch.setattr("edgeinfer.device.outputs.fan_out.SUMMARY_S", 0.1)
    output = Queued("x", Scripted(gate), capacity=2, patience_s=0.2)
    outputs = Outputs([output], live=False)
    feed(outputs, 40)
    outputs.finish(SUMMARY)
    with pytest.raises(StorageError, match="output x: did not take 40 of 40 answers"):
        outputs.raise_loss()


def test_reader_of_stdout_may_take_its_time_until_the_user_stops_the_loop(
    gate: Gate, warnings: list[str]
) -> None:
    stop = StopRequest()
    output = Queued("json", Scripted(gate), capacity=1)
    output.patience_s = FOREVER
    outputs = Outputs([output], live=False, stop=stop)
    feeding = threading.Thread(target=feed, args=(outputs, 10))
    feeding.start()
    feeding.join(0.5)
    assert feeding.is_alive()
    stop.requested = True
    feeding.join(PATIENCE_S)
    assert not feeding.is_alive()
    outputs.raise_loss()  # who stops a loop knows that it is not complete


def test_the_only_output_of_a_file_that_fails_ends_it(warnings: list[str]) -> None:
    output = Queued("json", Scripted(raising(FULL)))
    with Outputs([output], live=False) as outputs, pytest.raises(StorageError, match="no space"):
        wait_until(lambda: False, lambda: feed(outputs, 1))


def test_of_a_live_source_it_is_an_error_when_all_outputs_fail_at_the_end(
    warnings: list[str],
) -> None:
    bad = Queued("bad", Scripted(raising(FULL)))
    outputs = Outputs([bad], live=True)
    feed(outputs, 5)
    outputs.finish(SUMMARY)
    with pytest.raises(StorageError, match="output bad: did not take 5 of 5 answers"):
        outputs.raise_loss()
    bad = Queued("bad", Scripted(raising(FULL)))
    outputs = Outputs([bad, Queued("good", Scripted())], live=True)
    feed(outputs, 5)
    outputs.finish(SUMMARY)
    outputs.raise_loss()


def test_text_waits_without_its_pictures(gate: Gate, warnings: list[str]) -> None:
    text, pictures = Scripted(), Scripted()
    outputs = Outputs(
        [
            Queued("json", text),
            Queued("video", pictures, pictures=True),
        ],
        live=True,
    )
    feed(outputs, 1)
    outputs.finish(SUMMARY)
    assert text.taken[0].frame.pixels.size == 1
    assert pictures.taken[0].frame.pixels.shape == (2, 2, 3)
    assert (len(text.summaries), len(pictures.summaries)) == (1, 0)


def test_error_while_closing_is_reported(warnings: list[str]) -> None:
    class Unclosable(Scripted):
        def close(self) -> None:
            raise FULL

    output = Queued("x", Unclosable())
    Outputs([output], live=True).close()
    assert output.report().failure == str(FULL)
    assert len(warnings) == 1
