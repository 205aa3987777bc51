"""A pyramid and heads on any network, and which of its layers are whose."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.models import build_model
from edgeinfer.host.tasks.detection.network import (
    STRIDES,
    backbone_layers,
    check_size,
    lower_layers,
    output_names,
    with_boxes,
)
from edgeinfer.host.tasks.detection.task import TASK


def detector(name: str, size: int = 64, classes: int = 3, **options: float) -> keras.Model:
    model = build_model(name, input_shape=(size, size, 3), classes=1, **options)  # type: ignore[arg-type]
    return with_boxes(model, classes)


@pytest.mark.parametrize("name", ["small-cnn", "mobilenet", "efficientnet-lite0", "mobilenet-v2"])
def test_each_stride_has_separate_boxes_and_scores(name: str) -> None:
    model = detector(name)
    said = Said(labels=("a", "b", "c"))
    shapes = TASK.output_shapes(said, (64, 64))
    assert model.output_names == list(shapes) == list(output_names())
    assert [tuple(output.shape[1:]) for output in model.output] == list(shapes.values())
    answers = model.predict_on_batch(np.zeros((1, 64, 64, 3), np.float32))
    # Scores begin at about one in a hundred.
    for answer, output in zip(answers, output_names(), strict=True):
        if output.startswith("scores"):
            assert (1 / (1 + np.exp(-answer)) < 0.05).all()


def test_features_are_taken_where_they_are_narrow() -> None:
    model = detector("efficientnet-lite0")
    taken = {
        stride: model.get_layer(f"pyramid{stride}_lateral_conv").input.shape[-1]
        for stride in STRIDES
    }
    assert taken == {8: 40, 16: 112, 32: 320}


def test_the_lower_layers_end_with_the_first_features() -> None:
    model = detector("efficientnet-lite0")
    lower, backbone = lower_layers(model), backbone_layers(model)
    assert lower[-1].name == "block4_add"
    assert {layer.name for layer in lower} < {layer.name for layer in backbone}
    assert not any(layer.name.startswith(("pyramid", "box", "score")) for layer in backbone)


def test_a_network_without_fine_features_is_refused() -> None:
    with pytest.raises(UsageError, match="resnet8: has no features at a stride of 8 pixels"):
        detector("resnet8")


@pytest.mark.parametrize(
    ("size", "near"), [((300, 320), "288x320"), ((32, 64), "64x64"), ((10, 400), "64x384")]
)
def test_sizes_that_the_grids_do_not_fill_are_refused(size: tuple[int, int], near: str) -> None:
    with pytest.raises(UsageError, match=f"take {near}"):
        check_size(size)
    check_size((320, 64))
