"""Answers smoothed over several frames: by each kind's own rule, and never over another model's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edgeinfer.device
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.loop.smoothing import MAX_SMOOTHED, Smoother, require_smooth
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.embedding.prediction import Embedding
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.value.prediction import Value
from tests.support.program import edgeinfer_here

FRAME = Frame(pixels=np.zeros((1, 1, 3), np.uint8), format="rgb", sequence=0, captured_ns=0)


def classes(*probabilities: float, labels: tuple[str, ...] = ("cat", "dog")) -> Classification:
    return Classification(labels=labels, probabilities=np.array(probabilities))


def smoothed(count: int, predictions: list[Prediction]) -> list[Prediction]:
    smoother = Smoother(count)
    answers = [Answer(frame=FRAME, prediction=one, age_ms=1.0) for one in predictions]
    return [smoother(answer).prediction for answer in answers]


def test_of_classes_the_mean_over_the_last_answers_holds() -> None:
    told = smoothed(3, [classes(1, 0), classes(1, 0), classes(0, 1), classes(0, 1), classes(0, 1)])
    shares = [one.score("dog") for one in told]
    assert shares == pytest.approx([0, 0, 1 / 3, 2 / 3, 1])
    assert [one.headline for one in told] == ["cat", "cat", "cat", "dog", "dog"]


def test_of_values_one_wrong_reading_moves_nothing() -> None:
    readings = [2.0, 2.5, 900.0, 2.0, 2.5]
    told = smoothed(3, [Value(value=value, unit="bar") for value in readings])
    assert [one.quantities()["value"] for one in told] == [2.0, 2.25, 2.5, 2.5, 2.5]


def test_one_answer_alone_stays_as_it_is() -> None:
    before = [classes(1, 0), classes(0, 1)]
    assert all(one is other for one, other in zip(smoothed(1, list(before)), before, strict=True))


def test_another_models_answers_are_not_mixed_in() -> None:
    bird = classes(0, 1, labels=("cat", "bird"))
    plain = Embedding(vector=np.ones(3))
    told = smoothed(9, [classes(1, 0), bird, Value(value=3.0, unit="m"), plain, classes(0, 1)])
    assert told[1].score("bird") == 1
    assert told[2].quantities() == {"value": 3.0}
    assert told[3] is plain
    assert told[4].score("dog") == 0.5  # the first model is back: its answer counts again


@pytest.mark.parametrize("count", [0, -1, MAX_SMOOTHED + 1])
def test_a_count_that_is_none_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match="--smooth"):
        require_smooth("value", count)


def test_a_task_that_cannot_be_smoothed_is_refused() -> None:
    require_smooth("pose", 1)
    with pytest.raises(
        UsageError, match=r"task is 'pose'.* one of classification, multilabel, value"
    ):
        require_smooth("pose", 2)


def test_a_video_is_answered_smoothly(sample_bundle: Path, video: Path) -> None:
    plain = list(edgeinfer.device.open(sample_bundle, camera=video))
    soft = list(edgeinfer.device.open(sample_bundle, camera=video, smooth=4))
    for number, prediction in enumerate(soft):
        last = plain[max(0, number - 3) : number + 1]
        wanted = np.mean([one.probabilities for one in last], axis=0)  # type: ignore[attr-defined]
        np.testing.assert_allclose(prediction.probabilities, wanted)  # type: ignore[attr-defined]
    done = edgeinfer_here(
        *("run", "--camera", video, "--model", sample_bundle, "--smooth", 12, "--json")
    )
    first, *_, last_line, _ = done.stdout.splitlines()
    assert f'"label": "{plain[0].headline}"' in first
    mean = np.mean([one.probabilities for one in plain], axis=0)  # type: ignore[attr-defined]
    assert f'"probability": {mean.max():.6f}'.rstrip("0") in last_line
