"""A student learns from its teacher: the loss is the published one, and nothing is left in it."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import LineProgress
from edgeinfer.device.core.errors import TrainingError
from edgeinfer.host.tasks.classification.task import TASK
from edgeinfer.host.tasks.loss_settings import LossSettings
from edgeinfer.host.tasks.task import Floats
from edgeinfer.host.training.config import TrainConfig, default_config
from edgeinfer.host.training.data.batches import Batches, ImageSource
from edgeinfer.host.training.data.feature_cache import DTYPE, FeatureFile
from edgeinfer.host.training.distillation.teacher import (
    StandardFeatures,
    TeacherAnswers,
    TeacherConfig,
)
from edgeinfer.host.training.history import History
from tests.host.training.data.problem import Memory, classes, squares

pytestmark = pytest.mark.slow

TABLE = ((np.arange(256.0) - 60) / 60).astype(np.float32)[None]
CONFIG = default_config(
    "resnet8", size=(8, 8), channels="grey", epochs=8, patience=8, batch_size=16, seed=1
)
CONFIG = replace(CONFIG, learning_rate=0.01)
TEACHER = TeacherConfig(run=Path("unused"), weight=0.7, temperature=2.0)


def _network(seed: int = 3) -> Any:
    """Return a network so small that a test takes a second."""
    import keras

    keras.utils.set_random_seed(seed)
    inputs = keras.Input((8, 8, 1), name="image")
    features = keras.layers.Flatten(name="pool")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(features))


def _batches(images: Memory, *, seed: int | None, weights: Floats | None = None) -> Batches:
    source = ImageSource(images, TABLE)
    return Batches(source=source, lesson=classes(2), batch_size=16, seed=seed, weights=weights)


def _sure(labels: NDArray[np.int32]) -> TeacherAnswers:
    """Return the answers of a teacher that is always right."""
    right = labels[:, None] == np.arange(2)
    return TeacherAnswers(logits=np.where(right, 2.0, -2.0).astype(np.float32))


def _fit(
    model: Any,
    images: Memory,
    answers: TeacherAnswers,
    *,
    config: TrainConfig = CONFIG,
    teacher: TeacherConfig = TEACHER,
    weights: Floats | None = None,
) -> History:
    from edgeinfer.host.training.distillation.distillation import fit_with_teacher

    history = History()
    fit_with_teacher(
        model,
        _batches(images, seed=config.seed, weights=weights),
        _batches(squares(32, seed=1), seed=None),
        config,
        teacher,
        answers,
        stage="train",
        history=history,
        progress=LineProgress(io.StringIO()),
    )
    return history


def _kept(folder: Path, rows: Floats) -> StandardFeatures:
    path = folder / "features.f16"
    path.write_bytes(rows.astype(DTYPE).tobytes())
    return StandardFeatures([FeatureFile(path, rows.shape)])


def test_a_student_learns_what_only_the_teacher_knows() -> None:
    images = squares(64)
    answers = _sure(images.rows)
    # Half of the labels are wrong, so they tell nothing.
    wrong = Memory(images.pixels, np.where(np.arange(64) % 4 < 2, 0, 1).astype(np.int32))
    with_teacher, alone = (
        _fit(_network(), wrong, answers, teacher=replace(TEACHER, weight=weight)).epochs[-1]
        for weight in (1.0, 1e-9)
    )
    assert with_teacher.val_accuracy > 0.9
    assert alone.val_accuracy < 0.75
    assert with_teacher.val_loss < alone.val_loss


def test_the_validation_loss_is_the_students_own_and_the_best_epoch_stays() -> None:
    from edgeinfer.host.training.fit import compile_model, evaluate

    images, model = squares(64), _network()
    config = replace(
        CONFIG, optimizer="sgd", schedule="constant", learning_rate=2.0, epochs=30, patience=3
    )
    epochs = _fit(model, images, _sure(images.rows), config=config).epochs
    losses = [epoch.val_loss for epoch in epochs]
    assert len(epochs) < 30
    assert len(epochs) - 1 - int(np.argmin(losses)) == 3
    compile_model(model, config, TASK)
    score = evaluate(model, _batches(squares(32, seed=1), seed=None))
    best = epochs[int(np.argmin(losses))]
    assert score.loss == pytest.approx(best.val_loss, rel=1e-5)
    assert score.accuracy == pytest.approx(best.val_accuracy)


def test_nothing_of_the_teacher_stays_in_the_model(tmp_path: Path) -> None:
    images, model = squares(64), _network()
    features = _kept(tmp_path, np.random.default_rng(0).normal(size=(64, 5)).astype(np.float32))
    answers = replace(_sure(images.rows), features=features)
    before = model.get_weights()
    _fit(model, images, answers, teacher=replace(TEACHER, features=True))
    assert [layer.name for layer in model.layers] == ["image", "pool", "logits"]
    assert len(model.get_weights()) == len(before)
    assert not np.array_equal(model.get_weights()[0], before[0])
    inputs = np.zeros((2, 8, 8, 1), np.float32)
    assert model(inputs).shape == (2, 2)


def test_features_alone_train_the_layers_below_them(tmp_path: Path) -> None:
    import keras

    def student() -> Any:
        keras.utils.set_random_seed(5)
        inputs = keras.Input((8, 8, 1), name="image")
        x = keras.layers.Dense(8, activation="relu")(keras.layers.Flatten()(inputs))
        x = keras.layers.Identity(name="pool")(x)
        return keras.Model(inputs, keras.layers.Dense(2, name="logits")(x))

    images = squares(64)
    told = (images.rows[:, None] * 2.0 - 1.0) * np.array([[1.0, -0.5, 2.0]])
    answers = TeacherAnswers(
        logits=np.zeros((64, 2), np.float32), features=_kept(tmp_path, told.astype(np.float32))
    )
    teacher = replace(TEACHER, weight=1.0, features=True)
    model = student()
    config = replace(CONFIG, epochs=15, patience=15)
    epochs = _fit(model, images, answers, teacher=teacher, config=config).epochs
    assert epochs[-1].loss < 0.5 * epochs[0].loss
    # What the features tell apart can be read off the layer, though the logits know nothing.
    pool = keras.Model(model.input, model.get_layer("pool").output)
    read = np.asarray(pool(ImageSource(images, TABLE).read(np.arange(64), None)[0]))
    read = np.column_stack([read, np.ones(64)])
    fitted = read @ np.linalg.lstsq(read, told[:, 0], rcond=None)[0]
    assert np.mean((fitted > 0) == (images.rows == 1)) > 0.9


def test_a_bare_head_learns_the_logits_only(tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((8, 8, 1))
    head = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs)))
    images = squares(64)
    features = _kept(tmp_path, np.ones((64, 5), np.float32))
    answers = replace(_sure(images.rows), features=features)
    epochs = _fit(head, images, answers, teacher=replace(TEACHER, features=True)).epochs
    assert epochs[-1].loss < epochs[0].loss


def _log_softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), np.float64)


@settings(max_examples=15, deadline=None)
@given(
    share=st.floats(0.05, 1.0),
    temperature=st.floats(0.5, 8.0),
    smoothing=st.sampled_from([0.0, 0.1]),
    weights=st.lists(st.floats(0.1, 5.0), min_size=6, max_size=6),
    with_features=st.booleans(),
    seed=st.integers(0, 100),
)
def test_the_loss_is_the_published_one_and_every_part_is_weighed(
    share: float,
    temperature: float,
    smoothing: float,
    weights: list[float],
    with_features: bool,
    seed: int,
) -> None:
    from edgeinfer.host.training.distillation.distillation import FEATURE_WEIGHT, make_distiller

    generator = np.random.default_rng(seed)
    answers_logits = generator.normal(size=(6, 2)).astype(np.float32)
    features = generator.normal(size=(6, 3)).astype(np.float32)

    class InMemory:
        shape = (6, 3)

    teacher = replace(TEACHER, weight=share, temperature=temperature, features=with_features)
    answers = TeacherAnswers(logits=answers_logits, features=InMemory())  # type: ignore[arg-type]
    distiller = make_distiller(
        _network(seed), teacher, answers, TASK.loss(LossSettings(label_smoothing=smoothing))
    )
    distiller.compile(loss=distiller.student_losses)
    images = generator.normal(size=(6, 8, 8, 1)).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[generator.integers(0, 2, 6)]
    x = (images, answers_logits, features) if with_features else (images, answers_logits)
    predicted = distiller(x)
    sample_weight = np.asarray(weights, np.float32)
    got = float(distiller.compute_loss(x, targets, predicted, sample_weight, training=True))

    logits = np.asarray(predicted[0] if with_features else predicted)
    smooth = targets * (1 - smoothing) + smoothing / 2
    labels_loss = -(smooth * _log_softmax(logits)).sum(axis=1)
    theirs, ours = _log_softmax(answers_logits / temperature), _log_softmax(logits / temperature)
    teacher_loss = (np.exp(theirs) * (theirs - ours)).sum(axis=1) * temperature**2
    if with_features:
        teacher_loss += FEATURE_WEIGHT * ((features - np.asarray(predicted[1])) ** 2).mean(axis=1)
    mixed = (1 - share) * labels_loss + share * teacher_loss
    assert got == pytest.approx(float((sample_weight * mixed).mean()), rel=1e-3, abs=1e-4)
    alone = float(distiller.compute_loss(x, targets, predicted, sample_weight, training=False))
    assert alone == pytest.approx(float((sample_weight * labels_loss).mean()), rel=1e-4, abs=1e-5)


def test_class_weights_weigh_the_teachers_part_too() -> None:
    images = squares(64)
    # The teacher always says 0; the weights leave only pictures of 1, of which it says so as well.
    always = TeacherAnswers(logits=np.tile(np.asarray([[3.0, -3.0]], np.float32), (64, 1)))
    teacher = replace(TEACHER, weight=1.0)
    model, ignored = _network(), _network()
    _fit(model, images, always, teacher=teacher, weights=(2 * images.rows).astype(np.float32))
    kernel = ignored.get_weights()[0]
    _fit(ignored, images, always, teacher=teacher, weights=np.zeros(64, np.float32))
    assert not np.allclose(model.get_weights()[0], kernel, atol=1e-3)
    # With no weight at all only the optimizer's decay moves anything.
    np.testing.assert_allclose(ignored.get_weights()[0], kernel, atol=1e-3)


def test_a_loss_that_is_not_a_number_stops_with_advice() -> None:
    model, images = _network(), squares(64)
    model.set_weights([np.full_like(array, 1e38) for array in model.get_weights()])
    with pytest.raises(
        TrainingError, match=r"train epoch 1, step 1 of .*: the loss became .*--learning-rate"
    ):
        _fit(model, images, _sure(images.rows))


def test_answers_to_other_samples_are_an_error() -> None:
    with pytest.raises(ValueError, match="32 answers of a teacher to 64 samples"):
        _fit(_network(), squares(64), _sure(squares(32).rows))
