"""A detector's network: a backbone's features at several strides, a pyramid, and a head for each.

Features of low resolution know what things are, those of high resolution where: a pyramid adds the
former to the latter (Lin et al. 2017, "Feature Pyramid Networks"). A head answers for each cell of
a grid, without anchors (Tian et al. 2019, "FCOS"): the way from the cell's centre to the four edges
of a box, and a logit for each class. Boxes and logits have separate layers and outputs, so that
each has its own scale in INT8.

All is made of convolutions, ReLU6, additions and enlargements without interpolation, which CPUs and
accelerators compute in INT8. The depthwise kernels of 5x5 let a cell see a thing as a whole at
little cost.
"""

from __future__ import annotations

import itertools
from typing import Any

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.models.blocks import conv
from edgeinfer.host.tasks.detection.layers import (
    FIRST_LOGIT,
    INITIALIZER,
    WIDTH,
    features_at,
    last,
    separable,
)

STRIDES = (8, 16, 32)
"""Pixels from cell to cell of the grids: for small, middle and large things."""

_FIRST_WAY = 1.0
"""Boxes begin with a width of some five strides."""


def boxes_name(stride: int) -> str:
    """Return the name of the output of a grid's boxes.

    >>> boxes_name(8)
    'boxes_8'
    """
    return f"boxes_{stride}"


def scores_name(stride: int) -> str:
    """Return the name of the output of a grid's logits."""
    return f"scores_{stride}"


def output_names() -> tuple[str, ...]:
    """Return the names of all outputs, in their order."""
    return tuple(name for stride in STRIDES for name in (boxes_name(stride), scores_name(stride)))


def check_size(size: tuple[int, int]) -> None:
    """Refuse sizes that the grids do not fill.

    Args:
        size: (width, height) of the input.

    Raises:
        UsageError: a side is not a multiple of the largest stride.
    """
    largest = max(STRIDES)
    if any(side % largest or side < 2 * largest for side in size):
        near = tuple(max(2 * largest, round(side / largest) * largest) for side in size)
        raise UsageError(
            "--size",
            got=f"{size[0]}x{size[1]}, for a detector",
            expected=f"a multiple of {largest} from {2 * largest} on for each side",
            next_step=f"take {near[0]}x{near[1]}",
        )


def with_boxes(model: Any, classes: int) -> Any:
    """Return a detector with the layers of another network up to its last features.

    Args:
        model: one of `edgeinfer.host.models`; its weights stay.
        classes: how many classes there are.

    Returns:
        A Keras model with the outputs of `output_names`, each of a layer of that name: for each
        stride (n, rows, columns, 4) and (n, rows, columns, classes).

    Raises:
        UsageError: the network has no features at one of the strides.
    """
    import keras

    taps = _taps(model)
    outputs: dict[str, Any] = {}
    above = None
    for stride in sorted(STRIDES, reverse=True):
        name = f"pyramid{stride}"
        x = conv(
            taps[stride],
            WIDTH,
            kernel=1,
            activation=None,
            initializer=INITIALIZER,
            name=f"{name}_lateral",
        )
        if above is not None:
            height, width = x.shape[1:3]
            # After this layer Keras trains by default: calls of the network as a function need
            # `training=False`.
            above = keras.layers.Resizing(
                height, width, interpolation="nearest", name=f"{name}_enlarged"
            )(above)
            x = keras.layers.Add(name=f"{name}_sum")([x, above])
        x = keras.layers.ReLU(6.0, name=f"{name}_relu6")(x)
        x = above = separable(x, name)
        box = separable(x, f"box{stride}")
        score = separable(x, f"score{stride}")
        outputs[boxes_name(stride)] = last(box, 4, boxes_name(stride), _FIRST_WAY)
        outputs[scores_name(stride)] = last(score, classes, scores_name(stride), FIRST_LOGIT)
    return keras.Model(model.input, [outputs[name] for name in output_names()], name=model.name)


def backbone_layers(model: Any) -> list[Any]:
    """Return the layers of a detector that are below its pyramid, from the input on."""
    ours = ("pyramid", "box", "score")
    return [layer for layer in model.layers if not layer.name.startswith(ours)]


def lower_layers(model: Any) -> list[Any]:
    """Return the layers up to the features of the smallest stride, from the input on."""
    layers = backbone_layers(model)
    first = model.get_layer(f"pyramid{min(STRIDES)}_lateral_conv").input
    (end,) = (place for place, layer in enumerate(layers) if layer.output is first)
    return layers[: end + 1]


def _taps(model: Any) -> dict[int, Any]:
    """Return the last features at each stride; coarser ones than the network has are made.

    Raises:
        UsageError: the network has no features at the smallest stride.
    """
    taps = features_at(model, STRIDES)
    for finer, stride in itertools.pairwise(sorted(STRIDES)):
        if stride not in taps:
            taps[stride] = separable(taps[finer], f"pyramid{stride}_halved", stride=2)
    return taps
