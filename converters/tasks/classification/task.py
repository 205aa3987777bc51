"""Classification: a target is the index of a label, and an answer is right or wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.page.parts import Part
from edgeinfer.converters.tasks.classification.calibration import (
    fit_temperature,
    least_certainty,
)
from edgeinfer.converters.tasks.classification.evaluation import ClassEvaluation
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.device.tasks.classification.multi_label import MultiLabel
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.task import Said


class Shared(NamedTuple):
    """Classes that two answers have in common, and that they have together."""

    found: int
    both: int


class Picked(NamedTuple):
    """A true class, the best one, and the logarithms of all probabilities, (classes,)."""

    truth: int
    answer: int
    logs: NDArray[np.float32]
    unknown: bool


class MeasuredClassification(MeasuredTask):
    """A class for a picture."""

    name: ClassVar[str] = "classification"
    column: ClassVar[str] = "label"
    score_name: ClassVar[str] = "top-1"
    figure: ClassVar[str] = "top1"
    counted: ClassVar[str] = "the same best class"
    distribution: ClassVar[bool] = True
    pipeline: ClassVar[str] = "image-classification"
    card_metrics: ClassVar[tuple[str, ...]] = ("accuracy",)

    def chance(self, targets: Sequence[int]) -> float:
        """Return the share of the most frequent class."""
        return max(Counter(targets).values(), default=0) / max(1, len(targets))

    def write_target(self, target: int, said: Said) -> str:
        """Return the label."""
        return said.labels[target]

    def target_reader(self, said: Said) -> Callable[[str], int]:
        """Return a function that finds a label's index."""
        indices = {label: index for index, label in enumerate(said.labels)}

        def read(text: str) -> int:
            if text not in indices:
                raise ValueError(f"label is {text!r}, expected one of the run's labels")
            return indices[text]

        return read

    def counts(self, said: Said) -> str:
        """Return it for classes that exclude each other, and for others."""
        return self.counted if said.decoder.multi_label is None else "true classes (F1)"

    def group(self, target: int) -> Hashable:
        """Return the class."""
        return target

    def truth(self, target: int, said: Said) -> str | None:
        """Return the label."""
        return said.labels[target]

    def target_of(self, prediction: Prediction) -> int | frozenset[int]:
        """Return the best class; all true ones where several may be true."""
        if isinstance(prediction, MultiLabel):
            return _true_classes(prediction)
        assert isinstance(prediction, Classification)
        return prediction.index

    def outcome(self, target: int | frozenset[int], prediction: Prediction) -> Picked | Shared:
        """Return the true class, the best one, and the probabilities.

        Where several may be true, return how many of them both answers have.
        """
        if isinstance(target, frozenset):
            assert isinstance(prediction, MultiLabel)
            answer = _true_classes(prediction)
            return Shared(found=len(target & answer), both=len(target) + len(answer))
        assert isinstance(prediction, Classification)
        logs = np.log(np.maximum(prediction.probabilities, _LEAST)).astype(np.float32)
        return Picked(target, prediction.index, logs, prediction.unknown)

    def evaluation(self, outcomes: Sequence[Picked | Shared], said: Said) -> Evaluation:
        """Return how often the best class is the true one.

        Where several may be true, return F1 of each picture in which one is.
        """
        shared = [outcome for outcome in outcomes if isinstance(outcome, Shared)]
        if shared:
            return _shared_evaluation(shared)
        found = [outcome for outcome in outcomes if not isinstance(outcome, Shared)]
        pairs = np.array([outcome[:2] for outcome in found], np.int64).reshape(-1, 2)
        logs = np.array([outcome.logs for outcome in found], np.float32)
        logs = logs.reshape(len(found), len(said.labels))
        return ClassEvaluation(
            scores=(pairs[:, 0] == pairs[:, 1]).astype(np.float64),
            groups=pairs[:, 0],
            group_names=said.labels,
            score_name=self.score_name,
            certainty=np.exp(logs[np.arange(len(found)), pairs[:, 0]].astype(np.float64)),
            answers=pairs[:, 1],
            logs=logs,
            temperature=said.decoder.temperature or 1.0,
            unknown=None
            if said.decoder.unknown_below is None
            else np.array([outcome.unknown for outcome in found], np.bool_),
        )

    def page_parts(self, evaluation: Evaluation, said: Said) -> tuple[Part, ...]:
        """Return classes, confusions, curves, and the worst and the least certain pictures."""
        from edgeinfer.converters.tasks.classification.page import class_parts

        if not isinstance(evaluation, ClassEvaluation):
            return super().page_parts(evaluation, said)
        return class_parts(evaluation)

    def settled(self, said: Said, evaluation: Evaluation) -> Said:
        """Return it with the temperature of the logits that suits the answers, or without one."""
        if said.decoder.activation != "softmax" or not isinstance(evaluation, ClassEvaluation):
            return said
        if evaluation.logs is None:
            return said
        logits = evaluation.logs.astype(np.float64) * evaluation.temperature
        temperature = fit_temperature(logits, evaluation.groups)
        return replace(said, decoder=replace(said.decoder, temperature=temperature))

    def with_unknown(self, said: Said, evaluation: Evaluation, share: float) -> Said:
        """Return it with the probability below which an answer is `unknown`."""
        if said.decoder.multi_label is not None or not isinstance(evaluation, ClassEvaluation):
            return super().with_unknown(said, evaluation, share)
        certainties = evaluation.certainties(said.decoder.temperature or 1.0)
        least = least_certainty(certainties, evaluation.right, share)
        return replace(said, decoder=replace(said.decoder, unknown_below=least))

    def report(self, evaluations: Mapping[str, Evaluation], drawn: str) -> dict[str, bytes]:
        """Return the confusions as tables, and one as a picture."""
        from edgeinfer.converters.tasks.classification.confusion import (
            confusion_picture,
            confusion_table,
        )

        files = {}
        for name, evaluation in evaluations.items():
            assert isinstance(evaluation, ClassEvaluation)
            files[f"confusion.{name}.csv"] = confusion_table(evaluation)
            if name == drawn:
                files[f"confusion.{name}.png"] = confusion_picture(evaluation, name)
        return files


_LEAST = 1e-30
"""Of probabilities, so that they have a logarithm in float32."""


def _shared_evaluation(outcomes: Sequence[Shared]) -> Evaluation:
    scores = [2 * outcome.found / outcome.both for outcome in outcomes if outcome.both]
    return Evaluation(
        scores=np.array(scores, np.float64),
        groups=np.zeros(len(scores), np.int64),
        group_names=("all",),
        score_name="F1 of classes",
    )


def _true_classes(answer: MultiLabel) -> frozenset[int]:
    return frozenset(map(int, np.flatnonzero(answer.probabilities >= answer.min_score)))


TASK = MeasuredClassification()
