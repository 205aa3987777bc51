"""The architectures that `edgeinfer train` knows, by name.

All are Keras 3 functional models: normalized float32 (H, W, C) in, (classes,) logits out, with
layers named `pool` (the feature vector) and `logits`. Listing them imports no Keras.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.models.applications import APPLICATIONS

Initializer = Literal["glorot", "he", "pretrained"]


@dataclass(frozen=True, kw_only=True)
class ArchitectureInfo:
    """What is known about an architecture without building it.

    Attributes:
        name: as typed on the command line.
        size: default side of the square input in pixels.
        normalization: (mean, std) per RGB channel in pixel units; None: from the training data.
        pretrained: whether ImageNet weights exist.
        scalable: whether `width` applies.
        description: one line.
    """

    name: str
    size: int
    normalization: tuple[tuple[float, ...], tuple[float, ...]] | None
    pretrained: bool
    scalable: bool
    description: str


_INFOS = (
    ArchitectureInfo(
        name="small-cnn",
        size=96,
        normalization=None,
        pretrained=False,
        scalable=True,
        description="small depthwise-separable CNN, from scratch",
    ),
    ArchitectureInfo(
        name="resnet8",
        size=32,
        normalization=None,
        pretrained=False,
        scalable=True,
        description="ResNet8 of MLPerf Tiny, from scratch",
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
        name="efficientnet-lite0",
        size=224,
        normalization=((127.0, 127.0, 127.0), (128.0, 128.0, 128.0)),
        pretrained=True,
        scalable=False,
        description="EfficientNet-Lite0, ImageNet weights installed with edgeinfer[host]",
    ),
    *(
        ArchitectureInfo(
            name=name,
            size=application.size,
            normalization=(application.mean, application.std),
            pretrained=True,
            scalable=False,
            description=f"keras.applications.{application.function}, weights downloaded or named",
        )
        for name, application in APPLICATIONS.items()
    ),
)

ARCHITECTURES: dict[str, ArchitectureInfo] = {info.name: info for info in _INFOS}


def architecture(name: str) -> ArchitectureInfo:
    """Return what is known about an architecture.

    Raises:
        UsageError: there is none of that name.
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise UsageError(
            "architecture", got=repr(name), expected="one of " + ", ".join(ARCHITECTURES)
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

    Raises:
        UsageError: the arguments do not go together.
        ModelError: the weights are absent, damaged, or do not fit.
        MissingExtraError: the weights' package is not installed.
    """
    import keras

    info = architecture(name)
    _check(info, input_shape, initializer, width, weights)
    keras.utils.set_random_seed(seed)
    if name in APPLICATIONS:
        from edgeinfer.host.models import applications

        return applications.build(
            name, input_shape, classes, initializer=initializer, weights=weights
        )
    if name == "efficientnet-lite0":
        from edgeinfer.host.models import efficientnet_lite

        model = efficientnet_lite.build(input_shape, classes, initializer=initializer)
        if initializer == "pretrained":
            efficientnet_lite.load_weights(model, weights)
        return model
    from edgeinfer.host.models import mobilenet, resnet8, small_cnn

    scratch = {"small-cnn": small_cnn.build, "resnet8": resnet8.build, "mobilenet": mobilenet.build}
    return scratch[name](input_shape, classes, initializer=initializer, width=width)


def _check(
    info: ArchitectureInfo,
    input_shape: tuple[int, int, int],
    initializer: str,
    width: float,
    weights: Path | None,
) -> None:
    """Refuse combinations that would be ignored in silence."""
    if initializer not in get_args(Initializer):
        expected = ", ".join(get_args(Initializer))
        raise UsageError("--init", got=repr(initializer), expected=f"one of {expected}")
    if initializer == "pretrained" and not info.pretrained:
        raise UsageError(info.name, got="has no pretrained weights", next_step="use --init he")
    if initializer == "pretrained" and input_shape[2] != 3:
        raise UsageError(info.name, got="--channels grey", expected="rgb for pretrained weights")
    if weights is not None and initializer != "pretrained":
        raise UsageError(
            "--weights", got=f"given for --init {initializer}", expected="--init pretrained"
        )
    if width != 1.0 and not info.scalable:
        raise UsageError(info.name, got=f"--width {width}", expected="1.0: its width is fixed")
