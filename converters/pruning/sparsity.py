"""Zeros in weights: they save only size, and only where something compresses the file.

A model with zeros has as many multiplications as before, and no runtime here skips them: measured, it
is not faster. Its `.tflite` has as many bytes; only the compressed file is smaller. Removed channels
(`surgery.py`) save both.

- Magnitude: in each layer the smallest weights (Han et al. 2015, arXiv:1506.02626).
- N:M: of M weights in a row along the channels that come in, the N largest stay, as sparse matrix
  units want it (Mishra et al. 2021, arXiv:2104.08378); none of the boards here has one.

Depthwise kernels and other weights stay complete: they are a small share and would lose most.
"""  # noqa: E501

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Mask: TypeAlias = NDArray[np.bool_]
Kernel: TypeAlias = NDArray[np.float32]
"""Its axis before the last is of the channels that come in."""

Masks: TypeAlias = list[tuple[Any, Mask]]
"""A kernel's Keras variable, and which of its weights stay."""


def magnitude_masks(model: Any, sparsity: float) -> Masks:
    """Return masks under which each kernel loses its smallest weights.

    Args:
        model: a Keras model.
        sparsity: share of each kernel that becomes 0, 0 to below 1.

    Raises:
        ValueError: the share is impossible.
    """
    if not 0 <= sparsity < 1:
        raise ValueError(f"sparsity is {sparsity:g}, expected 0 to below 1")

    def largest(kernel: Kernel) -> Mask:
        order = np.argsort(np.abs(kernel), axis=None, kind="stable")
        mask = np.ones(kernel.size, bool)
        mask[order[: round(sparsity * kernel.size)]] = False
        return mask.reshape(kernel.shape)

    return _masks(model, largest)


def n_of_m_masks(model: Any, n: int, m: int) -> Masks:
    """Return masks under which, of each M weights along the incoming channels, N stay.

    A kernel whose incoming channels are not a multiple of M stays complete.

    Raises:
        ValueError: not 1 <= n < m.
    """
    if not 1 <= n < m:
        raise ValueError(f"N:M is {n}:{m}, expected 1 <= N < M")

    def largest(kernel: Kernel) -> Mask:
        if kernel.shape[-2] % m:
            return np.ones(kernel.shape, bool)
        rows = np.moveaxis(np.abs(kernel), -2, -1)
        blocks = rows.reshape(-1, m)
        mask = np.zeros(blocks.shape, bool)
        np.put_along_axis(mask, np.argsort(-blocks, axis=1, kind="stable")[:, :n], True, axis=1)
        return np.moveaxis(mask.reshape(rows.shape), -1, -2)

    return _masks(model, largest)


@contextmanager
def kept_zero(masks: Masks) -> Iterator[None]:
    """Set what the masks leave out to 0, and keep it so through training in the block."""
    before = [variable.constraint for variable, _ in masks]
    for variable, mask in masks:
        variable.assign(np.where(mask, np.asarray(variable), 0.0))
        variable.constraint = _Masked(mask, variable.constraint)
    try:
        yield
    finally:
        for (variable, _), constraint in zip(masks, before, strict=True):
            variable.constraint = constraint


def zero_share(model: Any) -> float:
    """Return the share of the kernels' weights that is 0, 0 to 1."""
    kernels = [np.asarray(layer.kernel) for layer in _kernel_layers(model)]
    total = sum(kernel.size for kernel in kernels)
    return 1.0 - sum(np.count_nonzero(kernel) for kernel in kernels) / max(1, total)


def compressed_bytes(content: bytes) -> int:
    """Return a file's size under gzip at its best, where zeros count."""
    return len(gzip.compress(content, 9, mtime=0))


class _Masked:
    """A constraint in Keras's sense: what a weight becomes after each step."""

    def __init__(self, mask: Mask, before: Callable[[Any], Any] | None) -> None:
        self._mask = mask
        self._before = before

    def __call__(self, weight: Any) -> Any:
        """Return the weight as its own constraint has it, with its zeros."""
        import keras

        if self._before is not None:
            weight = self._before(weight)
        return keras.ops.where(self._mask, weight, keras.ops.zeros_like(weight))


def _masks(model: Any, choose: Callable[[Kernel], Mask]) -> Masks:
    import keras

    masks = []
    for layer in _kernel_layers(model):
        kernel = np.asarray(layer.kernel)
        if isinstance(layer, keras.layers.Conv2DTranspose):  # (h, w, out, in)
            mask = np.swapaxes(choose(np.swapaxes(kernel, -1, -2)), -1, -2)
        else:
            mask = choose(kernel)
        masks.append((layer.kernel, mask))
    return masks


def _kernel_layers(model: Any) -> list[Any]:
    """Return the convolutions that mix channels and the dense layers, of nested models too."""
    import keras

    kinds = (
        *(keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Dense),
        keras.layers.Conv2DTranspose,
    )
    found: dict[int, Any] = {}
    for layer in model.layers:
        inner = _kernel_layers(layer) if isinstance(layer, keras.Model) else [layer]
        found.update((id(part), part) for part in inner if type(part) in kinds)
    return list(found.values())
