"""PreprocessSpec: how a frame becomes a model's input tensor, the same on host and device.

The arithmetic is part of the specification, so that every implementation gives the same bits:

1. **Decode and convert.** A JPEG is decoded at 1, 1/2, 1/4 or 1/8 of its size, by its own cosine
   transform: the smallest that `jpeg_reduction` allows and that still covers the part of the
   model's image which the picture fills (`jpeg_reduction.py`). YUV (YUYV, NV12) is ITU-R BT.601 in
   studio range, two or four pixels sharing their chroma, and becomes RGB pixel by pixel: products
   (operand * 2**7 * factor + 2**14) >> 15 with 13-bit factors, their sums rounded half up from 5
   fractional bits and clipped (`pixel_formats.py`). Grey is three equal channels.
2. **Region.** Its ratios are whole millionths; an edge at r millionths of a side of n pixels is
   pixel (2 r n + 10**6) // (2 * 10**6) of the frame as it was decoded, at whatever part of its size
   (`pictures/region.py`). In YUV it may begin between two pixels that share their chroma. What
   follows sees nothing else of the frame.
3. **Crop.** `stretch` takes the whole frame; `center-crop` the largest centred rectangle of the
   model's aspect ratio (integer arithmetic, rounded down, the odd pixel left over at the right and
   bottom); `letterbox` takes the whole frame and leaves a border of `pad_value`.
4. **Resize**, separable and fixed-point, see `taps.py`: 14-bit weights that sum to exactly 2**14.
   The rows are combined first, into 15 bits that keep 7 fractional bits, rounded half up; then the
   columns, rounded half up to 8 bits. `area` averages (antialiases) along an axis that shrinks and
   is bilinear along one that grows; `bilinear` samples two pixels with half-pixel centres.
5. **Colour.** `grey` is (77 R + 150 G + 29 B + 128) >> 8 (ITU-R BT.601 weights in 8 bits). The
   fourth channel of `rgba` is 255 everywhere, in the border as well.
6. **Normalize and quantize**, by a table of 256 entries a channel, computed in IEEE double
   precision: real = (pixel - mean) / std; quantized = rint(real / scale) + zero_point, clipped to
   the dtype's range; rint rounds half to even.
7. **Order the axes.** The same numbers, pixel by pixel with their channels (`hwc`), or one plane
   for each channel, in the order of `channels` (`chw`); `hw` is grey without an axis of channels.

Equality starts after decoding: two JPEG decoders may differ, so golden frames are stored
losslessly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from edgeinfer.device.pictures.model_image import Channels as Channels
from edgeinfer.device.pictures.model_image import CropPolicy as CropPolicy
from edgeinfer.device.pictures.model_image import InputChannels as InputChannels
from edgeinfer.device.pictures.model_image import Layout as Layout
from edgeinfer.device.pictures.pixel_formats import JpegReduction
from edgeinfer.device.pictures.region import Region, exact
from edgeinfer.device.preprocess.input_range import channel_count

ResizeKernel = Literal["area", "bilinear"]
"""How a picture is resized, see `PreprocessSpec.resize`."""

MAX_SIDE = 4096
"""Largest input side in pixels: far above any edge model, far below an overflow."""

_MOST = 1e12
"""Largest mean and deviation, and the reciprocal of the smallest: float32 holds what they give."""


@dataclass(frozen=True, kw_only=True)
class PreprocessSpec:
    """How a frame becomes the input of a model; `model.preprocessor.spec` is an open model's.

    A frame is cut to the region, cropped, resized and normalized: `(pixel - mean) / std`.

    Examples:
        >>> spec = edgeinfer.PreprocessSpec(size=(224, 224), crop="center-crop")
        >>> spec.shape
        (224, 224, 3)

    Attributes:
        size: (width, height) of the model's input in pixels.
        channels: the colour channels of the input and their order: "rgb", "bgr", "grey", or "rgba"
            with a fourth channel that is always 255: no camera sees through anything.
        crop: what happens to a frame of another aspect ratio: "stretch" distorts it, "center-crop"
            cuts off its edges, "letterbox" adds a border of `pad_value`.
        resize: how the frame is resized: "area" averages all pixels, "bilinear" uses the nearest
            ones.
        mean: what is subtracted from the pixel values (0 to 255), one number for each channel in
            the order of `channels`.
        std: what the difference is divided by, one number above 0 for each channel.
        pad_value: pixel value of the border of "letterbox", 0 to 255.
        jpeg_reduction: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size if this is 2, 4 or 8, but
            never smaller than the model's input. It is faster. 1 decodes at full size.
        layout: the order of the axes of the input: "hwc" is (1, height, width, channels), "chw" is
            (1, channels, height, width), as PyTorch has it, and "hw" is (1, height, width), for
            "grey" only.
        region: the part of the frame that the model sees: (x, y, width, height) in ratios of the
            frame's width and height, such as (0.5, 0, 0.5, 1) for the right half. It is cut out
            before anything else. Ratios are taken to the nearest millionth. None is the whole
            frame.

    Raises:
        ValueError: a setting is not a possible value.
    """

    size: tuple[int, int]
    channels: InputChannels = "rgb"
    crop: CropPolicy = "stretch"
    resize: ResizeKernel = "area"
    mean: tuple[float, ...] = (127.5, 127.5, 127.5)
    std: tuple[float, ...] = (127.5, 127.5, 127.5)
    pad_value: int = 0
    jpeg_reduction: JpegReduction = 1
    layout: Layout = "hwc"
    region: Region | None = None

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if len(self.size) != 2 or not all(1 <= side <= MAX_SIDE for side in self.size):
            raise ValueError(
                f"preprocess size is {self.size}, expected (width, height) from 1 to {MAX_SIDE}"
            )
        for name, got, allowed in (
            ("channels", self.channels, get_args(InputChannels)),
            ("crop", self.crop, get_args(CropPolicy)),
            ("resize", self.resize, get_args(ResizeKernel)),
            ("jpeg_reduction", self.jpeg_reduction, get_args(JpegReduction)),
            ("layout", self.layout, get_args(Layout)),
        ):
            if got not in allowed:
                raise ValueError(f"preprocess {name} is {got!r}, expected one of {allowed}")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != self.depth or not all(abs(value) <= _MOST for value in values):
                raise ValueError(
                    f"preprocess {name} is {values}, expected {self.depth} finite numbers, at "
                    f"most {_MOST:g}, "
                    f"for channels={self.channels!r}"
                )
        if min(self.std) < 1 / _MOST:
            raise ValueError(f"preprocess std is {self.std}, expected values above 0")
        if not 0 <= self.pad_value <= 255:
            raise ValueError(f"preprocess pad_value is {self.pad_value}, expected 0 to 255")
        if self.layout == "hw" and self.depth != 1:
            raise ValueError(
                f"preprocess layout is 'hw' with channels={self.channels!r}, expected 'grey'"
            )
        if self.region is not None:
            # Equal regions are equal, however they were written.
            object.__setattr__(self, "region", exact(self.region))

    @property
    def parts(self) -> tuple[PreprocessSpec, ...]:
        """What each input that is made of a frame is prepared by: this; one each of its tiles."""
        return (self,)

    @property
    def depth(self) -> int:
        """The number of channels of the input: 1 for "grey", 4 for "rgba", otherwise 3."""
        return channel_count(self.channels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the image in the input, in whatever `layout`."""
        return self.size[1], self.size[0], self.depth

    @property
    def tensor_shape(self) -> tuple[int, ...]:
        """The shape of the input tensor, with its first axis of 1."""
        height, width, depth = self.shape
        if self.layout == "chw":
            return 1, depth, height, width
        return (1, height, width) if self.layout == "hw" else (1, height, width, depth)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Return whether an input tensor has this shape, with or without a first axis of 1."""
        return shape in (self.tensor_shape, self.tensor_shape[1:])
