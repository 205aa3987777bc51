"""How long a delegate may take, and how often it is started again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

DEADLINE_FLOOR_S = 1.0
"""The shortest deadline that is set by itself: a board that writes to its card, or swaps, may stop
everything for some hundred milliseconds."""

DEADLINE_FACTOR = 10.0
"""By how much a run may exceed the slowest of those measured."""

MEASURED_RUNS = 20
"""How many runs after the start set the deadline."""

FIRST_BACKOFF_S = 0.25
LONGEST_BACKOFF_S = 8.0
STEADY_S = 10.0
"""A worker that ran so long before it failed is started again as promptly as the first time."""


@dataclass(frozen=True, kw_only=True)
class WorkerPolicy:
    """How long an accelerator may take, and how often it is restarted.

    An accelerator runs in a separate worker process, which is ended and restarted if it does not
    answer in time.

    Examples:
        >>> from edgeinfer.device.runtime.delegates.worker.restart_policy import WorkerPolicy
        >>> edgeinfer.DelegateRequest(delegate="edgetpu", policy=WorkerPolicy(deadline_s=0.5))

    Attributes:
        deadline_s: how long one inference may take, in seconds. None measures the first inferences
            and sets the limit from them.
        load_limit_s: how long starting the worker, loading the model and the first inference may
            take together, in seconds.
        restarts: how many failures within `within_s` are answered by a restart. After one more the
            accelerator is given up.
        within_s: the time in which failures are counted, in seconds.

    Raises:
        ValueError: a time is not above 0, or `restarts` is below 0.
    """

    deadline_s: float | None = None
    load_limit_s: float = 60.0
    restarts: int = 5
    within_s: float = 600.0

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if self.deadline_s is not None and not 0 < self.deadline_s < float("inf"):
            raise ValueError(f"deadline_s is {self.deadline_s}, expected more than 0")
        if self.load_limit_s <= 0 or self.within_s <= 0:
            raise ValueError("load_limit_s and within_s must be more than 0")
        if self.restarts < 0:
            raise ValueError(f"restarts is {self.restarts}, expected 0 or more")


class Deadline:
    """How long a run may take: given, or learned from the first ones.

    Args:
        fixed_s: the given one; None learns it.
        first_s: what is granted until something was measured.
    """

    def __init__(self, fixed_s: float | None, *, first_s: float) -> None:
        self._fixed_s = fixed_s
        self._first_s = first_s
        self._slowest_s = 0.0
        self._measured = 0

    @property
    def seconds(self) -> float:
        """The present deadline."""
        if self._fixed_s is not None:
            return self._fixed_s
        if self._measured == 0:
            return self._first_s
        return max(DEADLINE_FLOOR_S, DEADLINE_FACTOR * self._slowest_s)

    def learn(self, seconds: float) -> None:
        """Note how long a run took; only the first ones count."""
        if self._measured < MEASURED_RUNS:
            self._measured += 1
            self._slowest_s = max(self._slowest_s, seconds)


class FailureLog:
    """Remembers when a worker failed, to tell one failure from a broken device.

    Args:
        policy: how many failures are accepted, and within what time.
    """

    def __init__(self, policy: WorkerPolicy) -> None:
        self._policy = policy
        self._times_s: deque[float] = deque()
        self._up_since_s: float | None = None
        self._in_a_row = 0

    def came_up(self, now_s: float) -> None:
        """Note that a worker runs from this time on, of any clock that only goes forward."""
        self._up_since_s = now_s

    def add(self, now_s: float) -> None:
        """Note a failure at this time, of the same clock."""
        steady = self._up_since_s is not None and now_s - self._up_since_s >= STEADY_S
        self._in_a_row = 1 if steady else self._in_a_row + 1
        self._up_since_s = None
        self._times_s.append(now_s)
        while self._times_s[0] <= now_s - self._policy.within_s:
            self._times_s.popleft()

    @property
    def count(self) -> int:
        """Failures within the policy's time before the last one, which is counted too."""
        return len(self._times_s)

    @property
    def too_many(self) -> bool:
        """Whether no new worker is to be started."""
        return self.count > self._policy.restarts

    @property
    def backoff_s(self) -> float:
        """How long to wait before the next start: twice as long with each failure in a row."""
        doublings = min(max(self._in_a_row - 1, 0), 16)
        return min(FIRST_BACKOFF_S * 2.0**doublings, LONGEST_BACKOFF_S)
