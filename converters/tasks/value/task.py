"""Value: a target is one number, or several, and an answer is as good as it is near."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.page.parts import Part
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.converters.tasks.value.conformal import (
    COVERAGE,
    half_width,
    interval_notes,
    kept_back,
    of_interval,
)
from edgeinfer.converters.tasks.value.evaluation import (
    FIGURES,
    ValueEvaluation,
    evaluate_values,
    figures_from,
)
from edgeinfer.converters.tasks.value.near import TOLERANCE, Compared, near_evaluation
from edgeinfer.converters.tasks.value.target import ValueTarget
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.spec import ValueSpec
from edgeinfer.device.tasks.spec.value import Scaling
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tasks.value.prediction import Value, Values
from edgeinfer.device.tasks.value.reading import Reading
from edgeinfer.device.tasks.value.task import scalings, values_in

BINS = 10
"""Pictures for golden frames and calibration come from this many parts of the range in turn."""


class Measured(NamedTuple):
    """A picture's true values and a model's, (values,) each."""

    truth: NDArray[np.float64]
    answer: NDArray[np.float64]


class MeasuredValue(MeasuredTask):
    """A measured quantity, or several.

    Where the true values are known, the score of a picture is 1 less its error as a share of the
    range. Where another model's answers are the truth, it is the share of values near them, see
    `near.py`.
    """

    name: ClassVar[str] = "value"
    column: ClassVar[str] = "value"
    named_folders: ClassVar[bool] = False
    score_name: ClassVar[str] = "near readings"
    figure: ClassVar[str] = "closeness"
    counted: ClassVar[str] = f"values within {TOLERANCE:.0%} of their spread"

    def chance(self, targets: Sequence[ValueTarget]) -> float:
        """Return the score of a model that always gives the median."""
        values = np.array([target.values for target in targets], np.float64)
        if not len(values):
            return 0.0
        spread = np.ptp(values, axis=0)
        away = np.abs(values - np.median(values, axis=0)).mean(axis=0)
        shares = np.zeros_like(away)
        np.divide(away, spread, out=shares, where=spread > 0)
        return 1.0 - float(shares.mean())

    def write_target(self, target: ValueTarget, said: Said) -> str:
        """Return the numbers, with `;` between them."""
        return ";".join(repr(float(value)) for value in target.values)

    def target_reader(self, said: Said) -> Callable[[str], ValueTarget]:
        """Return a function that reads the numbers."""
        count, first = values_in(said), scalings(said if said.value else _unknown(said))[0]

        def read(text: str) -> ValueTarget:
            values = tuple(float(part) for part in text.split(";"))
            if len(values) != count or not all(map(math.isfinite, values)):
                raise ValueError(f"value is {text!r}, expected {count} finite numbers")
            stratum = 0
            whole = first.period or first.range
            if whole:
                low = first.offset if first.period else first.offset - whole / 2
                stratum = int(min(max((values[0] - low) / whole, 0.0), 0.999) * BINS)
            return ValueTarget(values, stratum)

        return read

    def group(self, target: ValueTarget) -> Hashable:
        """Return the part of the range, or of all targets in their order, that it is in."""
        return target.stratum

    def truth(self, target: ValueTarget, said: Said) -> str:
        """Return the values with their units."""
        each = zip(target.values, scalings(said), strict=True)
        texts = [Reading(value=value, unit=one.unit).text for value, one in each]
        if not said.labels:
            return texts[0]
        return ", ".join(f"{name} {text}" for name, text in zip(said.labels, texts, strict=True))

    def target_of(self, prediction: Prediction) -> NDArray[np.float64]:
        """Return the values, (values,)."""
        if isinstance(prediction, Values):
            return prediction.values
        assert isinstance(prediction, Value)
        return np.array([prediction.value])

    def outcome(
        self, target: ValueTarget | NDArray[np.float64], prediction: Prediction
    ) -> Measured | Compared:
        """Return the true values, or another model's, and the answer's."""
        answer = self.target_of(prediction)
        if isinstance(target, ValueTarget):
            return Measured(np.array(target.values, np.float64), answer)
        return Compared(target, answer)

    def evaluation(self, outcomes: Sequence[Measured | Compared], said: Said) -> Evaluation:
        """Return the errors; of two models' answers, how many are near each other."""
        compared = [one for one in outcomes if isinstance(one, Compared)]
        if compared:
            plain = (Scaling(unit=""),) * len(compared[0].truth)
            each = scalings(said) if said.value else plain
            return near_evaluation(compared, each, self.score_name)
        each = scalings(said if said.value else _unknown(said))
        count = len(each)
        return evaluate_values(
            np.array([one.truth for one in outcomes], np.float64).reshape(-1, count),
            np.array([one.answer for one in outcomes], np.float64).reshape(-1, count),
            said.labels,
            each,
        )

    def kept_back(self, pictures: int) -> slice:
        """Return every second one, which the interval is made of."""
        return kept_back(pictures)

    def settled(self, said: Said, evaluation: Evaluation) -> Said:
        """Return the description with the interval that the answers of an evaluation give.

        With too few pictures there is none.
        """
        if said.value is None or not isinstance(evaluation, ValueEvaluation):
            return said
        errors = np.abs(evaluation.errors)[of_interval(evaluation.samples)]
        widths = [half_width(errors[:, place]) for place in range(errors.shape[1])]
        known = tuple(width for width in widths if width is not None)
        value = replace(said.value, half_widths=None, coverage=None)
        if len(known) == len(widths):
            value = replace(value, half_widths=known, coverage=COVERAGE)
        return replace(said, value=value)

    def summary(
        self, metrics: Mapping[str, float], name: str, said: Said, pictures: int
    ) -> list[str]:
        """Return the errors of each value and its interval."""
        lines = []
        for value, one in zip(said.labels or ("",), scalings(said), strict=True):
            end = f".{value}" if value else ""
            found = {key: metrics.get(f"{name}.{key}{end}") for key in FIGURES}
            # It covers nine of ten of these pictures because it was made of them.
            lines.append(figures_from(value, one.unit, found | {"covered": None}).text())
            if one.half_width is not None and said.value is not None:
                width = f"{one.half_width:.3g} {one.unit}".rstrip()
                start = f"{value}: " if value else ""
                lines.append(f"{start}interval ±{width}, for {said.value.coverage:.0%} of pictures")
        used = len(range(pictures)[of_interval(pictures)])
        return lines + interval_notes(said, used)

    def page_parts(self, evaluation: Evaluation, said: Said) -> tuple[Part, ...]:
        """Return truth against answer, the error over the range, and the largest errors."""
        from edgeinfer.converters.tasks.value.page import readings_of, value_parts

        if not isinstance(evaluation, ValueEvaluation):
            return super().page_parts(evaluation, said)
        return value_parts(readings_of(evaluation, said), evaluation.lines())

    def data_parts(
        self, targets: Mapping[str, Sequence[ValueTarget]], said: Said
    ) -> tuple[Part, ...]:
        """Return how the true values are spread in each split."""
        from edgeinfer.converters.tasks.value.page import value_counts

        count = values_in(said)
        values = {
            split: np.array([one.values for one in found], np.float64).reshape(-1, count)
            for split, found in targets.items()
        }
        named = zip(said.labels or ("value",), scalings(said), strict=True)
        titles = [f"{name}, {one.unit}" if one.unit else name for name, one in named]
        return value_counts(values, titles)

    def report(self, evaluations: Mapping[str, Evaluation], drawn: str) -> dict[str, bytes]:
        """Return true values and answers as tables, and one as a picture."""
        from edgeinfer.converters.tasks.value.report import value_picture, value_table

        files = {}
        for name, evaluation in evaluations.items():
            assert isinstance(evaluation, ValueEvaluation)
            files[f"values.{name}.csv"] = value_table(evaluation)
            if name == drawn and evaluation.samples:
                files[f"values.{name}.png"] = value_picture(evaluation, name)
        return files


def _unknown(said: Said) -> Said:
    """Return the description of a model that says no unit."""
    return replace(said, value=ValueSpec(unit=""))


TASK = MeasuredValue()
