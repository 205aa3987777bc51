"""Backbones of keras.applications, with weights downloaded by Keras or named by the user."""

from __future__ import annotations

import warnings
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
        std: likewise.
        options: further arguments of the function.
    """

    function: str
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    options: tuple[tuple[str, object], ...] = ()


# The normalization that keras.applications does in preprocess_input or inside the model; here it
# always stands in the PreprocessSpec, hence include_preprocessing=False.
_OUTSIDE = (("include_preprocessing", False),)

APPLICATIONS: dict[str, Application] = {
    name: Application(function=function, size=224, mean=norm[0], std=norm[1], options=options)
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
    initializer: str,
    weights: Path | None,
) -> Any:
    """Return the Keras model: normalized float32 (H, W, 3) in, (classes,) logits out.

    Args:
        name: a key of `APPLICATIONS`.
        input_shape: (H, W, 3).
        classes: how many logits.
        initializer: of the logits' kernel; "pretrained" also loads the backbone's weights.
        weights: a `.weights.h5` or `.keras` file without top, used instead of Keras's download.

    Raises:
        ModelError: the weights do not fit, or cannot be downloaded.
    """
    import keras

    application = APPLICATIONS[name]
    function = getattr(keras.applications, application.function)
    download = initializer == "pretrained" and weights is None
    inputs = keras.Input(input_shape, name="image")
    try:
        with warnings.catch_warnings():
            # Keras warns that sizes other than its published ones load the 224 weights: we know.
            warnings.simplefilter("ignore", UserWarning)
            backbone = function(
                include_top=False,
                weights="imagenet" if download else None,
                input_tensor=inputs,
                **dict(application.options),
            )
    # Keras's downloader raises a bare Exception for an unreachable or refused address.
    except Exception as error:
        if not download:
            raise
        raise ModelError(
            name,
            got=f"its ImageNet weights cannot be downloaded ({error})",
            next_step="go online, name a file with --weights FILE, or choose efficientnet-lite0, "
            "whose weights are installed",
        ) from error
    if weights is not None:
        _load(backbone, weights, application)
    outputs = classifier(backbone.output, classes)
    return keras.Model(inputs, outputs, name=name.replace("-", "_"))


def _load(backbone: Any, weights: Path, application: Application) -> None:
    """Load a weights file that the user names."""
    expected = f"weights of keras.applications.{application.function}(include_top=False)"
    if not weights.is_file():
        raise ModelError(weights, got="is no file", expected=expected)
    try:
        backbone.load_weights(weights)
    except (ValueError, OSError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(weights, got=f"does not fit ({reason})", expected=expected) from error
