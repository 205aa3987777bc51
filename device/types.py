"""The values that pass between the stages: frames in, tensors through, predictions out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.models.predictions.kinds import Classification as Classification
from edgeinfer.device.models.predictions.kinds import Detections as Detections
from edgeinfer.device.models.predictions.kinds import Embedding as Embedding
from edgeinfer.device.models.predictions.kinds import Mask as Mask
from edgeinfer.device.models.predictions.kinds import Poses as Poses
from edgeinfer.device.models.predictions.kinds import Prediction as Prediction
from edgeinfer.device.models.predictions.kinds import Value as Value
from edgeinfer.device.models.predictions.kinds import has_places as has_places
from edgeinfer.device.models.predictions.kinds import in_frame as in_frame
from edgeinfer.device.pictures.pixel_formats import Pixels as Pixels
from edgeinfer.device.pictures.pixel_formats import picture_size, to_rgb

KernelFamily = Literal["builtin", "xnnpack"]
"""Which CPU kernels computed an output: the two differ by a few steps, each is stable by itself."""

Precision = Literal["int8", "uint8", "int16x8", "dynamic", "float16", "float32"]
"""How a variant computes: `int8`, `uint8` in integers from end to end; `int16x8` with 16-bit
activations and 8-bit weights; `dynamic` with 8-bit weights and float activations; `float16` with
16-bit weights and float activations."""

FrameFormat = Literal["rgb", "bgr", "grey", "yuyv", "nv12", "jpeg"]
"""How a frame's bytes are to be read: a PixelFormat, or a whole JPEG file as (N,) bytes."""

TensorDtype = Literal["uint8", "int8", "int16", "int32", "int64", "float16", "float32", "bool"]
DTYPES: tuple[str, ...] = get_args(TensorDtype)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture from a source.

    Attributes:
        pixels: as the source gives them: see `format`. They stay as they are while the frame is
            held; a source may use their memory again afterwards.
        format: how they lie in memory, see `formats`; by default (H, W, 3) uint8 RGB.
        sequence: counts the frames that the source delivered, dropped ones included, from 0.
        captured_ns: when it was captured, on `time.monotonic_ns()`'s clock: the driver's own time
            stamp where there is one, else when the source handed the frame over.
        label: the true class, where the source knows it (simulated camera, class folders).
        name: the file it came from, for sources of files.
    """

    pixels: NDArray[np.uint8]
    sequence: int
    captured_ns: int
    format: FrameFormat = "rgb"
    label: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        """Refuse pixels that are not in the format."""
        if self.format == "jpeg":
            if self.pixels.dtype != np.uint8 or self.pixels.ndim != 1:
                raise ValueError(
                    f"frame {self.sequence}: pixels are {self.pixels.shape} {self.pixels.dtype}, "
                    "expected (N,) uint8 of a JPEG"
                )
        else:
            picture_size(self.pixels, self.format)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the picture; of a JPEG its header is read.

        Raises:
            ImageError: it is a JPEG that cannot be decoded.
        """
        if self.format != "jpeg":
            return picture_size(self.pixels, self.format)
        from edgeinfer.device.pictures.headers import HeaderError, read_header

        try:
            return read_header(self.pixels.tobytes()).size
        except HeaderError:  # OpenCV decodes some that are not whole
            height, width = self.rgb().shape[:2]
            return width, height

    def locate(self, prediction: Prediction) -> Prediction:
        """Return a prediction made of this frame with its places in the frame's pixels.

        Raises:
            ImageError: the frame is a JPEG that cannot be decoded.
        """
        return in_frame(prediction, self.size) if has_places(prediction) else prediction

    def rgb(self) -> Pixels:
        """Return the picture as (H, W, 3) uint8 RGB.

        Raises:
            ImageError: it is a JPEG that cannot be decoded.
        """
        if self.format != "jpeg":
            return to_rgb(self.pixels, self.format)
        from edgeinfer.device.pictures.jpeg import decode_bgr

        return to_rgb(decode_bgr(self.pixels), "bgr")


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """One input or output of a model.

    A quantized value q stands for the real value (q - zero_point) * scale; scale 0 means that
    the tensor is not quantized.
    """

    name: str
    shape: tuple[int, ...]
    dtype: TensorDtype
    scale: float = 0.0
    zero_point: int = 0

    def __post_init__(self) -> None:
        """Refuse impossible shapes, dtypes and scales."""
        if self.dtype not in DTYPES:
            raise ValueError(
                f"tensor '{self.name}': dtype is {self.dtype}, expected one of {DTYPES}"
            )
        if any(size < 1 for size in self.shape):
            raise ValueError(f"tensor '{self.name}': shape is {self.shape}, expected sizes from 1")
        if not 0.0 <= self.scale < float("inf"):
            raise ValueError(f"tensor '{self.name}': scale is {self.scale}, expected 0 or more")

    def dequantize(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the real values, float64, of the same shape."""
        real = values.astype(np.float64)
        return (real - self.zero_point) * self.scale if self.scale else real
