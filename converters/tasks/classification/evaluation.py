"""How a classifier answered."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.tasks.classification.calibration import (
    calibration_error,
    with_temperature,
)
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.device.tasks.task import Said


@dataclass(frozen=True, kw_only=True)
class ClassEvaluation(Evaluation):
    """How a classifier answered; the groups are the classes.

    Attributes:
        answers: (pictures,) int64: the predicted class.
        logs: (pictures, classes) float32: the logarithms of the probabilities. None where they are
            not known.
        temperature: what the logits were divided by.
        unknown: (pictures,) bool: whether the answer was `unknown`, in place of the predicted
            class. None for a model that always names a class.
    """

    answers: NDArray[np.int64]
    logs: NDArray[np.float32] | None = None
    temperature: float = 1.0
    unknown: NDArray[np.bool_] | None = None

    @property
    def probabilities(self) -> NDArray[np.float32] | None:
        """(pictures, classes) float32: the probability of each class; None if not known."""
        return None if self.logs is None else np.exp(self.logs)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(classes, classes) int64, rows the truth, columns the answer."""
        classes = len(self.group_names)
        counts = np.bincount(self.groups * classes + self.answers, minlength=classes * classes)
        return counts.reshape(classes, classes).astype(np.int64)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(pictures,) whether the best class is the true one."""
        right: NDArray[np.bool_] = self.answers == self.groups
        return right

    def calibration_error(self, temperature: float | None = None) -> float | None:
        """Return the expected calibration error, 0 to 1, as answered or at another temperature.

        None where the probabilities are not known.
        """
        if self.logs is None or not len(self.logs):
            return None
        wanted = self.temperature if temperature is None else temperature
        return calibration_error(self.certainties(wanted), self.right)

    def certainties(self, temperature: float) -> NDArray[np.float64]:
        """Return the probability of each best class at a temperature, (pictures,)."""
        assert self.logs is not None
        logits = self.logs.astype(np.float64) * self.temperature
        best: NDArray[np.float64] = with_temperature(logits, temperature).max(axis=1)
        return best

    def under(self, said: Said) -> ClassEvaluation:
        """Return the same answers at another temperature, and with another threshold."""
        if self.logs is None:
            return self
        temperature, least = said.decoder.temperature or 1.0, said.decoder.unknown_below
        logits = self.logs.astype(np.float64) * self.temperature
        chances = np.maximum(with_temperature(logits, temperature), 1e-30)
        return replace(
            self,
            logs=np.log(chances).astype(np.float32),
            certainty=chances[np.arange(self.samples), self.groups],
            temperature=temperature,
            unknown=None if least is None else chances.max(axis=1) < least,
        )

    def figures(self) -> dict[str, float]:
        """Return the calibration error, that without a temperature, and what is `unknown`."""
        error, plain = self.calibration_error(), self.calibration_error(1.0)
        figures = {} if error is None else {"ece": error}
        if plain is not None and self.temperature != 1.0:
            figures["ece-uncalibrated"] = plain
        if self.unknown is not None and self.samples:
            figures["unknown"] = float(self.unknown.mean())
            figures["right-unknown"] = float(self.unknown[self.right].mean())
            figures["answered-top1"] = float(self.right[~self.unknown].mean())
        # Of no picture there is no share.
        return {name: figure for name, figure in figures.items() if figure == figure}

    def lines(self) -> list[str]:
        """Return the same for people."""
        figures = self.figures()
        lines = []
        if "ece-uncalibrated" in figures:
            lines.append(
                f"probabilities are off by {figures['ece']:.1%} on average (expected calibration "
                f"error), {figures['ece-uncalibrated']:.1%} without the temperature of "
                f"{self.temperature:g}"
            )
        elif "ece" in figures:
            lines.append(
                f"probabilities are off by {figures['ece']:.1%} on average (expected calibration "
                "error)"
            )
        if "unknown" in figures:
            lines.append(
                f"unknown: {figures['unknown']:.1%} of the answers, "
                f"{figures.get('right-unknown', 0.0):.1%} of those that would be right; of the "
                f"others {figures.get('answered-top1', 0.0):.2%} are right"
            )
        return lines
