"""The age of a stream's pictures, against senders, networks and readers that are made up."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.cameras.network.live.stream_age import DRIFT, Arrival, StreamAge

S = 1_000_000_000
MS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Way:
    """From a capture to the decoder.

    Attributes:
        steps_ns: from each capture to the next, by the receiver's clock.
        network_ns: the least that the network takes.
        jitter_ns: how much longer it may take.
        stalls: (from, to): what is sent meanwhile comes at its end.
        opened_ns: the reader gets nothing before.
        held: how many pictures the reader holds back.
        decode_ns: for one picture.
        stamp: the sender's time stamp of a capture.
        b_run: how many B pictures come between two others.
    """

    steps_ns: Sequence[int]
    network_ns: int = 2 * MS
    jitter_ns: int = 0
    stalls: Sequence[tuple[int, int]] = ()
    opened_ns: int = 0
    held: int = 1
    decode_ns: int = MS
    stamp: Callable[[int], int] = lambda captured_ns: captured_ns + 12_345 * S
    b_run: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Told:
    """What is known of a picture, and what is true.

    Attributes:
        younger_ns: by how much it was said to be younger than it is.
        late_s: how much later than others it was said to be.
        age_ns: its true age.
        settled: whether the backlog was over.
    """

    younger_ns: int
    late_s: float
    age_ns: int
    settled: bool
    held_s: float = field(default=0.0)


def follow(way: Way, age: StreamAge | None = None) -> list[Told]:
    """Have the pictures of a stream come by that way."""
    age = StreamAge(way.held) if age is None else age
    noise = random.Random(way.seed)
    captured, moment = [], 0
    for step_ns in way.steps_ns:
        captured.append(moment)
        moment += step_ns
    came_in: list[int] = []
    for captured_ns in captured:
        in_ns = captured_ns + way.network_ns + round(noise.uniform(0, way.jitter_ns))
        for begin_ns, end_ns in way.stalls:
            if begin_ns <= in_ns < end_ns:
                in_ns = end_ns
        came_in.append(max([in_ns, *came_in[-1:]]))
    told, out_ns = [], way.opened_ns
    for number, captured_ns in enumerate(captured[: len(captured) - way.held]):
        begun_ns = out_ns
        ready_ns = max(came_in[number + way.held], begun_ns)
        out_ns = ready_ns + way.decode_ns
        age.add(
            Arrival(
                arrived_ns=out_ns,
                waited_ns=ready_ns - begun_ns,
                stream_ns=way.stamp(captured_ns),
                bidirectional=bool(way.b_run and number % (way.b_run + 1)),
            )
        )
        younger_ns = age.captured_ns - captured_ns
        told.append(Told(younger_ns, age.late_s, out_ns - captured_ns, age.settled, age.held_s))
    return told


def test_backlog_is_recognized() -> None:
    told = follow(Way(steps_ns=[40 * MS] * 100, opened_ns=2 * S))
    backlog = [one for one in told if one.age_ns > 60 * MS]
    assert len(backlog) > 40
    assert not any(one.settled for one in backlog)
    known = [one for one in told if one.settled]
    assert len(known) > 40
    assert max(one.younger_ns for one in known) <= 4 * MS  # the network's time and the decoder's


@pytest.mark.parametrize("held", [0, 1, 2, 5])
@pytest.mark.parametrize("fps", [1, 5, 30])
def test_what_the_reader_holds_back_counts(held: int, fps: int) -> None:
    told = follow(Way(steps_ns=[S // fps] * 30 * (1 + held), held=held))
    known = [one for one in told if one.settled]
    assert {one.age_ns for one in known} == {3 * MS + held * (S // fps)}
    assert {one.younger_ns for one in known} == {3 * MS}
    assert known[-1].held_s == pytest.approx(held / fps, rel=1e-3)


def test_frame_rate_that_changes() -> None:
    steps = [40 * MS] * 60 + [S] * 10 + [40 * MS] * 60 + [333 * MS] * 20
    known = [one for one in follow(Way(steps_ns=steps)) if one.settled]
    assert len(known) > 100
    assert max(one.younger_ns for one in known) <= 4 * MS
    assert min(one.younger_ns for one in known) >= -1 * MS
    # A stream so slow cannot be faster; one step is not yet a rate.
    late = [one for one in known if one.late_s > 0.5 + one.held_s]
    assert len(late) <= 2


def test_held_picture_after_a_pause_is_old_and_the_next_is_not() -> None:
    steps = [40 * MS] * 60 + [5 * S] + [40 * MS] * 60
    told = follow(Way(steps_ns=steps))
    assert [number for number, one in enumerate(told) if one.late_s > 1] == [60]
    assert told[60].age_ns > 5 * S
    assert told[60].younger_ns <= 4 * MS
    assert told[-1].younger_ns == 3 * MS


def test_what_a_network_kept_is_as_old_as_it_is() -> None:
    told = follow(Way(steps_ns=[40 * MS] * 300, stalls=[(4 * S, 8 * S)]))
    late = [one for one in told if one.late_s > 1]
    assert 70 < len(late) < 80
    assert all(abs(one.younger_ns) <= 6 * MS for one in late)
    assert told[-1].late_s < 0.01


@pytest.mark.parametrize("jump_ns", [-100 * S, 100 * S, -3600 * S])
def test_sender_whose_clock_is_set(jump_ns: int) -> None:
    def stamp(captured_ns: int) -> int:
        return captured_ns + 5000 * S + (jump_ns if captured_ns >= 4 * S else 0)

    told = follow(Way(steps_ns=[40 * MS] * 300, stamp=stamp, stalls=[(4 * S, 6 * S)]))
    known = [one for one in told if one.settled]
    # The clock that was set forward hides what the stall kept: nobody could tell.
    wrong = [one for one in known if one.younger_ns > 6 * MS]
    assert not wrong or jump_ns > 0
    assert all(one.age_ns < 3 * S for one in wrong)
    assert told[-1].settled
    assert -1 * MS <= told[-1].younger_ns <= 6 * MS


def test_sender_whose_clock_stands_forward_again_and_again_gives_no_known_age() -> None:
    told = follow(Way(steps_ns=[40 * MS] * 100, stamp=lambda captured_ns: captured_ns % (50 * MS)))
    assert not any(one.settled for one in told)


@pytest.mark.parametrize("drift", [-200e-6, 200e-6])
def test_clocks_that_drift_for_a_day(drift: float) -> None:
    way = Way(steps_ns=[10 * S] * 8640, stamp=lambda captured_ns: round(captured_ns * (1 + drift)))
    told = follow(way)
    assert told[-1].settled
    assert max(abs(one.younger_ns) for one in told if one.settled) < 10 * MS


def test_delay_that_grows_for_minutes_is_noticed() -> None:
    begin_ns, end_ns = 10 * S, 400 * S

    def slow(captured_ns: int) -> int:  # the same as a network that takes more and more time
        return captured_ns - min(max(0, captured_ns - begin_ns), end_ns - begin_ns) // 100

    told = follow(Way(steps_ns=[100 * MS] * 4000, stamp=slow))
    assert told[-1].late_s == pytest.approx(3.8, abs=0.2)


def test_pictures_that_come_in_gusts() -> None:
    stalls = [(begin * 500 * MS, begin * 500 * MS + 240 * MS) for begin in range(100)]
    told = follow(Way(steps_ns=[40 * MS] * 500, stalls=stalls, opened_ns=2 * S))
    known = [one for one in told if one.settled]
    assert len(known) > 300
    assert max(one.younger_ns for one in known) < 50 * MS


def test_decoder_that_barely_keeps_up() -> None:
    told = follow(Way(steps_ns=[40 * MS] * 2000, opened_ns=2 * S, decode_ns=36 * MS))
    known = [one for one in told if one.settled]
    assert len(known) > 1000
    assert max(one.younger_ns for one in known) < 100 * MS


def test_decoder_that_does_not_keep_up_gives_older_and_older_pictures() -> None:
    told = follow(Way(steps_ns=[40 * MS] * 500, decode_ns=50 * MS))
    assert told[-1].settled
    assert told[-1].late_s > 4


@pytest.mark.parametrize("b_run", [1, 2, 3])
def test_b_pictures_make_the_others_wait(b_run: int) -> None:
    held = 1 + b_run + 1  # in the reader, in the encoder for the order, in the decoder
    way = Way(steps_ns=[40 * MS] * 200, held=held, b_run=b_run, opened_ns=S)
    known = [one for one in follow(way, StreamAge(1)) if one.settled]
    assert {one.younger_ns for one in known} == {3 * MS}


def test_too_many_held_only_makes_pictures_older_and_never_late() -> None:
    steps = [40 * MS] * 100 + [5 * S] + [40 * MS] * 100
    told = follow(Way(steps_ns=steps, held=0), StreamAge(1))
    known = [one for one in told if one.settled]
    assert min(one.younger_ns for one in known) > -90 * MS
    assert max(one.younger_ns for one in known) <= 4 * MS
    assert max(one.late_s for one in known) < 0.01


@given(
    fps=st.sampled_from([1, 2, 7, 15, 25, 60]),
    held=st.integers(0, 3),
    backlog_ms=st.integers(0, 3000),
    decode_share=st.floats(0.0, 0.4),
    jitter_ms=st.integers(0, 100),
    drift=st.floats(-200e-6, 200e-6),
    stalls=st.lists(st.tuples(st.floats(0, 0.6), st.floats(0.01, 0.3)), max_size=3),
    pauses=st.lists(st.tuples(st.integers(0, 200), st.floats(0.1, 8.0)), max_size=3),
    seed=st.integers(0, 1000),
)
def test_no_picture_seems_younger_than_network_and_decoder_explain(
    fps: int,
    held: int,
    backlog_ms: int,
    decode_share: float,
    jitter_ms: int,
    drift: float,
    stalls: list[tuple[float, float]],
    pauses: list[tuple[int, float]],
    seed: int,
) -> None:
    steps = [S // fps] * 300
    for number, length_s in pauses:
        steps[number] += round(length_s * S)
    whole_ns = sum(steps)
    way = Way(
        steps_ns=steps,
        held=held,
        opened_ns=backlog_ms * MS,
        decode_ns=round(decode_share * S / fps),
        jitter_ns=jitter_ms * MS,
        stamp=lambda captured_ns: round(captured_ns * (1 + drift)) - 99 * S,
        stalls=[
            (round(begin * whole_ns), round((begin + length) * whole_ns))
            for begin, length in stalls
        ],
        seed=seed,
    )
    bound_ns = way.network_ns + way.jitter_ns + way.decode_ns + 60 * MS + DRIFT * whole_ns
    known = [one for one in follow(way) if one.settled]
    assert all(one.younger_ns <= bound_ns for one in known)
