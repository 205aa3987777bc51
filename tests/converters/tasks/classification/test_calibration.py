"""Temperature, calibration error and the threshold of `unknown`, from answers on validation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.tasks.classification.calibration import (
    calibration_error,
    fit_temperature,
    least_certainty,
    with_temperature,
)
from edgeinfer.converters.tasks.classification.evaluation import ClassEvaluation
from edgeinfer.converters.tasks.classification.task import TASK
from edgeinfer.converters.tasks.registry import find_compared
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.registry import make_decode
from edgeinfer.device.tasks.spec import Decoder
from edgeinfer.device.tasks.task import Said

LABELS = ("cat", "dog", "owl")
SAID = Said(labels=LABELS, decoder=Decoder(activation="softmax"))


def problem(
    count: int, temperature: float, *, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return logits whose probabilities are true at this temperature, with classes drawn so."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 3, (count, len(LABELS)))
    chances = with_temperature(logits, temperature)
    truths = (chances.cumsum(axis=1) < generator.random((count, 1))).sum(axis=1)
    return logits, np.minimum(truths, len(LABELS) - 1).astype(np.int64)


def answered(
    logits: NDArray[np.float64], truths: NDArray[np.int64], said: Said = SAID
) -> ClassEvaluation:
    """Return the evaluation of a model with these outputs, through the device's decoder."""
    output = TensorSpec(name="output", shape=(1, len(LABELS)), dtype="float32")
    spec = PreprocessSpec(size=(8, 8), mean=(0.0,) * 3, std=(1.0,) * 3)
    decode = make_decode("classification", said, (output,), spec)
    outcomes = [
        TASK.outcome(int(truth), decode([row[None].astype(np.float32)]))
        for row, truth in zip(logits, truths, strict=True)
    ]
    evaluation = TASK.evaluation(outcomes, said)
    assert isinstance(evaluation, ClassEvaluation)
    return evaluation


@pytest.mark.parametrize("temperature", [0.5, 2.0, 3.5])
def test_the_temperature_is_found(temperature: float) -> None:
    logits, truths = problem(2000, temperature)
    found = fit_temperature(logits, truths)
    assert found == pytest.approx(temperature, rel=0.1)
    right = logits.argmax(axis=1) == truths
    before, after = (
        calibration_error(with_temperature(logits, one).max(axis=1), right)
        for one in (1.0, found or 1.0)
    )
    assert after < 0.03 < before


def test_what_chance_explains_changes_nothing() -> None:
    # At a true temperature of 1, 95 of 100 sets of pictures need no other; these ten neither.
    for seed in range(10):
        assert fit_temperature(*problem(1000, 1.0, seed=seed)) is None, seed
    assert fit_temperature(*problem(4, 2.0)) is None
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, np.int64)) is None
    assert fit_temperature(np.full((50, 3), np.nan), np.zeros(50, np.int64)) is None


@pytest.mark.parametrize("count", [20, 200])
def test_a_model_without_an_error_is_not_taken_for_perfect(count: int) -> None:
    truths = np.arange(count) % 3
    logits = 4.0 * np.eye(3)[truths]
    found = fit_temperature(logits, truths)
    certainty = with_temperature(logits, found or 1.0).max(axis=1).mean()
    assert certainty == pytest.approx((count + 1) / (count + 2), abs=0.02)


def test_the_threshold_keeps_enough_right_answers() -> None:
    generator = np.random.default_rng(0)
    certainties, right = generator.random(500), generator.random(500) < 0.8
    for share in (0.0, 0.02, 0.3):
        least = least_certainty(certainties, right, share)
        assert least is not None
        lost = (certainties[right] < least).mean()
        assert share - 0.01 < lost <= share
    assert least_certainty(certainties, np.zeros(500, np.bool_), 0.1) is None


def test_the_task_settles_the_same_whatever_was_settled_before() -> None:
    logits, truths = problem(800, 2.0)
    first = TASK.settled(SAID, answered(logits, truths))
    assert first.decoder.temperature == pytest.approx(2.0, rel=0.1)
    again = TASK.settled(first, answered(logits, truths, first))
    assert again.decoder.temperature == pytest.approx(first.decoder.temperature, rel=1e-3)
    # A form of the model that needs none loses that of an earlier one.
    good, chosen = problem(800, 1.0)
    assert TASK.settled(first, answered(good, chosen, first)).decoder.temperature is None


def test_figures_tell_the_error_before_and_after_and_what_is_unknown() -> None:
    logits, truths = problem(800, 2.0)
    plain = answered(logits, truths)
    assert set(plain.figures()) == {"ece"}
    said = TASK.with_unknown(TASK.settled(SAID, plain), plain, 0.02)
    figures = answered(logits, truths, said).figures()
    assert figures["ece-uncalibrated"] == pytest.approx(plain.figures()["ece"], abs=1e-6)
    assert figures["ece"] < figures["ece-uncalibrated"]
    assert 0.0 < figures["right-unknown"] <= 0.02
    assert figures["unknown"] > figures["right-unknown"]
    assert figures["answered-top1"] > plain.score
    text = "\n".join(answered(logits, truths, said).lines())
    assert "expected calibration error" in text
    assert "unknown: " in text
    # Without pictures there is nothing to say, and no error.
    empty = TASK.evaluation([], said)
    assert (empty.figures(), empty.lines()) == ({}, [])


def test_other_tasks_and_several_classes_have_no_unknown() -> None:
    evaluation = answered(*problem(10, 1.0))
    detection = find_compared("detection")
    with pytest.raises(UsageError, match="--unknown: is given for a model of task 'detection'"):
        detection.with_unknown(Said(), evaluation, 0.02)


def test_probabilities_that_are_none_get_no_temperature() -> None:
    logits, truths = problem(800, 2.0)
    said = replace(SAID, decoder=Decoder(activation="none"))
    evaluation = answered(with_temperature(logits, 1.0), truths, said)
    assert TASK.settled(said, evaluation) is said
