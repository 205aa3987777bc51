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
from edgeinfer.host.models.blocks import conv, depthwise
from edgeinfer.host.models.cut_points import cut_points

STRIDES = (8, 16, 32)
"""Pixels from cell to cell of the grids: for small, middle and large things."""

WIDTH = 64
"""Channels of the pyramid and the heads."""

_KERNEL, _INITIALIZER = 5, "he"
_FIRST_LOGIT = -4.6
"""Scores begin at 1 %, so that the many cells without a thing do not lead the first steps (Lin et
al. 2017, "Focal Loss for Dense Object Detection")."""
_FIRST_WAY = 1.0
"""Boxes begin with a width of some five strides."""
_WIDER = 3


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
            initializer=_INITIALIZER,
            name=f"{name}_lateral",
        )
        if above is not None:
            height, width = x.shape[1:3]
            above = keras.layers.Resizing(
                height, width, interpolation="nearest", name=f"{name}_enlarged"
            )(above)
            x = keras.layers.Add(name=f"{name}_sum")([x, above])
        x = keras.layers.ReLU(6.0, name=f"{name}_relu6")(x)
        x = above = _separable(x, name)
        box = _separable(x, f"box{stride}")
        score = _separable(x, f"score{stride}")
        outputs[boxes_name(stride)] = _last(box, 4, boxes_name(stride), _FIRST_WAY)
        outputs[scores_name(stride)] = _last(score, classes, scores_name(stride), _FIRST_LOGIT)
    return keras.Model(model.input, [outputs[name] for name in output_names()], name=model.name)


def backbone_layers(model: Any) -> list[Any]:
    """Return the layers of a detector that are below its pyramid, from the input on."""
    ours = ("pyramid", "box", "score")
    return [layer for layer in model.layers if not layer.name.startswith(ours)]


def lower_layers(model: Any) -> list[Any]:
    """Return the layers up to the features of the smallest stride, from the input on."""
    layers = backbone_layers(model)
    first = model.get_layer(f"pyramid{min(STRIDES)}_lateral_conv").input
    (last,) = (place for place, layer in enumerate(layers) if layer.output is first)
    return layers[: last + 1]


def _taps(model: Any) -> dict[int, Any]:
    """Return the last features at each stride; coarser ones than the network has are made.

    Raises:
        UsageError: the network has no features at the smallest stride.
    """
    height = model.input.shape[1]
    taps: dict[int, Any] = {}
    for layer in cut_points(model):
        x = layer.output
        stride = height // x.shape[1] if len(x.shape) == 4 else 0
        # Inside a block features are several times as wide for a moment, which adds nothing.
        wide = stride in taps and x.shape[-1] > _WIDER * taps[stride].shape[-1]
        if stride in STRIDES and not wide:
            taps[stride] = x
    if min(STRIDES) not in taps:
        raise UsageError(
            f"architecture {model.name.replace('_', '-')}",
            got=f"has no features at a stride of {min(STRIDES)} pixels",
            expected="a network for detection, such as efficientnet-lite0 or mobilenet",
        )
    for finer, stride in itertools.pairwise(sorted(STRIDES)):
        if stride not in taps:
            taps[stride] = _separable(taps[finer], f"pyramid{stride}_halved", stride=2)
    return taps


def _separable(x: Any, name: str, *, stride: int = 1) -> Any:
    """Convolve each channel, then across channels."""
    shared: dict[str, Any] = {"initializer": _INITIALIZER}
    x = depthwise(x, kernel=_KERNEL, stride=stride, name=f"{name}_depthwise", **shared)
    return conv(x, WIDTH, kernel=1, name=f"{name}_pointwise", **shared)


def _last(x: Any, filters: int, name: str, first: float) -> Any:
    """Return an output whose values begin near `first`."""
    import keras

    return keras.layers.Conv2D(
        filters,
        1,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(first),
        name=name,
    )(x)
