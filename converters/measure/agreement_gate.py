"""The gate without labels: float32's answers are the truth, and a share of them must be kept.

A share that was counted on a few pictures is known only within an interval, see
`tasks/intervals.py`. A model is refused where even the upper end of the 95 % interval is below
`REFUSED_BELOW`: then more pictures of the kind would not save it. Below `WANTED` repairs are tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.measure.accuracy_gate import Evaluations, why_text
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.intervals import mean_interval, wilson
from edgeinfer.device.core.errors import AccuracyError
from edgeinfer.device.core.tensors import Precision

WANTED = 0.95
"""Models that agree less are repaired; if no repair helps, there is a warning."""

REFUSED_BELOW = 0.90
"""Models are refused where even the upper end of the 95 % interval is below this share."""

FEW_PICTURES = 50
"""With fewer pictures there is a warning: of 49 that all agree, the share may still be 92.7 %."""

WIDE_INTERVAL = 0.20
"""With a wider interval there is a warning, however many pictures there are."""


@dataclass(frozen=True, kw_only=True)
class AgreementGate:
    """Float32's answers are the truth, and a share of them must be kept.

    Attributes:
        min_agreement: the smallest share, 0 to 1, of which the user is sure; None decides by
            `WANTED` and `REFUSED_BELOW`.
        counted: what is counted as agreement, in words.
    """

    min_agreement: float | None = None
    counted: str = ""
    truth: str = "float32"
    figure: str = "agreement"

    def step(self, pictures: str) -> str:
        """Return the name of the step."""
        return "compare with float32"

    def title(self, reference: Evaluation) -> str:
        """Return the same word for every task."""
        return "agreement"

    def passes(self, reference: Evaluation, candidate: Evaluation) -> bool:
        """Return whether a candidate agrees with float32 so often that it needs no repair."""
        return candidate.score >= (WANTED if self.min_agreement is None else self.min_agreement)

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
        """Refuse a candidate that disagrees too often."""
        if self.min_agreement is not None:
            refused = candidate.score < self.min_agreement
            expected = f"at least {self.min_agreement:.2%}"
        else:
            refused = agreement_interval(candidate.scores)[1] < REFUSED_BELOW
            expected = f"an interval that reaches {REFUSED_BELOW:.0%}"
        if refused:
            raise AccuracyError(
                name,
                got=self._text(candidate, precision) + why_text(lost_where, tried),
                expected=expected,
                next_step="try other --pictures, or a lower --min-agreement",
            )

    def figures(
        self, pictures: str, results: Mapping[str, Evaluation], precision: Precision
    ) -> dict[str, float]:
        """Return the share kept with its interval, 0 to 1, and the number of pictures.

        Of a model that was compared on no picture only their number is known.
        """
        small = results[precision]
        known = {}
        if small.samples:
            low, high = agreement_interval(small.scores)
            known = {"": small.score, ".low": low, ".high": high}
        return {
            **{f"{pictures}.{precision}{end}": figure for end, figure in known.items()},
            f"{pictures}.samples": float(small.samples),
        }

    def lines(self, evaluations: Evaluations, precision: Precision) -> list[str]:
        """Return a line."""
        ((_, results),) = evaluations.items()
        return [self._text(results[precision], precision)]

    def warnings(self, evaluations: Evaluations, precision: Precision) -> list[str]:
        """Return a line for each doubt: too few pictures, too little agreement, one answer only."""
        ((_, results),) = evaluations.items()
        small, found = results[precision], []
        if not small.samples:
            return ["agreement with float32 is not known: there was nothing to compare"]
        low, high = agreement_interval(small.scores)
        if self.min_agreement is None and not self.passes(results["float32"], small):
            found.append(
                f"agreement with float32 is below {WANTED:.0%}: measure the model with labelled "
                "--pictures before it is used, or try another --precision"
            )
        if small.samples < FEW_PICTURES or high - low > WIDE_INTERVAL:
            found.append(
                f"agreement on {_pictures(small)} may be anything from {low:.1%} to {high:.1%}: "
                "give more --pictures"
            )
        answers = np.unique(small.groups)
        if small.samples > 1 and len(answers) == 1 < len(small.group_names):
            found.append(
                f"float32 gives the same answer to all {_pictures(small)} "
                f"({small.group_names[answers[0]]}): agreement tells little"
            )
        return found

    def reported(self, evaluations: Evaluations) -> dict[str, Evaluation]:
        """Return nothing: a confusion with float32's answers is not an error to report."""
        return {}

    def _text(self, small: Evaluation, precision: Precision) -> str:
        if not small.samples:
            return f"{precision.upper()} was compared with float32 on no picture"
        low, high = agreement_interval(small.scores)
        counted = f"; counted: {self.counted}" if self.counted else ""
        return (
            f"{precision.upper()} agrees with float32 by {small.score:.2%} on {_pictures(small)} "
            f"(95 % interval {low:.2%} to {high:.2%}{counted})"
        )


def _pictures(small: Evaluation) -> str:
    return f"{small.samples:,} picture{'' if small.samples == 1 else 's'}"


def agreement_interval(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of an agreement.

    The bootstrap of a few pictures is too narrow: pictures that were not drawn cannot differ more
    than those that were. So with less than `FEW_PICTURES` the interval is at least as wide as that
    of a share of right and wrong answers with the same mean: no scores from 0 to 1 vary more.

    Args:
        scores: (pictures,) 0 to 1.

    Returns:
        Its ends, 0 to 1. Without pictures, the whole range.

    >>> low, high = agreement_interval(np.array([0.8, 0.8, 0.8]))
    >>> round(low, 3), round(high, 3)
    (0.296, 0.975)
    """
    low, high = mean_interval(scores)
    if not 0 < len(scores) < FEW_PICTURES:
        return low, high
    widest = wilson(float(scores.sum()), len(scores))
    return min(low, widest[0]), max(high, widest[1])
