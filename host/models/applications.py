"""Backbones of keras.applications, with weights downloaded by Keras or named by the user."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeinfer.device.core.errors import ModelError
from edgeinfer.host.models.blocks import classifier

_SIGNED_UNIT = ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
_IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


@dataclass(frozen=True, kw_only=True)
class Application:
    """One backbone.

    Attributes:
        function: its name in keras.applications.
        size: side of the input in pixels that the weights were trained at.
        mean: per RGB channel, in pixel units.
        std: per RGB channel, in pixel units.
        options: further arguments of the function.
        smallest: the smallest side of the input in pixels that the function takes.
    """

    function: str
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    options: tuple[tuple[str, object], ...] = ()
    smallest: int = 8


# keras.applications normalizes in preprocess_input or inside the model; here the normalization is
# always in the PreprocessSpec, so include_preprocessing=False.
_OUTSIDE = (("include_preprocessing", False),)

APPLICATIONS: dict[str, Application] = {
    name: Application(
        function=function,
        size=224,
        mean=norm[0],
        std=norm[1],
        options=options,
        smallest=32 if "V3" in function else 8,
    )
    for name, function, norm, options in (
        ("mobilenet-v2", "MobileNetV2", _SIGNED_UNIT, ()),
        ("mobilenet-v3-small", "MobileNetV3Small", _SIGNED_UNIT, _OUTSIDE),
        ("mobilenet-v3-large", "MobileNetV3Large", _SIGNED_UNIT, _OUTSIDE),
        ("efficientnet-v2-b0", "EfficientNetV2B0", _IMAGENET, _OUTSIDE),
        ("resnet50-v2", "ResNet50V2", _SIGNED_UNIT, ()),
    )
}


def build(
    name: str,
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    before: Callable[[Any], Any] | None = None,
) -> Any:
    """Return the Keras model: normalized float32 (H, W, C) in, (classes,) logits out.

    Args:
        name: a key of `APPLICATIONS`.
        input_shape: (H, W, C).
        classes: how many logits.
        before: layers between the input and the backbone.
    """
    return _with_head(name, _backbone(name, input_shape, before=before), classes)


def build_pretrained(
    name: str, input_shape: tuple[int, int, int], classes: int, weights: Path | None
) -> Any:
    """Return the model of `build` for (H, W, 3), with weights in the backbone.

    Args:
        name: a key of `APPLICATIONS`.
        input_shape: (H, W, 3).
        classes: how many logits.
        weights: a `.weights.h5` or `.keras` file without top, used instead of Keras's download.

    Raises:
        ModelError: the weights do not fit, or cannot be downloaded.
    """
    if weights is not None:
        backbone = _backbone(name, input_shape)
        _load(backbone, weights, APPLICATIONS[name])
        return _with_head(name, backbone, classes)
    try:
        backbone = _backbone(name, input_shape, weights="imagenet")
    # Keras's downloader raises a plain Exception for an unreachable or refused address.
    except Exception as error:
        raise ModelError(
            name,
            got=f"its ImageNet weights cannot be downloaded ({error})",
            next_step="connect to the internet, name a file with --weights FILE, or choose "
            "efficientnet-lite0, whose weights are installed",
        ) from error
    return _with_head(name, backbone, classes)


def _backbone(
    name: str,
    input_shape: tuple[int, int, int],
    *,
    weights: str | None = None,
    before: Callable[[Any], Any] | None = None,
) -> Any:
    import keras

    application = APPLICATIONS[name]
    inputs = keras.Input(input_shape, name="image")
    with warnings.catch_warnings():
        # Keras warns that sizes other than its published ones load the 224 weights; that is
        # intended.
        warnings.simplefilter("ignore", UserWarning)
        return getattr(keras.applications, application.function)(
            include_top=False,
            weights=weights,
            input_tensor=inputs if before is None else before(inputs),
            **dict(application.options),
        )


def _with_head(name: str, backbone: Any, classes: int) -> Any:
    import keras

    outputs = classifier(backbone.output, classes)
    (inputs,) = backbone.inputs
    return keras.Model(inputs, outputs, name=name.replace("-", "_"))


def _load(backbone: Any, weights: Path, application: Application) -> None:
    """Load a weights file that the user names."""
    expected = f"weights of keras.applications.{application.function}(include_top=False)"
    if not weights.is_file():
        raise ModelError(weights, got="is not a file", expected=expected)
    try:
        backbone.load_weights(weights)
    except (ValueError, OSError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(weights, got=f"does not fit ({reason})", expected=expected) from error
