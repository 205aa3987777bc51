"""One number for two classes, classes that do not exclude each other, and those of a mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.classification.multi_label import MultiLabel
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.classification.task import TASK
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.registry import guess_task
from edgeinfer.device.tasks.spec import Decoder, MultiLabelSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tflite.model import Tensor
from tests.device.graph_examples import constant, image, model

IMAGE = TensorSpec(name="image", shape=(1, 96, 96, 3), dtype="float32")


def output(count: int) -> TensorSpec:
    return TensorSpec(name="out", shape=(1, count), dtype="float32")


def guessed(count: int, last: str, wanted: str | None = None) -> Guess:
    graph = model((), [(last, (0,), (9,))], inputs=(0,), outputs=(9,))
    found = guess_task(Shown(graph=graph, inputs=(IMAGE,), outputs=(output(count),)), wanted)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("count", "last", "wanted", "task", "decoder"),
    [
        (1, "LOGISTIC", None, "classification", Decoder(activation="binary")),
        (1, "LOGISTIC", "classification", "classification", Decoder(activation="binary")),
        (1, "LOGISTIC", "value", "value", Decoder()),
        (1, "FULLY_CONNECTED", None, "value", Decoder()),
        (1, "FULLY_CONNECTED", "classification", "classification", Decoder(activation="sigmoid")),
        (5, "LOGISTIC", None, "classification", Decoder(multi_label=MultiLabelSpec())),
        (5, "LOGISTIC", "classification", "classification", Decoder()),
        (5, "SOFTMAX", None, "classification", Decoder()),
        (5, "FULLY_CONNECTED", None, "classification", Decoder(activation="softmax")),
        (5, "FULLY_CONNECTED", "value", "value", Decoder()),
    ],
)
def test_numbers_are_read_by_what_is_behind_them_or_as_the_user_says(
    count: int, last: str, wanted: str | None, task: str, decoder: Decoder
) -> None:
    found = guessed(count, last, wanted)
    assert (found.task, found.decoder) == (task, decoder)
    assert bool(found.reason) == (wanted is None)


def decoded(count: int, values: list[float], said: Said) -> Classification:
    TASK.check(said)
    TASK.check_outputs(said, [output(count)])
    decode = TASK.make_decode(said, [output(count)], PreprocessSpec(size=(8, 8)))
    answer = decode([np.array([values], np.float32)])
    assert isinstance(answer, Classification)
    return answer


def test_one_number_is_the_probability_of_the_second_class() -> None:
    said = Said(labels=("no hot dog", "hot dog"), decoder=Decoder(activation="binary"))
    answer = decoded(1, [0.75], said)
    assert answer.probabilities.tolist() == [0.25, 0.75]
    assert answer.label == "hot dog"
    logit = decoded(1, [0.0], Said(labels=("a", "b"), decoder=Decoder(activation="sigmoid")))
    assert logit.probabilities.tolist() == [0.5, 0.5]


def test_what_older_installations_cannot_read_needs_a_new_schema() -> None:
    def schema(**settings: Any) -> int:
        return TASK.schema(Said(labels=("a", "b"), decoder=Decoder(**settings)))

    assert schema() == schema(activation="softmax") == 1
    for settings in (
        {"activation": "binary"},
        {"activation": "sigmoid"},
        {"multi_label": MultiLabelSpec()},
    ):
        assert schema(**settings) == 3


@pytest.mark.parametrize("names", [("a", "b", "c"), ("a",)])
def test_one_number_has_two_names(names: tuple[str, ...]) -> None:
    with pytest.raises(ModelError, match=r"label"):
        TASK.fit_labels(guessed(1, "LOGISTIC"), names, given=True, subject="m")


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8), st.floats(0, 1))
def test_every_class_above_the_least_score_is_named(values: list[float], least: float) -> None:
    names = tuple(f"n{i}" for i in range(len(values)))
    said = Said(labels=names, decoder=Decoder(multi_label=MultiLabelSpec(min_score=least)))
    answer = decoded(len(values), values, said)
    assert isinstance(answer, MultiLabel)
    true = {
        name
        for name, v in zip(names, np.array(values, np.float32), strict=True)
        if float(v) >= least
    }
    assert {name for name, _ in answer.named} == true
    assert [score for _, score in answer.named] == sorted(
        (score for _, score in answer.named), reverse=True
    )
    for name in names:
        assert answer.is_right(name) is (name in true)
    assert answer.is_right("another") is None


def multi(*values: float) -> MultiLabel:
    return MultiLabel(labels=("rain", "night", "snow"), probabilities=np.array(values))


def test_classes_that_are_true_together() -> None:
    answer = multi(0.9, 0.75, 0.25)
    assert (answer.headline, answer.text()) == ("rain, night", "rain 90.0%, night 75.0%")
    assert answer.text(1) == "rain 90.0%, 1 more"
    labels: Any = answer.to_json(1)["labels"]
    assert [one["label"] for one in labels] == ["rain", "night"]
    assert answer.phrases("snow") == ["rain 90.0%, night 75.0%", "truth: snow"]
    assert answer.phrases("rain") == ["rain 90.0%, night 75.0%"]
    nothing = multi(0.1, 0.2, 0.3)
    assert (nothing.headline, nothing.text(), nothing.named) == ("nothing", "nothing", [])
    smoothed = nothing.smoothed([multi(1.0, 0.0, 0.3)])
    assert isinstance(smoothed, MultiLabel)
    assert smoothed.named == [("rain", 0.55)]


def test_the_least_score_is_an_option_of_those_that_have_one() -> None:
    several = Said(labels=("a", "b"), decoder=Decoder(multi_label=MultiLabelSpec()))
    changed = TASK.adjusted(several, AnswerOptions(min_score=0.9))
    assert changed.decoder.multi_label == MultiLabelSpec(min_score=0.9)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (Said(labels=("a", "b", "c"), decoder=Decoder(activation="sigmoid")), "for one number"),
        (
            Said(
                labels=("a", "b"),
                decoder=Decoder(activation="softmax", multi_label=MultiLabelSpec()),
            ),
            "not logits",
        ),
    ],
)
def test_contradictions_are_refused(said: Said, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TASK.check(said)


def pooled(classes: int, channels: int, kernel: int = 1, made_by: str = "CONV_2D") -> Guess:
    tensors: list[Tensor] = [image(1, 96, 96, 3), constant(classes, kernel, kernel, channels)]
    tensors += [image(1, 12, 12, classes), image(1, classes)]
    graph = model(
        tensors, [(made_by, (0, 1), (2,)), ("MEAN", (2,), (3,))], inputs=(0,), outputs=(3,)
    )
    found = guess_task(Shown(graph=graph, inputs=(IMAGE,), outputs=(output(classes),)))
    assert found is not None
    return found


def test_the_mean_of_a_number_a_class_is_a_classifier() -> None:
    found = pooled(5, 8)
    assert (found.task, found.decoder.activation) == ("classification", "softmax")
    assert "--task embedding" in found.reason


@pytest.mark.parametrize(
    "found", [pooled(1280, 320), pooled(5, 8, kernel=3), pooled(5, 8, made_by="ADD")]
)
def test_the_mean_of_features_is_an_embedding(found: Guess) -> None:
    assert found.task == "embedding"


def test_numbers_that_are_none_do_not_end_the_decoding() -> None:
    values: NDArray[np.float64] = np.array([np.nan, np.inf, 0.25])
    answer = MultiLabel(labels=("a", "b", "c"), probabilities=values)
    assert answer.headline == "b"
    assert answer.to_json(3)["labels"] == [{"label": "b", "probability": None}]


@pytest.mark.parametrize(
    ("scale", "task"), [(1 / 256, "classification"), (1 / 255, "value"), (0.5, "value")]
)
def test_a_sigmoid_inside_an_accelerators_operator_shows_by_its_quantization(
    scale: float, task: str
) -> None:
    number = TensorSpec(name="out", shape=(1, 1), dtype="uint8", scale=scale)
    graph = model((), [("edgetpu-custom-op", (0,), (9,))], inputs=(0,), outputs=(9,))
    (step,) = graph.subgraphs[0].operators
    inner = replace(graph.subgraphs[0], operators=(replace(step, custom=True),))
    graph = replace(graph, subgraphs=(inner,))
    found = guess_task(Shown(graph=graph, inputs=(IMAGE,), outputs=(number,)))
    assert found is not None
    assert found.task == task
