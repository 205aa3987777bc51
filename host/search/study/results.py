"""The result of a search at one moment: all trials, the Pareto front and the winner."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeinfer.device.core.errors import SearchError
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.candidate import Baseline, Trial
from edgeinfer.host.search.front import (
    Entry,
    better_than_chance,
    choose_winner,
    nearest,
    pareto_front,
)


@dataclass(frozen=True, kw_only=True)
class Found:
    """The result of a search so far.

    Attributes:
        name: the run's name.
        budget: the limits.
        baseline: the run's own figures.
        models: the baseline and all measured models.
        trials: all trials.
        spent_s: time of all starts, seconds.
        chance: the accuracy of answers without looking at the pictures, 0 to 1.
        front: the models that no other beats, without those whose accuracy may be chance.
        winner: the best of `models` within the budget, also without those; None if there is none.
    """

    name: str
    budget: Budget
    baseline: Baseline
    models: tuple[Entry, ...]
    trials: tuple[Trial, ...]
    spent_s: float
    chance: float = 0.0
    front: tuple[Entry, ...] = field(init=False)
    winner: Entry | None = field(init=False)

    def __post_init__(self) -> None:
        """Find the front and choose the winner."""
        offered = self._offered
        object.__setattr__(self, "front", tuple(pareto_front(offered)))
        object.__setattr__(self, "winner", choose_winner(offered, self.budget, self.baseline))

    @property
    def _offered(self) -> list[Entry]:
        samples = self.baseline.validation_samples
        return [model for model in self.models if better_than_chance(model, self.chance, samples)]

    def left_out(self) -> str:
        """Return how many models are not offered, in a sentence; "" if all are."""
        count = len(self.models) - len(self._offered)
        if not count:
            return ""
        models, their = ("model is", "its") if count == 1 else ("models are", "their")
        return (
            f"{count} {models} left out: {their} accuracy may be chance, which reaches "
            f"{100 * self.chance:.2f} % on the {self.baseline.validation_samples:,} validation "
            "pictures with one answer for all"
        )

    def require_winner(self) -> Entry:
        """Return the winner.

        Raises:
            SearchError: no candidate keeps the budget; the error names the closest one.
        """
        if self.winner is not None:
            return self.winner
        close = nearest(self._offered, self.budget, self.baseline)
        figures = close.measured
        raise SearchError(
            self.name,
            got=f"no candidate keeps the budget; {close.title} "
            f"({close.candidate.text()}) is the closest: {100 * figures.accuracy:.2f} % (float "
            f"{100 * self.baseline.float_accuracy:.2f} %), {figures.footprint.invoke_ms:.3g} ms, "
            f"{figures.footprint.size_bytes / 1000:,.0f} kB",
            expected=self.budget.text(),
            next_step="search longer with a larger --time-limit, or allow more, with another --out",
        )
