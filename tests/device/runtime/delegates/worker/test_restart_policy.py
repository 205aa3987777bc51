"""Deadlines that are learned, restarts that are counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.runtime.delegates.worker.restart_policy import (
    DEADLINE_FLOOR_S,
    LONGEST_BACKOFF_S,
    MEASURED_RUNS,
    Deadline,
    FailureLog,
    WorkerPolicy,
)


def test_a_deadline_is_learned_from_the_first_runs() -> None:
    deadline = Deadline(None, first_s=60.0)
    assert deadline.seconds == 60.0
    deadline.learn(0.002)
    assert deadline.seconds == DEADLINE_FLOOR_S
    deadline.learn(0.5)
    assert deadline.seconds == 5.0
    for _ in range(MEASURED_RUNS):
        deadline.learn(0.01)
    deadline.learn(30.0)  # too late to count: such a run is what the deadline is there for
    assert deadline.seconds == 5.0


def test_a_given_deadline_stays() -> None:
    deadline = Deadline(0.2, first_s=60.0)
    deadline.learn(5.0)
    assert deadline.seconds == 0.2


def test_failures_long_ago_are_forgotten() -> None:
    log = FailureLog(WorkerPolicy(restarts=1, within_s=10.0))
    log.add(0.0)
    assert (log.too_many, log.backoff_s) == (False, 0.25)
    log.add(11.0)
    assert (log.count, log.too_many) == (1, False)
    log.add(12.0)
    assert (log.too_many, log.backoff_s) == (True, 1.0)


def test_one_that_ran_well_is_started_again_promptly() -> None:
    log = FailureLog(WorkerPolicy(restarts=100))
    waits = []
    for up_s, down_s in ((0.0, 1.0), (2.0, 3.0), (4.0, 13.9), (20.0, 30.0), (31.0, 32.0)):
        log.came_up(up_s)
        log.add(down_s)
        waits.append(log.backoff_s)
    log.add(33.0)  # it did not even come up
    assert [*waits, log.backoff_s] == [0.25, 0.5, 1.0, 0.25, 0.5, 1.0]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.integers(0, 5))
def test_the_wait_grows_and_is_bounded(gaps: list[float], restarts: int) -> None:
    log = FailureLog(WorkerPolicy(restarts=restarts, within_s=600.0))
    now = 0.0
    for gap in gaps:
        now += gap
        log.add(now)
        assert 1 <= log.count <= len(gaps)
        assert 0.25 <= log.backoff_s <= LONGEST_BACKOFF_S
        assert log.too_many == (log.count > restarts)


@pytest.mark.parametrize(
    "values",
    [
        {"deadline_s": 0.0},
        {"deadline_s": float("nan")},
        {"load_limit_s": 0.0},
        {"within_s": -1.0},
        {"restarts": -1},
    ],
)
def test_impossible_policies_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be|expected"):
        WorkerPolicy(**values)  # type: ignore[arg-type]
