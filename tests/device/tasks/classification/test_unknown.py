"""Calibrated probabilities, and the answer where no class is probable enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.classification.task import TASK
from edgeinfer.device.tasks.spec import Decoder, MultiLabelSpec
from edgeinfer.device.tasks.task import Said

LOGITS = TensorSpec(name="output", shape=(1, 2), dtype="float32")
SPEC = PreprocessSpec(size=(8, 8), mean=(0.0,) * 3, std=(1.0,) * 3)
SAID = Said(labels=("cat", "dog"), decoder=Decoder(activation="softmax"))


def answer(said: Said, *logits: float) -> Classification:
    prediction = TASK.make_decode(said, (LOGITS,), SPEC)([np.array([logits], np.float32)])
    assert isinstance(prediction, Classification)
    return prediction


def saying(**decoder: float) -> Said:
    return replace(SAID, decoder=replace(SAID.decoder, **decoder))  # type: ignore[arg-type]


def test_the_temperature_divides_the_logits_in_float64() -> None:
    got = answer(saying(temperature=1.7), 1.0, 3.0).probabilities
    exact = np.exp(np.array([1.0, 3.0]) / 1.7)
    np.testing.assert_allclose(got, exact / exact.sum(), rtol=1e-15)
    assert got.dtype == np.float64


def test_below_the_threshold_the_answer_is_unknown() -> None:
    said = saying(unknown_below=0.9)
    sure, unsure = answer(said, 0.0, 5.0), answer(said, 0.0, 1.0)
    assert (sure.label, sure.unknown, sure.text()) == ("dog", False, "dog 99.3%")
    assert sure.to_json()["unknown"] is False
    assert (unsure.label, unsure.headline, unsure.index) == ("unknown", "unknown", 1)
    assert unsure.text() == "unknown (dog 73.1%)"
    assert unsure.phrases(None) == ["unknown  73.1%"]
    told = unsure.to_json()
    assert (told["label"], told["unknown"]) == ("unknown", True)
    # It is not right and not wrong, and nothing is recorded of it as a class.
    assert (unsure.is_right("dog"), unsure.is_right("cat"), sure.is_right("cat")) == (
        None,
        None,
        False,
    )
    assert (unsure.score("dog"), unsure.ranked(2)) == (0.0, [])
    # Smoothing keeps the threshold: a mean that is sure enough is a class.
    assert unsure.smoothed([sure, sure]).label == "dog" or unsure.smoothed([sure, sure]).unknown
    assert unsure.smoothed([sure] * 9).label == "dog"
    assert answer(said, np.nan, 1.0).unknown  # of broken numbers nothing is known


def test_a_model_that_says_nothing_of_it_answers_as_before() -> None:
    told = answer(SAID, 0.0, 0.1).to_json()
    assert set(told) == {"label", "probability", "top"}
    assert told["label"] == "dog"


def test_the_least_score_makes_answers_unknown_and_zero_never() -> None:
    changed = TASK.adjusted(SAID, AnswerOptions(min_score=0.8))
    assert changed.decoder.unknown_below == 0.8
    assert TASK.adjusted(changed, AnswerOptions()).decoder.unknown_below == 0.8
    assert TASK.adjusted(changed, AnswerOptions(min_score=0.0)).decoder.unknown_below is None
    assert ("unknown", "below a probability of 0.8") in TASK.rows(changed)


def test_only_what_is_used_needs_a_newer_manifest() -> None:
    assert TASK.schema(SAID) == 1
    assert TASK.schema(saying(temperature=0.8)) == 3
    assert TASK.schema(saying(unknown_below=0.8)) == 3


@pytest.mark.parametrize(
    ("decoder", "message"),
    [
        ({"activation": "softmax", "temperature": 0.0}, "temperature is 0.0, expected 0.01"),
        ({"activation": "softmax", "temperature": float("nan")}, "temperature is nan"),
        ({"activation": "softmax", "unknown_below": 1.5}, "unknown_below is 1.5, expected 0 to 1"),
        ({"activation": "none", "temperature": 2.0}, "needs logits"),
        ({"multi_label": MultiLabelSpec(), "unknown_below": 0.5}, "several classes"),
    ],
)
def test_impossible_ones_are_refused(decoder: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TASK.check(replace(SAID, decoder=Decoder(**decoder)))  # type: ignore[arg-type]
