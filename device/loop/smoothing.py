"""Answers that hold still: each one smoothed over the last few, as its kind knows how."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.registry import OWN, find_task

MAX_SMOOTHED = 1000
"""At most this many answers are kept; a minute at 15 a second."""


class Smoother:
    """Smooths answers that come in the order of their frames.

    Args:
        count: over how many, this one included; 1 leaves all as they are.
    """

    def __init__(self, count: int) -> None:
        self._before: deque[Prediction] = deque(maxlen=count - 1)

    def __call__(self, answer: Answer) -> Answer:
        """Return the answer, smoothed over it and those before it."""
        prediction = answer.prediction
        if self._before.maxlen == 0:
            return answer
        # Another model may have replaced the one before.
        before = [one for one in self._before if prediction.goes_on(one)]
        self._before.append(prediction)
        return replace(answer, prediction=prediction.smoothed(before))


def require_smooth(task: str, count: int) -> None:
    """Refuse to smooth what cannot be.

    Raises:
        UsageError: the count is impossible, or the task's answers cannot be smoothed.
    """
    if not 1 <= count <= MAX_SMOOTHED:
        raise UsageError("--smooth", got=str(count), expected=f"1 to {MAX_SMOOTHED:,} answers")
    if count > 1 and not find_task(task).smooths:
        able = [name for name in OWN if find_task(name).smooths]
        raise UsageError(
            "--smooth",
            got=f"the model's task is '{task}', whose answers cannot be smoothed",
            expected=f"one of {', '.join(able)}",
            next_step="leave --smooth out",
        )
