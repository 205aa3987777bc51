"""Transfer learning: where networks are cut, what is cached, what the two stages change."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.common.progress import LineProgress
from edgeinfer.device.tasks.spec import ValueSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.models import build_model
from edgeinfer.host.tasks.classification.task import TASK
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.training.config import default_config
from edgeinfer.host.training.data.batches import Batches, ImageSource
from edgeinfer.host.training.data.feature_cache import DTYPE, FeatureFile
from edgeinfer.host.training.distillation.teacher import (
    StandardFeatures,
    TeacherAnswers,
    TeacherConfig,
)
from edgeinfer.host.training.history import History
from tests.host.training.data.problem import Memory, classes, small_network, squares

pytestmark = pytest.mark.slow

TABLE = np.tile(((np.arange(256.0) - 127) / 128).astype(np.float32), (3, 1))


@pytest.fixture(scope="module")
def backbone() -> Any:
    return build_model("mobilenet", input_shape=(32, 32, 3), classes=2, width=0.25, seed=1)


def test_a_cut_separates_the_network(backbone: Any) -> None:
    import keras

    from edgeinfer.host.models.cut_points import choose_cut, cut_points

    names = [layer.name for layer in cut_points(backbone)]
    # After a whole block, and never inside one that its input skips over.
    assert "block5_add" in names
    assert not [name for name in names if name.startswith(("block5_exp", "block5_depth"))]
    cut = choose_cut(backbone, upper_share=0.7)
    upper = keras.Model(cut.output, backbone.output)
    lower = keras.Model(backbone.input, cut.output)
    assert upper.count_params() >= 0.7 * backbone.count_params()
    images = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(upper(lower(images)), backbone(images), rtol=1e-5, atol=1e-5)


def test_features_are_those_of_the_network(tmp_path: Path) -> None:
    from edgeinfer.host.training.data.feature_cache import cache_features

    backbone = small_network(16, seed=1)
    source = ImageSource(squares(70, side=16, depth=3), TABLE)
    ((plain, mirrored),) = cache_features(
        backbone, source, tmp_path, "train", mirrored=True, progress=LineProgress(io.StringIO())
    )
    indices = np.array([69, 0, 33])
    images, _ = source.read(indices, None)
    # Half precision keeps 11 bits.
    for features, inputs in ((plain, images), (mirrored, images[:, :, ::-1])):
        expected = np.asarray(backbone(inputs, training=False))
        np.testing.assert_allclose(features.read(indices), expected, rtol=2e-3, atol=1e-3)


@pytest.mark.parametrize("fine_tune", ["upper", "whole"])
def test_both_stages_learn(fine_tune: str, tmp_path: Path) -> None:
    from edgeinfer.host.training.fit import compile_model, evaluate
    from edgeinfer.host.training.stages.transfer import train_in_two_stages

    model = small_network(16, seed=1)
    config = default_config(
        "efficientnet-lite0",
        size=(16, 16),
        batch_size=16,
        epochs=3,
        dropout=0.0,
        learning_rate=0.01,
        fine_tune=fine_tune,
        fine_tune_epochs=2,
        fine_tune_learning_rate=2e-3,
    )
    before = {layer.name: layer.get_weights() for layer in model.layers}
    history = History()
    train = ImageSource(_dark_and_bright(64), TABLE)
    validation = ImageSource(_dark_and_bright(32), TABLE)
    train_in_two_stages(
        model,
        train,
        validation,
        config,
        cache=tmp_path,
        mirrored=False,
        weights=None,
        lesson=classes(2),
        history=history,
        progress=LineProgress(io.StringIO()),
    )
    assert [epoch.stage for epoch in history.epochs] == ["head"] * 3 + ["fine-tune"] * 2
    heads = [epoch for epoch in history.epochs if epoch.stage == "head"]
    tuned = [epoch for epoch in history.epochs if epoch.stage == "fine-tune"]
    assert heads[-1].loss < heads[0].loss
    assert tuned[-1].loss < heads[-1].loss

    def moved(name: str) -> bool:
        weights = model.get_layer(name).get_weights()
        return any(not np.array_equal(a, b) for a, b in zip(before[name], weights, strict=True))

    assert moved("logits")
    assert moved("last_conv")
    assert moved("stem_conv") == (fine_tune == "whole")
    # The statistics of the backbone stay: fine-tuning runs them in inference mode.
    np.testing.assert_array_equal(before["last_bn"][2], model.get_layer("last_bn").get_weights()[2])
    # The model holds what the history says of its best epoch, through the cut and the cache.
    compile_model(model, config, TASK)
    score = evaluate(model, Batches(source=validation, lesson=classes(2), batch_size=16))
    best = min(epoch.val_loss for epoch in history.epochs)
    assert score.loss == pytest.approx(best, rel=0.02)


def test_the_first_stage_trains_all_of_a_tasks_own_head(tmp_path: Path) -> None:
    from edgeinfer.host.training.network.head import head_start, with_head
    from edgeinfer.host.training.stages.transfer import train_in_two_stages

    said = Said(value=ValueSpec(unit="", scales=(0.5,), offsets=(0.5,), ranges=(1.0,)))
    lesson = Lesson(task=find_taught("value"), said=said)
    network = small_network(16, seed=1)
    model = with_head(network, lesson)
    assert head_start(model) is network.get_layer("pool").input
    assert head_start(network) is network.get_layer("pool").output
    before = {layer.name: layer.get_weights() for layer in model.layers}
    config = default_config(
        *("efficientnet-lite0",),
        task="value",
        size=(16, 16),
        batch_size=16,
        epochs=2,
        learning_rate=0.01,
        fine_tune_epochs=0,
    )
    pictures = _dark_and_bright(32)
    values = Memory(pictures.pixels, pictures.rows[:, None].astype(np.float64))
    history = History()
    train_in_two_stages(
        model,
        ImageSource(values, TABLE),
        ImageSource(values, TABLE),
        config,
        cache=tmp_path,
        mirrored=False,
        weights=None,
        lesson=lesson,
        history=history,
        progress=LineProgress(io.StringIO()),
    )
    moved = {
        layer.name
        for layer in model.layers
        for was, now in zip(before[layer.name], layer.get_weights(), strict=True)
        if not np.array_equal(was, now)
    }
    assert moved == {"places", "logits"}
    assert history.epochs[-1].loss < history.epochs[0].loss


def test_fine_tuning_that_lowers_the_accuracy_is_undone(tmp_path: Path) -> None:
    from edgeinfer.host.training.stages.transfer import train_in_two_stages

    model = small_network(16, seed=1)
    config = default_config(
        "efficientnet-lite0",
        size=(16, 16),
        epochs=1,
        fine_tune_epochs=1,
        fine_tune_learning_rate=10.0,
        schedule="constant",
    )
    kernel = model.get_layer("last_conv").get_weights()[0]
    said = io.StringIO()
    train_in_two_stages(
        model,
        ImageSource(_dark_and_bright(64), TABLE),
        ImageSource(_dark_and_bright(32), TABLE),
        config,
        cache=tmp_path,
        mirrored=False,
        weights=None,
        lesson=classes(2),
        history=History(),
        progress=LineProgress(said),
    )
    assert "did not lower the validation loss" in said.getvalue()
    np.testing.assert_array_equal(model.get_layer("last_conv").get_weights()[0], kernel)


def test_a_teacher_is_used_in_both_stages(tmp_path: Path) -> None:
    from edgeinfer.host.training.distillation.distillation import fit_with_teacher
    from edgeinfer.host.training.stages.transfer import train_in_two_stages

    model = small_network(16, seed=1)
    config = default_config(
        "efficientnet-lite0",
        size=(16, 16),
        batch_size=16,
        epochs=4,
        dropout=0.2,
        learning_rate=0.1,
        fine_tune_epochs=4,
        fine_tune_learning_rate=2e-3,
    )
    pictures, checked = _dark_and_bright(64), _dark_and_bright(32)
    # The labels say the opposite of the teacher, who alone counts.
    wrong = Memory(pictures.pixels, 1 - pictures.rows)
    logits = np.where(pictures.rows[:, None] == np.arange(2), 2.0, -2.0).astype(np.float32)
    path = tmp_path / "features.f16"
    path.write_bytes(logits.astype(DTYPE).tobytes())
    answers = TeacherAnswers(
        logits=logits, features=StandardFeatures([FeatureFile(path, logits.shape)])
    )
    teacher = TeacherConfig(run=tmp_path, weight=1.0, features=True)
    history = History()
    names = [layer.name for layer in model.layers]
    train_in_two_stages(
        model,
        ImageSource(wrong, TABLE),
        ImageSource(checked, TABLE),
        config,
        fit_stage=partial(fit_with_teacher, teacher=teacher, answers=answers),
        cache=tmp_path,
        mirrored=True,
        weights=None,
        lesson=classes(2),
        history=history,
        progress=LineProgress(io.StringIO()),
    )
    assert [epoch.stage for epoch in history.epochs] == ["head"] * 4 + ["fine-tune"] * 4
    # The head learns the logits, the second stage features as well, so their losses differ.
    for first, last in ((0, 3), (4, 7)):
        assert history.epochs[last].loss < history.epochs[first].loss
        assert history.epochs[last].val_accuracy > 0.7
    assert [layer.name for layer in model.layers] == names
    assert all(layer.trainable for layer in model.layers)


def _dark_and_bright(count: int) -> Memory:
    """Return pictures that even random features tell apart."""
    labels = (np.arange(count) % 2).astype(np.int32)
    noise = np.random.default_rng(count).integers(0, 60, (count, 16, 16, 3), dtype=np.uint8)
    return Memory(noise + (190 * labels).astype(np.uint8)[:, None, None, None], labels)
