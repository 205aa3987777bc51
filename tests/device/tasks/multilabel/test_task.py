"""Several labels: one number each, with its own threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.classification.multi_label import MultiLabel
from edgeinfer.device.tasks.multilabel.task import TASK
from edgeinfer.device.tasks.registry import make_decode
from edgeinfer.device.tasks.spec import Decoder, MultiLabelSpec
from edgeinfer.device.tasks.task import Said

LABELS = ("rain", "night", "snow")
SAID = Said(
    labels=LABELS,
    decoder=Decoder(activation="sigmoid", multi_label=MultiLabelSpec(min_scores=(0.5, 0.9, 0.1))),
)
OUTPUT = TensorSpec(name="out", shape=(1, 3), dtype="float32")
SPEC = PreprocessSpec(size=(8, 8))


def answer(said: Said, *logits: float) -> MultiLabel:
    decode = make_decode("multilabel", said, (OUTPUT,), SPEC)
    prediction = decode([np.array([logits], np.float32)])
    assert isinstance(prediction, MultiLabel)
    return prediction


def test_each_label_has_its_threshold() -> None:
    found = answer(SAID, 1.0, 1.0, -1.0)
    assert found.headline == "rain, snow"
    assert [name for name, _ in found.named] == ["rain", "snow"]
    assert found.text() == "rain 73.1%, snow 26.9%"
    assert found.to_json()["labels"] == [
        {"label": "rain", "probability": 0.731059},
        {"label": "snow", "probability": 0.268941},
    ]
    assert answer(SAID, -9.0, -9.0, -9.0).headline == "nothing"


def test_truths_of_several_labels() -> None:
    found = answer(SAID, 1.0, 1.0, -1.0)
    assert found.is_right("rain, snow") is True
    assert found.is_right("rain, night") is False
    assert found.is_right("nothing") is False
    assert found.is_right("rain") is True
    assert found.is_right("fog") is None


def test_one_least_score_for_all_replaces_them() -> None:
    said = TASK.adjusted(SAID, AnswerOptions(min_score=0.8))
    assert answer(said, 1.0, 1.0, -1.0).headline == "nothing"
    assert answer(said, 2.0, 1.0, -1.0).headline == "rain"


def test_smoothing_keeps_the_thresholds() -> None:
    last, before = answer(SAID, 1.0, 9.0, -1.0), answer(SAID, 1.0, -9.0, -1.0)
    assert last.headline == "rain, night, snow"
    assert last.smoothed([before]).headline == "rain, snow"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (replace(SAID, labels=()), "needs a label"),
        (replace(SAID, labels=("rain",)), "3 min_scores, expected 1"),
        (replace(SAID, decoder=replace(SAID.decoder, activation="softmax")), "'softmax'"),
        (replace(SAID, decoder=Decoder(activation="sigmoid")), "several classes a picture"),
    ],
)
def test_what_does_not_fit_is_refused(wrong: Said, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TASK.check(wrong)


def test_impossible_thresholds_are_refused() -> None:
    with pytest.raises(ValueError, match="min_scores are"):
        MultiLabelSpec(min_scores=(0.5, 1.5))


def test_thresholds_are_shown() -> None:
    assert ("classes", "several, from a score of 0.5 (rain), 0.9 (night), 0.1 (snow)") in TASK.rows(
        SAID
    )
