"""Scores and places on any network, and which of its layers are whose."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.models import build_model
from edgeinfer.host.tasks.points.learner import in_pixels
from edgeinfer.host.tasks.points.network import (
    PLACES,
    SCORES,
    STRIDE,
    backbone_layers,
    check_size,
    lower_layers,
    with_points,
)
from edgeinfer.host.tasks.points.task import TASK


def network(name: str, size: int = 64, classes: int = 3, **options: float) -> keras.Model:
    model = build_model(name, input_shape=(size, size, 3), classes=1, **options)  # type: ignore[arg-type]
    return with_points(model, classes)


@pytest.mark.parametrize("name", ["small-cnn", "mobilenet", "efficientnet-lite0", "mobilenet-v2"])
def test_scores_and_places_are_outputs_by_themselves(name: str) -> None:
    model = network(name)
    shapes = TASK.output_shapes(Said(labels=("a", "b", "c")), (64, 64))
    assert model.output_names == list(shapes) == [SCORES, PLACES]
    assert [tuple(output.shape[1:]) for output in model.output] == list(shapes.values())
    scores, _ = model.predict_on_batch(np.zeros((1, 64, 64, 3), np.float32))
    # Scores begin at about one in a hundred.
    assert (1 / (1 + np.exp(-scores)) < 0.05).all()


def test_a_block_is_not_cut_in_its_middle() -> None:
    model = network("small-cnn")
    assert model.get_layer("points_halved_depthwise_conv").input.shape[-1] == 256
    assert lower_layers(model)[-1].name == "block5_pointwise_relu"


def test_nothing_above_the_first_stage_of_the_stride_is_kept() -> None:
    whole = build_model("efficientnet-lite0", input_shape=(64, 64, 3), classes=1)
    model = with_points(whole, 1)
    assert model.get_layer("points_lateral_conv").input is whole.get_layer("block7_add").output
    assert model.count_params() < whole.count_params() / 10
    lower, backbone = lower_layers(model), backbone_layers(model)
    assert lower[-1].name == "block4_add"
    assert {layer.name for layer in lower} < {layer.name for layer in backbone}
    assert {layer.name for layer in backbone} < {layer.name for layer in whole.layers}


def test_a_network_without_fine_features_is_refused() -> None:
    with pytest.raises(UsageError, match="resnet8: has no features at a stride of 8 pixels"):
        network("resnet8")


@pytest.mark.parametrize(
    ("size", "near"), [((150, 160), "160x160"), ((16, 64), "32x64"), ((10, 400), "32x384")]
)
def test_sizes_that_the_cells_do_not_fill_are_refused(size: tuple[int, int], near: str) -> None:
    with pytest.raises(UsageError, match=f"take {near}"):
        check_size(size)
    check_size((160, 32))


def test_the_learner_has_cells_and_points_in_pixels() -> None:
    model = network("small-cnn", classes=2)
    picture = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype(np.float32)
    cells = in_pixels(model).predict_on_batch(picture)
    scores, places = model.predict_on_batch(picture)
    assert cells.shape == (1, 16, 6)
    row, column = 1, 3
    cell = cells[0, row * 4 + column]
    assert cell[:2].tolist() == [(column + 0.5) * STRIDE, (row + 0.5) * STRIDE]
    assert cell[2:4] == pytest.approx(cell[:2] + STRIDE * places[0, row, column], abs=1e-4)
    assert cell[4:] == pytest.approx(scores[0, row, column], abs=1e-5)
