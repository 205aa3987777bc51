"""Several labels: their scores, the thresholds, and targets as text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from edgeinfer.converters.bundle.golden import choose_samples
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.multilabel.evaluation import (
    MultiLabelEvaluation,
    best_min_scores,
    labels_table,
)
from edgeinfer.converters.tasks.multilabel.task import TASK
from edgeinfer.device.tasks.classification.multi_label import MultiLabel
from edgeinfer.device.tasks.spec import Decoder, MultiLabelSpec
from edgeinfer.device.tasks.task import Said

LABELS = ("a", "b;c", 'd"')
SAID = Said(labels=LABELS, decoder=Decoder(activation="sigmoid", multi_label=MultiLabelSpec()))


def evaluation(*pairs: tuple[set[int], tuple[float, float, float]]) -> MultiLabelEvaluation:
    outcomes = [
        TASK.outcome(frozenset(true), MultiLabel(labels=LABELS, probabilities=np.array(found)))
        for true, found in pairs
    ]
    result = TASK.evaluation(outcomes, SAID)
    assert isinstance(result, MultiLabelEvaluation)
    return result


def test_a_score_is_f1_of_the_labels() -> None:
    found = evaluation(
        ({0, 1}, (0.9, 0.1, 0.9)),
        (set(), (0.1, 0.1, 0.1)),
        ({2}, (0.1, 0.1, 0.9)),
        ({0}, (0.1, 0.1, 0.1)),
    )
    assert found.scores.tolist() == [0.5, 1.0, 1.0, 0.0]
    assert found.worst(4) == [3, 0]
    a, b, d = found.by_label()
    assert (a.pictures, a.precision, a.recall) == (2, 1.0, 0.5)
    assert a.f1 == pytest.approx(2 / 3)
    assert b.recall == 0
    assert np.isnan(b.precision)
    assert d.precision == 0.5
    assert found.macro_f1 == pytest.approx((2 / 3 + 0 + 2 / 3) / 3)


def test_the_table_holds_every_label() -> None:
    table = labels_table(evaluation(({0, 1}, (0.9, 0.1, 0.9)))).decode()
    assert table.splitlines()[1] == "a,1,1.0000,1.0000,1.0000,0.5000"
    assert table.splitlines()[2] == "b;c,1,,0.0000,0.0000,0.5000"


@given(st.frozensets(st.integers(0, 2)))
def test_targets_are_read_back(target: frozenset[int]) -> None:
    assert TASK.target_reader(SAID)(TASK.write_target(target, SAID)) == target


@pytest.mark.parametrize("text", ["", "a", "{}", '["x"]', "[1]", '[["a"]]'])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"labels are|Expecting"):
        TASK.target_reader(SAID)(text)


def test_one_answer_for_all_is_chance() -> None:
    targets = [frozenset({0}), frozenset({0, 1}), frozenset({1})]
    # Both labels: 2/3, 1 and 2/3. One of them: 1, 2/3 and 0.
    assert TASK.chance(targets) == pytest.approx(7 / 9)
    assert TASK.chance([frozenset()] * 3) == 1.0
    assert TASK.chance([]) == 0.0


@given(arrays(np.float64, (30, 1), elements=st.floats(0, 1, width=16)), arrays(np.bool_, (30, 1)))
def test_no_threshold_is_better(
    probabilities: NDArray[np.float64], truths: NDArray[np.bool_]
) -> None:
    (chosen,) = best_min_scores(truths, probabilities, least=1)

    def f1(least: float) -> float:
        said = probabilities >= least
        total = said.sum() + truths.sum()
        return float(2 * (said & truths).sum() / total) if total else 0.0

    if 0 < truths.sum() < 30 and len(set(probabilities[:, 0])) > 1:
        assert f1(chosen) >= max(f1(float(least)) for least in probabilities[:, 0]) - 1e-9
    assert 0 <= chosen <= 1


def test_few_pictures_choose_no_threshold() -> None:
    truths = np.zeros((50, 1), np.bool_)
    truths[:5] = True
    probabilities = np.where(truths, 0.3, 0.1)
    assert best_min_scores(truths, probabilities, least=6) == (0.5,)
    assert best_min_scores(truths, probabilities, least=5) == pytest.approx((0.2,))


def test_a_threshold_of_a_half_stays_where_it_is_as_good_as_any() -> None:
    truths = np.arange(40)[:, None] % 2 == 0
    assert best_min_scores(truths, np.where(truths, 0.9, 0.2), least=5) == (0.5,)


def test_thresholds_become_part_of_the_description() -> None:
    pairs = [({0}, (0.3, 0.9, 0.5))] * 20 + [(set(), (0.1, 0.9, 0.5))] * 20
    settled = TASK.settled(SAID, evaluation(*pairs))
    assert settled.decoder.multi_label == MultiLabelSpec(min_scores=(0.2, 0.5, 0.5))


def test_chosen_pictures_have_all_kinds_of_labels() -> None:
    targets = [frozenset({0})] * 5 + [frozenset({0, 1})] * 5 + [frozenset[int]()] * 5
    samples = [Sample(source=str(i), target=target) for i, target in enumerate(targets)]
    chosen = [sample.target for sample in choose_samples(samples, 6, TASK)]
    assert chosen == [frozenset(), frozenset({0}), frozenset({0, 1})] * 2
