"""The accuracy gate: a smaller model may lose only so much.

Where the pictures' labels are known, they are the truth, and `LabelGate` decides. Where they are
not known, the answers of float32 are the truth; see `agreement_gate.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from edgeinfer.converters.measure.loss import loss_between
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.device.core.errors import AccuracyError
from edgeinfer.device.core.tensors import Precision


def drop_points(reference: Evaluation, candidate: Evaluation) -> float:
    """Return how many percentage points of the score the candidate loses; negative for a gain."""
    return 100 * (reference.score - candidate.score)


def within_drop(reference: Evaluation, candidate: Evaluation, max_drop_points: float) -> bool:
    """Return whether a candidate loses at most this many points."""
    # Differences of two shares are not exact in binary; a billionth of a point decides nothing.
    return drop_points(reference, candidate) <= max_drop_points + 1e-9


def worst_groups(
    reference: Evaluation, candidate: Evaluation, count: int = 3
) -> list[tuple[str, float]]:
    """Return the groups that lose most, with their loss in points, the worst group first."""
    losses = 100 * (reference.group_scores() - candidate.group_scores())
    order = np.argsort(-np.nan_to_num(losses, nan=-np.inf), kind="stable")[:count]
    return [(reference.group_names[i], float(losses[i])) for i in order if losses[i] > 0]


Evaluations = Mapping[str, Mapping[str, Evaluation]]
"""How models answered, by the name of the pictures, then by precision."""


class Gate(Protocol):
    """What a smaller model may lose."""

    @property
    def truth(self) -> str | None:
        """The model whose answers are the truth; None where the pictures' labels are."""

    @property
    def figure(self) -> str:
        """What metrics call the score."""

    def title(self, reference: Evaluation) -> str:
        """Return what people call the score."""

    def step(self, pictures: str) -> str:
        """Return the name of the step that measures on these pictures, for the progress."""

    def passes(self, reference: Evaluation, candidate: Evaluation) -> bool:
        """Return whether a candidate is good enough compared with float32."""

    def require(
        self,
        name: str,
        reference: Evaluation,
        candidate: Evaluation,
        *,
        precision: Precision,
        lost_where: str = "",
        tried: str = "",
    ) -> None:
        """Refuse a candidate that is not good enough.

        Args:
            name: the model's name.
            reference: the float model's answers.
            candidate: the smaller model's, on the same pictures.
            precision: the candidate's precision.
            lost_where: the layer that loses most, for the error.
            tried: the repairs that were not enough, for the error.

        Raises:
            AccuracyError: it is not good enough.
        """

    def figures(
        self, pictures: str, results: Mapping[str, Evaluation], precision: Precision
    ) -> dict[str, float]:
        """Return the bundle's figures of evaluations, by precision, on these pictures."""

    def lines(self, evaluations: Evaluations, precision: Precision) -> list[str]:
        """Return the evaluations as lines for people."""

    def warnings(self, evaluations: Evaluations, precision: Precision) -> list[str]:
        """Return what makes an accepted model, or the measurement itself, doubtful, a line each."""

    def reported(self, evaluations: Evaluations) -> dict[str, Evaluation]:
        """Return the evaluations for the bundle's report, by `PICTURES.PRECISION`."""


