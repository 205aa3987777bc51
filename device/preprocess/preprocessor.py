"""Preprocessor: PreprocessSpec carried out on frames."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.preprocess.native import load_kernels
from edgeinfer.device.preprocess.resample import resample
from edgeinfer.device.preprocess.spec import PreprocessSpec
from edgeinfer.device.preprocess.taps import Taps, make_taps
from edgeinfer.device.types import Pixels, TensorSpec

_INTEGER_INPUTS = ("uint8", "int8", "int16")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the crop policy makes of frames of one size.

    Attributes:
        x: first column taken from the frame.
        y: first row taken from the frame.
        rows: vertical weights.
        columns: horizontal weights.
        left: column of the output where the picture begins; above 0 for a letterbox.
        top: row of the output where the picture begins.
    """

    x: int
    y: int
    rows: Taps
    columns: Taps
    left: int = 0
    top: int = 0


@lru_cache(maxsize=32)
def make_plan(spec: PreprocessSpec, frame_size: tuple[int, int]) -> Plan:
    """Work out crop and weights for frames of `frame_size` (width, height)."""
    width, height = frame_size
    out_width, out_height = spec.size
    wider = width * out_height > height * out_width
    take, fill = (width, height), (out_width, out_height)
    if spec.crop == "center-crop":
        if wider:
            take = (max(1, height * out_width // out_height), height)
        else:
            take = (width, max(1, width * out_height // out_width))
    elif spec.crop == "letterbox":
        if wider:
            fill = (out_width, max(1, (2 * height * out_width + width) // (2 * width)))
        else:
            fill = (max(1, (2 * width * out_height + height) // (2 * height)), out_height)
    return Plan(
        x=(width - take[0]) // 2,
        y=(height - take[1]) // 2,
        rows=make_taps(take[1], fill[1], spec.resize),
        columns=make_taps(take[0], fill[0], spec.resize),
        left=(out_width - fill[0]) // 2,
        top=(out_height - fill[1]) // 2,
    )


def normalize_table(spec: PreprocessSpec) -> NDArray[np.float32]:
    """Return what each pixel value becomes in a float32 input: (depth, 256) float32."""
    return _real_values(spec).astype(np.float32)


def tensor_table(spec: PreprocessSpec, tensor: TensorSpec) -> NDArray[np.generic]:
    """Return what each pixel value becomes in `tensor`: (depth, 256) of its dtype.

    Raises:
        ValueError: pixels cannot be put into a tensor of that dtype.
    """
    if tensor.dtype in ("float32", "float16"):
        return normalize_table(spec).astype(tensor.dtype)
    if tensor.dtype not in _INTEGER_INPUTS or tensor.scale <= 0:
        raise ValueError(
            f"tensor '{tensor.name}': dtype is {tensor.dtype} with scale {tensor.scale}, expected "
            "float32, or uint8, int8 or int16 with a scale above 0"
        )
    quantized = np.rint(_real_values(spec) / tensor.scale) + tensor.zero_point
    limits = np.iinfo(tensor.dtype)
    table: NDArray[np.generic] = np.clip(quantized, limits.min, limits.max).astype(tensor.dtype)
    return table


def _real_values(spec: PreprocessSpec) -> NDArray[np.float64]:
    """Return each pixel value normalized: (depth, 256) float64."""
    mean, std = np.array(spec.mean)[:, None], np.array(spec.std)[:, None]
    values: NDArray[np.float64] = (np.arange(256.0) - mean) / std
    return values


class Preprocessor:
    """Turns frames into images of the model's size and into input tensors.

    Args:
        spec: what to do.
        tensor: the model's input; needed for `tensor` only.
        native: True insists on the native kernels, False on numpy; None takes what is there.

    Raises:
        ValueError: the tensor does not fit the spec.
        RuntimeError: the native kernels were insisted on and are absent.
    """

    def __init__(
        self, spec: PreprocessSpec, tensor: TensorSpec | None = None, *, native: bool | None = None
    ) -> None:
        self.spec = spec
        self._kernels = None if native is False else load_kernels()
        if native is True and self._kernels is None:
            raise RuntimeError("the native kernels were not built or are turned off")
        self._table: NDArray[np.generic] | None = None
        if tensor is not None:
            if tensor.shape != (1, *spec.shape):
                raise ValueError(
                    f"tensor '{tensor.name}': shape is {tensor.shape}, expected {(1, *spec.shape)}"
                )
            self._table = tensor_table(spec, tensor)

    @property
    def is_native(self) -> bool:
        """True where the native kernels do the work."""
        return self._kernels is not None

    def image(self, pixels: Pixels) -> NDArray[np.uint8]:
        """Crop, resize and order the channels: (H, W, 3) uint8 RGB to `spec.shape` uint8."""
        plan = make_plan(self.spec, (pixels.shape[1], pixels.shape[0]))
        rows, columns = plan.rows, plan.columns
        window = pixels[plan.y : plan.y + rows.source_size, plan.x : plan.x + columns.source_size]
        picture = resample(window, rows, columns, self._kernels)
        if (columns.output_size, rows.output_size) != self.spec.size:
            canvas = np.full(
                (self.spec.size[1], self.spec.size[0], 3), self.spec.pad_value, np.uint8
            )
            canvas[
                plan.top : plan.top + rows.output_size, plan.left : plan.left + columns.output_size
            ] = picture
            picture = canvas
        return _order_channels(picture, self.spec)

    def tensor(self, pixels: Pixels) -> NDArray[np.generic]:
        """Return the model's input, (1, H, W, C) in the tensor's dtype.

        Args:
            pixels: (H, W, 3) uint8 RGB.
        """
        if self._table is None:
            raise ValueError("this Preprocessor was made without a TensorSpec")
        image = self.image(pixels)
        tensor = np.empty((1, *self.spec.shape), self._table.dtype)
        for channel in range(self.spec.depth):
            tensor[0, ..., channel] = self._table[channel][image[..., channel]]
        return tensor


def _order_channels(image: Pixels, spec: PreprocessSpec) -> NDArray[np.uint8]:
    """Turn RGB into the spec's channels."""
    if spec.channels == "rgb":
        return image
    if spec.channels == "bgr":
        return np.ascontiguousarray(image[..., ::-1])
    weighted = image.astype(np.uint16) @ np.array([77, 150, 29], np.uint16)
    return ((weighted + 128) >> 8).astype(np.uint8)[..., None]
