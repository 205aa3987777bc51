"""The architectures that `edgeinfer train` knows, by name.

All are Keras 3 functional models: normalized float32 (H, W, C) in, (classes,) logits out, with
layers named `pool` (the feature vector) and `logits`. Listing them imports no Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from edgeinfer.device.core.errors import ModelError, UsageError, did_you_mean
from edgeinfer.device.preprocess.spec import Channels
from edgeinfer.host.models import applications
from edgeinfer.host.models import channels as order
from edgeinfer.host.models.applications import APPLICATIONS
from edgeinfer.host.models.efficientnet_lite import LITES

Initializer = Literal["glorot", "he", "pretrained"]
"""The weights at the start of a training, see `TrainConfig.initializer`."""

Before = Callable[[Any], Any]
"""Layers between a network's input and its first layer: a tensor in, a tensor out."""


@dataclass(frozen=True, kw_only=True)
class ArchitectureInfo:
    """The facts about an architecture, known without building it.

    Attributes:
        name: its name on the command line.
        size: default side of the square input in pixels.
        smallest: the smallest side of its input in pixels.
        last_stride: pixels from place to place of its last features, at its default size; 0 if they
            have no places.
        normalization: (mean, std) per RGB channel in pixel units, as pretrained weights need it;
            None: from the training data.
        pretrained: whether ImageNet weights exist.
        scalable: whether `width` applies.
        description: one line.
    """

    name: str
    size: int
    normalization: order.Normalization | None
    pretrained: bool
    scalable: bool
    description: str
    smallest: int = 8
    last_stride: int = 32

    def normalization_for(self, channels: Channels) -> order.Normalization | None:
        """Return the normalization of an input with these channels, or None."""
        rgb = self.normalization
        return None if rgb is None else order.normalization_for(rgb, channels)


_INFOS = (
    ArchitectureInfo(
        name="small-cnn",
        size=96,
        normalization=None,
        pretrained=False,
        scalable=True,
        description="small depthwise-separable CNN, from scratch",
        last_stride=8,
    ),
    ArchitectureInfo(
        name="resnet8",
        size=32,
        normalization=None,
        pretrained=False,
        scalable=True,
        description="ResNet8 of MLPerf Tiny, from scratch",
        last_stride=4,
    ),
    ArchitectureInfo(
        name="mobilenet",
        size=96,
        normalization=None,
        pretrained=False,
        scalable=True,
        description="MobileNetV2 with a width, from scratch",
    ),
    ArchitectureInfo(
        name="spatial-cnn",
        size=128,
        normalization=None,
        pretrained=False,
        scalable=True,
        description="CNN that keeps places, to read values such as a needle's, from scratch",
        last_stride=0,
    ),
    *(
        ArchitectureInfo(
            name=lite.name,
            size=lite.size,
            normalization=((127.0, 127.0, 127.0), (128.0, 128.0, 128.0)),
            pretrained=True,
            scalable=False,
            description=f"EfficientNet-{lite.name.split('-')[1].capitalize()}, ImageNet weights "
            f"installed with edgeinfer[{lite.extra}]",
        )
        for lite in LITES.values()
    ),
    *(
        ArchitectureInfo(
            name=name,
            size=application.size,
            normalization=(application.mean, application.std),
            pretrained=True,
            scalable=False,
            smallest=application.smallest,
            description=f"keras.applications.{application.function}, weights downloaded or named",
        )
        for name, application in APPLICATIONS.items()
    ),
)

ARCHITECTURES: dict[str, ArchitectureInfo] = {info.name: info for info in _INFOS}


