"""How a model measured pictures whose values are known: errors in the unit, and a score."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.device.tasks.spec.value import Scaling
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tasks.value.task import scalings as scalings_of

SCORE_NAME = "closeness"

PARTS = 4
"""The range of a value is divided into this many parts; each has a score."""


@dataclass(frozen=True, kw_only=True)
class ValueFigures:
    """The errors of one value on some pictures, in its unit.

    Attributes:
        name: of the value; empty where there is one.
        unit: its unit.
        mae: the mean of the errors without their signs.
        rmse: the root of the mean square error.
        r2: the share of the variance that is explained; None where the true values are all equal.
        worst: the largest error.
        percent: the mean error in percent of the range; None where the range is 0.
        covered: the share of pictures whose true value is in the interval; None without one.
        half_width: of the interval, in the unit.
    """

    name: str
    unit: str
    mae: float
    rmse: float
    r2: float | None
    worst: float
    percent: float | None
    covered: float | None
    half_width: float | None

    def text(self) -> str:
        """Return them as a line for people."""

        def in_unit(number: float) -> str:
            return f"{number:.3g} {self.unit}".rstrip()

        percent = "" if self.percent is None else f" ({self.percent:.2f} % of the range)"
        parts = [f"mean error {in_unit(self.mae)}{percent}", f"RMSE {in_unit(self.rmse)}"]
        parts.append("R2 not known" if self.r2 is None else f"R2 {self.r2:.4f}")
        parts.append(f"worst {in_unit(self.worst)}")
        if self.covered is not None and self.half_width is not None:
            parts.append(f"within ±{in_unit(self.half_width)}: {self.covered:.1%}")
        return (f"{self.name}: " if self.name else "") + ", ".join(parts)


FIGURES = {
    **{key: key for key in ("mae", "rmse", "r2", "worst", "percent", "covered")},
    "interval": "half_width",
}
"""The figures in metrics, and the fields of `ValueFigures` that they are."""


def figures_from(name: str, unit: str, found: Mapping[str, float | None]) -> ValueFigures:
    """Return the figures that metrics hold, by the names of `FIGURES`; 0 for what must be there."""
    fields = {field: found.get(key) for key, field in FIGURES.items()}
    needed = {field: fields.pop(field) or 0.0 for field in ("mae", "rmse", "worst")}
    return ValueFigures(name=name, unit=unit, **needed, **fields)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class ValueEvaluation(Evaluation):
    """The measurements of one model. A picture's score is 1 less its mean error as a share of the
    range, so a point of the mean score is a percent of the range.

    Attributes:
        truths: (pictures, values) float64, in their units.
        answers: (pictures, values) float64.
        names: the values' names; one empty name where there is one value.
        scalings: how each value is read: its unit, range and interval.
    """

    truths: NDArray[np.float64]
    answers: NDArray[np.float64]
    names: tuple[str, ...]
    scalings: tuple[Scaling, ...]

    @property
    def errors(self) -> NDArray[np.float64]:
        """(pictures, values) float64: answer less truth, in units; on a circle the shorter way.

        An answer that is not a number is as wrong as the range is long.
        """
        return known_errors(self.truths, self.answers, self.scalings)

    def under(self, said: Said) -> ValueEvaluation:
        """Return the same answers with another interval."""
        return replace(self, scalings=scalings_of(said))

    def values(self) -> list[ValueFigures]:
        """Return the figures of each value; none without pictures."""
        if not self.samples:
            return []
        ranges = value_ranges(self.truths, self.scalings)
        found = []
        for place, (name, one) in enumerate(zip(self.names, self.scalings, strict=True)):
            errors = np.abs(self.errors[:, place])
            around = _around(self.truths[:, place], one)
            spread = float((around**2).sum())
            within = None
            if one.half_width is not None:
                within = float((errors <= one.half_width * (1 + 1e-9)).mean())
            found.append(
                ValueFigures(
                    name=name,
                    unit=one.unit,
                    mae=float(errors.mean()),
                    rmse=float(np.sqrt((errors**2).mean())),
                    r2=None if spread == 0 else 1 - float((errors**2).sum()) / spread,
                    worst=float(errors.max()),
                    percent=None if ranges[place] == 0 else 100 * errors.mean() / ranges[place],
                    covered=within,
                    half_width=one.half_width,
                )
            )
        return found

    def figures(self) -> dict[str, float]:
        """Return the errors for metrics, such as `mae`; of several values `mae.NAME`."""
        figures: dict[str, float] = {}
        for one in self.values():
            end = f".{one.name}" if one.name else ""
            known = {key: getattr(one, field) for key, field in FIGURES.items()}
            figures |= {
                f"{key}{end}": number for key, number in known.items() if number is not None
            }
        return figures

    def headline(self) -> tuple[str, str]:
        """Return the mean error of all values."""
        return "mean error", f"{100 * (1 - self.score):.2f} % of the range"

    def lines(self) -> list[str]:
        """Return the errors for people, a line for each value."""
        return [one.text() for one in self.values()]

    def worst(self, count: int) -> list[int]:
        """Return the places of the `count` pictures with the largest errors, the largest first."""
        return [int(place) for place in np.argsort(self.scores, kind="stable")[:count]]


def evaluate_values(
    truths: NDArray[np.float64],
    answers: NDArray[np.float64],
    names: Sequence[str],
    scalings: Sequence[Scaling],
) -> ValueEvaluation:
    """Return the evaluation of answers.

    Args:
        truths: (pictures, values) in their units.
        answers: (pictures, values).
        names: of the values; empty where there is one.
        scalings: how each is read.
    """
    ranges = value_ranges(truths, scalings)
    errors = np.abs(known_errors(truths, answers, scalings))
    shares = np.zeros_like(errors)
    np.divide(errors, ranges, out=shares, where=ranges > 0)
    groups, group_names = _parts(truths, names, scalings)
    return ValueEvaluation(
        scores=1.0 - np.clip(shares, 0.0, 1.0).mean(axis=1),
        groups=groups,
        group_names=group_names,
        score_name=SCORE_NAME,
        truths=truths,
        answers=answers,
        names=tuple(names) or ("",),
        scalings=tuple(scalings),
    )


def differences(
    answers: NDArray[np.float64], truths: NDArray[np.float64], scalings: Sequence[Scaling]
) -> NDArray[np.float64]:
    """Return answers less truths, (pictures, values); on a circle the shorter way around it."""
    found = np.array(answers - truths, np.float64)
    for place, one in enumerate(scalings):
        if one.period is not None:
            turned = (found[:, place] + one.period / 2) % one.period
            found[:, place] = turned - one.period / 2
    return found


def value_ranges(truths: NDArray[np.float64], scalings: Sequence[Scaling]) -> NDArray[np.float64]:
    """Return the range of each value, (values,): the model's, else that of the true values.

    A model that was trained elsewhere does not say its own.
    """
    spread = np.ptp(truths, axis=0) if len(truths) else np.zeros(len(scalings))
    known = [one.period or one.range for one in scalings]
    return np.array([float(own or spread[place]) for place, own in enumerate(known)])


def known_errors(
    truths: NDArray[np.float64], answers: NDArray[np.float64], scalings: Sequence[Scaling]
) -> NDArray[np.float64]:
    """Return `differences`; an answer that is not a number is as wrong as the range is long."""
    with np.errstate(invalid="ignore"):
        found = differences(answers, truths, scalings)
    errors: NDArray[np.float64] = np.where(
        np.isfinite(found), found, value_ranges(truths, scalings)
    )
    return errors


def _around(truths: NDArray[np.float64], scaling: Scaling) -> NDArray[np.float64]:
    """Return how far true values are from their mean, (pictures,); on a circle along it."""
    if scaling.period is None:
        away: NDArray[np.float64] = truths - truths.mean()
        return away
    angles = truths * (2 * np.pi / scaling.period)
    mean = np.angle(np.exp(1j * angles).mean()) * scaling.period / (2 * np.pi)
    return differences(truths[:, None], np.full((len(truths), 1), mean), (scaling,))[:, 0]


def _parts(
    truths: NDArray[np.float64], names: Sequence[str], scalings: Sequence[Scaling]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the part of its range in which each picture's value is; of several values one part."""
    one = scalings[0]
    whole = one.period or one.range
    if len(scalings) > 1 or not whole:
        return np.zeros(len(truths), np.int64), ("all",)
    low = one.offset if one.period else one.offset - whole / 2
    parts = np.floor((truths[:, 0] - low) / (whole / PARTS)).astype(np.int64)
    ends = [low + whole * step / PARTS for step in range(PARTS + 1)]
    titles = tuple(
        f"{start:.4g} to {end:.4g} {one.unit}".rstrip() for start, end in itertools.pairwise(ends)
    )
    return np.clip(parts, 0, PARTS - 1), titles
