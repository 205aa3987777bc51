"""A network that says where things have their centres: a backbone's features at one stride.

Of the backbone's stages at that stride only the first is kept, which leaves a few hundredths of its
weights. What it does not see, the surroundings, the layers on it do: half as many cells to a side,
where depthwise convolutions of 5x5 reach far, are added to each cell. They cost hardly anything.
Scores and places are separate outputs, so that each has its own scale in INT8 (X. Zhou et al. 2019,
"Objects as Points", with a larger stride).
"""

from __future__ import annotations

from typing import Any

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.models.blocks import conv
from edgeinfer.host.tasks.detection.layers import (
    FIRST_LOGIT,
    INITIALIZER,
    features_at,
    last,
    separable,
)

STRIDE = 16
"""Pixels from cell to cell: two things of a class that are closer are one."""

SCORES, PLACES = f"scores_{STRIDE}", f"places_{STRIDE}"
"""The names of the outputs, and of their layers."""

WIDTH = 96
"""Channels of the layers on the backbone."""

_FINER = 8
"""Features up to this stride know edges and textures."""
_STEP = 2 * STRIDE
"""Sides are multiples of it, so that the surroundings have whole cells, too."""


def check_size(size: tuple[int, int]) -> None:
    """Refuse sizes that the cells do not fill.

    Args:
        size: (width, height) of the input.

    Raises:
        UsageError: a side is not a multiple of the stride, or too short.
    """
    if any(side % _STEP or side < _STEP for side in size):
        near = tuple(max(_STEP, round(side / _STEP) * _STEP) for side in size)
        raise UsageError(
            "--size",
            got=f"{size[0]}x{size[1]}, for points",
            expected=f"a multiple of {_STEP} for each side",
            next_step=f"take {near[0]}x{near[1]}",
        )


def with_points(model: Any, classes: int) -> Any:
    """Return a network of points with the layers of another one up to the features of the stride.

    A network that ends at half the stride gets a layer more.

    Args:
        model: one of `edgeinfer.host.models`; its weights stay.
        classes: how many classes there are.

    Returns:
        A Keras model with the outputs `SCORES`, (n, rows, columns, classes), and `PLACES`,
        (n, rows, columns, 2).

    Raises:
        UsageError: the network has no features at half the stride.
    """
    import keras

    features = features_at(model, {_FINER, STRIDE}, narrowest=True)
    if STRIDE in features:
        x = conv(features[STRIDE], WIDTH, kernel=1, initializer=INITIALIZER, name="points_lateral")
    else:
        x = _separable(features[_FINER], "points_halved", stride=2)
    around = _separable(_separable(x, "points_around", stride=2), "points_farther")
    # Calls of the network as a function need `training=False`; see `with_boxes`.
    enlarge = keras.layers.Resizing(*x.shape[1:3], interpolation="nearest", name="points_enlarged")
    x = keras.layers.Add(name="points_sum")([x, enlarge(around)])
    x = _separable(_separable(x, "points_near"), "points_last")
    outputs = [last(x, classes, SCORES, FIRST_LOGIT), last(x, 2, PLACES, 0.0)]
    return keras.Model(model.input, outputs, name=model.name)


def _separable(x: Any, name: str, *, stride: int = 1) -> Any:
    return separable(x, name, stride=stride, width=WIDTH)


def backbone_layers(model: Any) -> list[Any]:
    """Return the layers of such a network that come from the other one, from the input on."""
    ours = ("points_", SCORES, PLACES)
    return [layer for layer in model.layers if not layer.name.startswith(ours)]


def lower_layers(model: Any) -> list[Any]:
    """Return those of them up to the last features at half the stride, from the input on."""
    layers = backbone_layers(model)
    end = features_at(model, {_FINER}, narrowest=True)[_FINER]
    (place,) = (place for place, layer in enumerate(layers) if layer.output is end)
    return layers[: place + 1]