@dataclass(frozen=True, kw_only=True)
class LabelGate:
    """The pictures' targets are the truth, and the score may fall by a number of points.

    Attributes:
        max_drop_points: the largest loss, in percentage points.
        figure: what metrics call the score.
        pictures: what errors call the pictures that decide.
        remedies: what may help a model that loses more, for errors.
    """

    max_drop_points: float = 1.0
    figure: str = "top1"
    pictures: str = "validation pictures"
    remedies: str = "raise --calibration-images, train longer"
    truth: None = None

    def step(self, pictures: str) -> str:
        """Return the name of the step."""
        return f"evaluate on {pictures}"

    def title(self, reference: Evaluation) -> str:
        """Return the task's name of its score."""
        return reference.score_name

    def passes(self, reference: Evaluation, candidate: Evaluation) -> bool:
        """Return whether a candidate loses at most that."""
        return within_drop(reference, candidate, self.max_drop_points)

    def require(
        self,
        name: str,
        reference: Evaluation,
        candidate: Evaluation,
        *,
        precision: Precision,
        lost_where: str = "",
        tried: str = "",
    ) -> None:
        """Refuse a candidate that loses more; the error names the worst classes."""
        if self.passes(reference, candidate):
            return
        lost = loss_between(reference, candidate)
        worst = ", ".join(
            f"{name} -{loss:.1f}" for name, loss in worst_groups(reference, candidate)
        )
        worst = f"; worst: {worst}" if worst else ""
        raise AccuracyError(
            name,
            got=f"{precision.upper()} loses {lost.text()} of {reference.score_name} on "
            f"{reference.samples} {self.pictures} ({reference.score:.2%} to "
            f"{candidate.score:.2%}{worst})" + why_text(lost_where, tried),
            expected=f"at most {self.max_drop_points:.2f}",
            next_step=f"{self.remedies}, or allow more with --max-drop",
        )

    def figures(
        self, pictures: str, results: Mapping[str, Evaluation], precision: Precision
    ) -> dict[str, float]:
        """Return the score of each precision, 0 to 1, its further figures, and the pictures."""
        figures = {
            f"{pictures}.{name}.{figure}": number
            for name, result in results.items()
            for figure, number in {self.figure: result.score, **result.figures()}.items()
        }
        return {**figures, f"{pictures}.samples": float(results["float32"].samples)}

    def lines(self, evaluations: Evaluations, precision: Precision) -> list[str]:
        """Return a table of scores and losses: a row for each set of pictures."""
        name = precision.upper() if precision.startswith(("int", "uint")) else precision
        first = next(iter(evaluations.values()))["float32"]
        head = f"{first.score_name:12}{'float32':>10}{name:>10}{'pictures':>10}"
        rows = [f"{head}  lost, 95 % interval"]
        for pictures, results in evaluations.items():
            small = results[precision]
            rows.append(
                f"{pictures:12}{results['float32'].score:>10.2%}{small.score:>10.2%}"
                f"{small.samples:>10,}  {_lost(results['float32'], small)}"
            )
        pictures, last = list(evaluations.items())[-1]
        for title, one in (("float32", last["float32"]), (name, last[precision])):
            rows += [f"{pictures} {title}: {line}" for line in one.lines()]
        return rows

    def warnings(self, evaluations: Evaluations, precision: Precision) -> list[str]:
        """Return a line where float32 itself is not better than chance on the pictures that decide.

        Then its loss says nothing. Chance is one of the groups that have pictures, such as classes.
        """
        reference = next(iter(evaluations.values()))["float32"]
        groups = len(np.unique(reference.groups))
        if groups < 2 or reference.interval[0] > 1 / groups:
            return []
        return [
            f"float32 itself is right on {reference.score:.2%} of {reference.samples:,} pictures, "
            f"not better than chance among {groups} classes: check how the model wants its input, "
            "and the order of its labels"
        ]

    def reported(self, evaluations: Evaluations) -> dict[str, Evaluation]:
        """Return all."""
        return {
            f"{pictures}.{name}": result
            for pictures, results in evaluations.items()
            for name, result in results.items()
        }


def _lost(reference: Evaluation, candidate: Evaluation) -> str:
    return loss_between(reference, candidate).text() if candidate.samples else ""


def why_text(lost_where: str, tried: str) -> str:
    """Return where a model loses and what was tried, to be appended to what an error found."""
    return (f"; the largest loss is in {lost_where}" if lost_where else "") + (
        f"; tried, but not enough: {tried}" if tried else ""
    )
