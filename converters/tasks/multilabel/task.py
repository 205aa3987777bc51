"""Several labels: a target is the set of a picture's labels, and a score is F1 of the two sets."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.page.parts import Part
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.multilabel.evaluation import (
    MultiLabelEvaluation,
    best_min_scores,
    evaluate_labels,
    labels_table,
)
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.device.tasks.classification.multi_label import NOTHING, MultiLabel
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.spec import MultiLabelSpec
from edgeinfer.device.tasks.task import Said

LEAST_PICTURES = 10
"""Validation pictures with a label, and without it, from which its threshold is chosen."""


class MeasuredMultiLabel(MeasuredTask):
    """Classes of which several may be true; a target is a frozenset of their indices.

    A picture's score is F1 of the true classes and the named ones: 1 where they are the same, also
    where there are none, 0 where they have nothing in common.
    """

    name: ClassVar[str] = "multilabel"
    column: ClassVar[str] = "labels"
    score_name: ClassVar[str] = "F1 of labels"
    figure: ClassVar[str] = "f1"
    counted: ClassVar[str] = "the same labels (F1)"
    pipeline: ClassVar[str] = "image-classification"
    card_metrics: ClassVar[tuple[str, ...]] = ("f1",)

    def chance(self, targets: Sequence[frozenset[int]]) -> float:
        """Return the best mean F1 of one answer for all: the most frequent labels."""
        if not targets:
            return 0.0
        labels = sorted(frozenset().union(*targets))
        counts = {label: sum(label in target for target in targets) for label in labels}
        order = sorted(labels, key=lambda label: -counts[label])
        answers = [frozenset(order[:count]) for count in range(len(order) + 1)]
        return max(
            sum(_f1(target, answer) for target in targets) / len(targets) for answer in answers
        )

    def group(self, target: frozenset[int]) -> Hashable:
        """Return its labels: pictures with the same ones are much the same."""
        return tuple(sorted(target))

    def write_target(self, target: frozenset[int], said: Said) -> str:
        """Return the labels as a JSON list, since a label may hold any separator."""
        return json.dumps([said.labels[index] for index in sorted(target)], ensure_ascii=False)

    def target_reader(self, said: Said) -> Callable[[str], frozenset[int]]:
        """Return a function that reads such a list."""
        indices = {label: index for index, label in enumerate(said.labels)}

        def read(text: str) -> frozenset[int]:
            names = json.loads(text)
            if not isinstance(names, list) or not all(
                isinstance(name, str) and name in indices for name in names
            ):
                raise ValueError(f"labels are {text!r}, expected a list of the run's labels")
            return frozenset(indices[name] for name in names)

        return read

    def truth(self, target: frozenset[int], said: Said) -> str | None:
        """Return the labels as answers name them."""
        return ", ".join(said.labels[index] for index in sorted(target)) or NOTHING

    def target_of(self, prediction: Prediction) -> frozenset[int]:
        """Return the labels that are named."""
        assert isinstance(prediction, MultiLabel)
        return frozenset(map(int, np.flatnonzero(prediction.true)))

    def outcome(
        self, target: frozenset[int], prediction: Prediction
    ) -> tuple[frozenset[int], NDArray[np.float64]]:
        """Return the true labels and the probability of each."""
        assert isinstance(prediction, MultiLabel)
        return target, prediction.probabilities

    def evaluation(
        self, outcomes: Sequence[tuple[frozenset[int], NDArray[np.float64]]], said: Said
    ) -> Evaluation:
        """Return F1 of each picture, and what was answered for each label."""
        count = len(said.labels)
        truths = np.zeros((len(outcomes), count), np.bool_)
        for row, (target, _) in zip(truths, outcomes, strict=True):
            row[sorted(target)] = True
        probabilities = np.array([found for _, found in outcomes], np.float64).reshape(-1, count)
        return evaluate_labels(truths, probabilities, said, self.score_name)

    def settled(self, said: Said, evaluation: Evaluation) -> Said:
        """Return the outputs' description with the threshold of each label."""
        if not isinstance(evaluation, MultiLabelEvaluation) or said.decoder.multi_label is None:
            return said
        least = best_min_scores(evaluation.truths, evaluation.probabilities, least=LEAST_PICTURES)
        # Six digits are enough, and short in the manifest.
        spec = MultiLabelSpec(min_scores=tuple(round(score, 6) for score in least))
        return replace(said, decoder=replace(said.decoder, multi_label=spec))

    def page_parts(self, evaluation: Evaluation, said: Said) -> tuple[Part, ...]:
        """Return the labels with their figures, and the worst and the least certain pictures."""
        from edgeinfer.converters.tasks.multilabel.page import label_parts

        if not isinstance(evaluation, MultiLabelEvaluation):
            return super().page_parts(evaluation, said)
        return label_parts(evaluation)

    def data_parts(
        self, targets: Mapping[str, Sequence[frozenset[int]]], said: Said
    ) -> tuple[Part, ...]:
        """Return how many pictures have each label."""
        from edgeinfer.converters.tasks.multilabel.page import label_counts

        return label_counts(targets, said.labels)

    def report(self, evaluations: Mapping[str, Evaluation], drawn: str) -> dict[str, bytes]:
        """Return the figures of each label as tables."""
        return {
            f"labels.{name}.csv": labels_table(evaluation)
            for name, evaluation in evaluations.items()
            if isinstance(evaluation, MultiLabelEvaluation)
        }


def _f1(one: frozenset[int], other: frozenset[int]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0


TASK = MeasuredMultiLabel()