def architecture(name: str) -> ArchitectureInfo:
    """Return the facts about an architecture.

    Raises:
        UsageError: there is no such architecture.
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise UsageError(
            f"architecture {name!r}",
            got="is not a known network",
            expected="one of " + ", ".join(ARCHITECTURES),
            next_step=did_you_mean(name, ARCHITECTURES),
        ) from None


def build_model(
    name: str,
    *,
    input_shape: tuple[int, int, int],
    classes: int,
    initializer: Initializer = "glorot",
    width: float = 1.0,
    seed: int = 0,
    weights: Path | None = None,
    channels: Channels | None = None,
) -> Any:
    """Build a Keras model; the same arguments give the same weights.

    Args:
        name: a key of `ARCHITECTURES`.
        input_shape: (H, W, C) of one normalized image.
        classes: how many logits.
        initializer: "glorot", "he", or "pretrained" for ImageNet weights below the logits.
        width: scales the channels of the architectures that are `scalable`.
        seed: of the random initial weights. It seeds Keras, TensorFlow, numpy and random.
        weights: a file of weights to start from instead of the installed or downloaded ones.
        channels: the order of the C channels, which pretrained weights depend on; by default grey
            for one, rgb for three.

    Raises:
        UsageError: the arguments do not fit together.
        ModelError: the weights are missing, damaged, or do not fit.
        MissingExtraError: the weights' package is not installed.
    """
    import keras

    info = architecture(name)
    height, wide, _ = input_shape
    check_model(name, size=(wide, height), initializer=initializer, width=width, weights=weights)
    keras.utils.set_random_seed(seed)
    if initializer == "pretrained":
        return _pretrained(info, input_shape, classes, weights, channels)
    if info.pretrained:
        return _untrained(info, input_shape, classes, initializer)
    from edgeinfer.host.models import mobilenet, resnet8, small_cnn, spatial_cnn

    scratch = {
        "small-cnn": small_cnn.build,
        "resnet8": resnet8.build,
        "mobilenet": mobilenet.build,
        "spatial-cnn": spatial_cnn.build,
    }
    return scratch[name](input_shape, classes, initializer=initializer, width=width)


def _untrained(
    info: ArchitectureInfo,
    input_shape: tuple[int, int, int],
    classes: int,
    initializer: Initializer,
    *,
    before: Before | None = None,
) -> Any:
    """Build an architecture that has pretrained weights, without loading them."""
    from edgeinfer.host.models import efficientnet_lite

    if info.name in APPLICATIONS:
        return applications.build(info.name, input_shape, classes, before=before)
    return efficientnet_lite.build(
        input_shape, classes, name=info.name, initializer=initializer, before=before
    )


def _pretrained(
    info: ArchitectureInfo,
    input_shape: tuple[int, int, int],
    classes: int,
    weights: Path | None,
    channels: Channels | None,
) -> Any:
    """Build a network for any channels that answers as the RGB weights do."""
    from edgeinfer.host.models import efficientnet_lite

    height, width, depth = input_shape
    if info.name in APPLICATIONS:
        model = applications.build_pretrained(info.name, (height, width, 3), classes, weights)
    else:
        model = efficientnet_lite.build(
            (height, width, 3), classes, name=info.name, initializer="pretrained"
        )
        efficientnet_lite.load_weights(model, weights, name=info.name)
    if depth == 1:
        rgb = info.normalization
        assert rgb is not None
        before = None if order.same_normalization(rgb) else partial(order.three_of_one, rgb=rgb)
        grey = _untrained(info, input_shape, classes, "glorot", before=before)
        order.take_weights(grey, model)
        return grey
    if channels == "bgr":
        order.turn_round(model)
    return model


def check_model(
    name: str,
    *,
    size: tuple[int, int],
    initializer: str,
    width: float = 1.0,
    weights: Path | None = None,
) -> None:
    """Refuse quickly what `build_model` could not build or would silently ignore.

    Args:
        name: a key of `ARCHITECTURES`.
        size: (width, height) of the input in pixels.
        initializer: as for `build_model`, and so are `width` and `weights`.

    Raises:
        UsageError: the arguments do not fit together.
        ModelError: there is no such file of weights.
        MissingExtraError: the weights' package is not installed.
    """
    info = architecture(name)
    if initializer not in get_args(Initializer):
        expected = ", ".join(get_args(Initializer))
        raise UsageError("--init", got=repr(initializer), expected=f"one of {expected}")
    if min(size) < info.smallest:
        raise UsageError(
            "--size",
            got=f"{size[0]}x{size[1]}",
            expected=f"{info.smallest} pixels a side or more, for {name}",
        )
    if initializer == "pretrained" and not info.pretrained:
        raise UsageError(info.name, got="has no pretrained weights", next_step="use --init he")
    if weights is not None and initializer != "pretrained":
        raise UsageError(
            "--weights", got=f"given for --init {initializer}", expected="--init pretrained"
        )
    if width != 1.0 and not info.scalable:
        raise UsageError(info.name, got=f"--width {width}", expected="1.0: its width is fixed")
    if weights is not None and not weights.is_file():
        raise ModelError(weights, got="is not a file", expected=f"weights of {name}")
    if initializer == "pretrained" and weights is None and name not in APPLICATIONS:
        from edgeinfer.host.models.efficientnet_lite import packaged_weights

        packaged_weights(name)
