"""The Pareto front, the winner, and the best result that a candidate could reach."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edgeinfer.converters.tasks.intervals import wilson
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Baseline, Candidate, Footprint, Measured, Trial

BASELINE = -1
"""The number of the run's own plain INT8 among the trials."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A finished model that could win.

    Attributes:
        number: of its trial, or `BASELINE`.
        candidate: the candidate.
        measured: its figures.
    """

    number: int
    candidate: Candidate
    measured: Measured

    @property
    def title(self) -> str:
        """Its name for people."""
        return "baseline" if self.number == BASELINE else f"#{self.number}"

    def dominates(self, other: Entry) -> bool:
        """Return whether it is worse in nothing and better in something."""
        mine, theirs = _goals(self.measured), _goals(other.measured)
        return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))


def entries(baseline: Baseline, size: tuple[int, int], trials: Iterable[Trial]) -> list[Entry]:
    """Return the baseline and all measured models.

    Args:
        baseline: the run's own figures.
        size: (width, height) of its input in pixels.
        trials: all of them.
    """
    own = Candidate(kind="plain", size=size)
    return [
        Entry(number=BASELINE, candidate=own, measured=baseline.measured),
        *(
            Entry(number=trial.number, candidate=trial.candidate, measured=trial.measured)
            for trial in trials
            if trial.measured is not None
        ),
    ]


def pareto_front(models: Sequence[Entry]) -> list[Entry]:
    """Return the models that no other beats in accuracy, time and size, the fastest first.

    If several have the same figures, the first one stays.
    """
    front = []
    for index, model in enumerate(models):
        same = (_goals(other.measured) == _goals(model.measured) for other in models[:index])
        if not any(same) and not any(other.dominates(model) for other in models):
            front.append(model)
    return sorted(front, key=lambda model: (model.measured.footprint.ratio, model.number))


def better_than_chance(model: Entry, chance: float, samples: int) -> bool:
    """Return whether a model is surely better than one that answers without looking.

    The run as it is counts as better: it is what all are compared with.

    Args:
        model: a measured model.
        chance: the accuracy of such answers, 0 to 1; 0 where it is not known.
        samples: the number of pictures behind the model's accuracy.
    """
    if not chance or model.candidate.kind == "plain":
        return True
    return wilson(model.measured.accuracy * samples, samples)[0] > chance


def excess(model: Entry, budget: Budget, baseline: Baseline) -> dict[str, float]:
    """Return by how much a model exceeds each limit; see `Budget.excess`."""
    footprint = model.measured.footprint
    return budget.excess(
        float_accuracy=baseline.float_accuracy,
        accuracy=model.measured.accuracy,
        invoke_ms=footprint.invoke_ms,
        size_bytes=footprint.size_bytes,
    )


def excess_of(footprint: Footprint, budget: Budget, baseline: Baseline) -> dict[str, float]:
    """Return by how much time and size exceed their limits, for any accuracy."""
    return budget.excess(
        float_accuracy=baseline.float_accuracy,
        invoke_ms=footprint.invoke_ms,
        size_bytes=footprint.size_bytes,
    )


def choose_winner(models: Sequence[Entry], budget: Budget, baseline: Baseline) -> Entry | None:
    """Return the best model within the budget; None if there is none."""
    kept = [
        model
        for model in models
        if all(part <= 0 for part in excess(model, budget, baseline).values())
    ]

    def rank(model: Entry) -> tuple[float, float, int]:
        # A difference of less than a hundredth between two times is not significant.
        accuracy, ratio = -model.measured.accuracy, round(model.measured.footprint.ratio, 2)
        goals = (ratio, accuracy) if budget.wants_fastest else (accuracy, ratio)
        return (*goals, model.measured.footprint.size_bytes)

    return min(kept, key=rank, default=None)


def nearest(models: Sequence[Entry], budget: Budget, baseline: Baseline) -> Entry:
    """Return the model that exceeds the budget least, all limits together."""

    def broken(model: Entry) -> float:
        return sum(max(0.0, part) for part in excess(model, budget, baseline).values())

    return min(models, key=lambda model: (broken(model), model.measured.footprint.ratio))


def standard_error(accuracy: float, samples: int) -> float:
    """Return the standard error of a share of this many pictures, 0 to 1."""
    # Half a picture is added so that a perfect score does not look certain.
    share = min(max(accuracy, 0.5 / samples), 1 - 0.5 / samples)
    return math.sqrt(share * (1 - share) / samples)


def hopeful_accuracy(
    candidate: Candidate, models: Sequence[Entry], baseline: Baseline
) -> tuple[float, Entry | None]:
    """Return the best validation top-1 that a candidate may reach, and why.

    It is that of the best known model. A network with less of everything than a trained one (fewer
    channels, fewer pixels) may be as accurate as that one, and by chance two standard errors
    better.

    Args:
        candidate: not trained yet.
        models: the measured models.
        baseline: the run's own figures.

    Returns:
        The share, 0 to 1, and the model that has more of everything, or None.
    """
    best = max(baseline.float_accuracy, *(model.measured.accuracy for model in models))
    samples, reason = baseline.validation_samples, None
    for model in models:
        if model.candidate.kind != "plain" and model.candidate.covers(candidate):
            accuracy = model.measured.accuracy
            hope = accuracy + 2 * standard_error(accuracy, samples)
            if hope < best:
                best, reason = hope, model
    return best, reason


def better_known(footprint: Footprint, accuracy: float, models: Sequence[Entry]) -> Entry | None:
    """Return a model that is as fast, as small and at least as accurate as this, or None."""
    for model in models:
        known = model.measured.footprint
        if (
            known.ratio <= footprint.ratio
            and known.size_bytes <= footprint.size_bytes
            and model.measured.accuracy >= accuracy
        ):
            return model
    return None


def _goals(measured: Measured) -> tuple[float, float, float]:
    footprint = measured.footprint
    return (-measured.accuracy, footprint.ratio, footprint.size_bytes)
