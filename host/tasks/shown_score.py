"""How people read the score that a task gives a network while it trains."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ShownScore:
    """The name of a task's score, and what of it is shown.

    Attributes:
        name: what people call it.
        of: of what it is a percentage, with a space before; empty where the name says it.
        error: what is missing from a score of 1 is shown, so that less is better.
    """

    name: str = "accuracy"
    of: str = ""
    error: bool = False

    def percent(self, share: float) -> float:
        """Return the figure of a score from 0 to 1."""
        return 100 * (1 - share if self.error else share)

    def words(self, share: float) -> str:
        """Return name and figure.

        Example:
            >>> ShownScore(name="mean error", of=" of the range", error=True).words(0.995)
            'mean error 0.50 % of the range'
        """
        return f"{self.name} {self.percent(share):.2f} %{self.of}"
