"""Preprocessor: PreprocessSpec carried out on frames, natively or by numpy, with the same bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.pictures.pixel_formats import PixelFormat, Pixels, picture_size, to_rgb
from edgeinfer.device.preprocess.native_library import NativePreprocessor, load_kernels
from edgeinfer.device.preprocess.placement import place
from edgeinfer.device.preprocess.spec import PreprocessSpec
from edgeinfer.device.preprocess.table import identity_table, tensor_table


class Preprocessor:
    """Turns frames into input tensors. Threads may share it.

    Args:
        spec: what to do.
        tensor: the model's input; None makes (1, H, W, C) uint8 images of the model's size.
        native: True insists on the native library, False on numpy; None takes what is there.

    Raises:
        ValueError: the tensor does not fit the spec.
        RuntimeError: the native library was insisted on and is absent.
    """

    def __init__(
        self, spec: PreprocessSpec, tensor: TensorSpec | None = None, *, native: bool | None = None
    ) -> None:
        self.spec = spec
        if tensor is not None and not spec.fits(tensor.shape):
            raise ValueError(
                f"tensor '{tensor.name}': shape is {tensor.shape}, expected {spec.tensor_shape}"
            )
        form = replace(spec, layout="hwc") if tensor is None else spec
        self._form = form
        self._shape = form.tensor_shape if tensor is None else tensor.shape
        self._makes_images = tensor is None
        self._table: NDArray[np.generic] = (
            identity_table(spec) if tensor is None else tensor_table(spec, tensor)
        )
        kernels = None if native is False else load_kernels()
        if native is True and kernels is None:
            raise RuntimeError("the native library was not built or is turned off")
        self._native = (
            None
            if kernels is None
            else NativePreprocessor(kernels, form, self._table, shape=self._shape)
        )

    def image(self, pixels: Pixels) -> NDArray[np.uint8]:
        """Crop, resize and order the channels: (H, W, 3) uint8 RGB to `spec.shape` uint8.

        Raises:
            ImageError: the frame is too small for the spec's region.
            ValueError: this Preprocessor was made with a TensorSpec.
        """
        if not self._makes_images:
            raise ValueError("this Preprocessor makes tensors, not images")
        return np.asarray(self.tensor(pixels)[0], np.uint8)

    def tensor(
        self,
        pixels: NDArray[np.uint8],
        pixel_format: PixelFormat = "rgb",
        *,
        out: NDArray[np.generic] | None = None,
    ) -> NDArray[np.generic]:
        """Return the model's input, in the tensor's shape and dtype.

        Args:
            pixels: a frame, as `pixel_format` says; (H, W, 3) uint8 RGB by default.
            pixel_format: how it is laid out, see `pixel_formats`.
            out: an array to fill and return instead of a new one.

        Raises:
            ImageError: the frame is too small for the spec's region.
            ValueError: pixels or `out` have another shape or dtype.
        """
        tensor = self.empty() if out is None else out
        if self.spec.region is not None:
            place(
                self.spec, picture_size(pixels, pixel_format)
            )  # refuses too small a frame by name
        if self._native is not None:
            self._native.run(pixels, pixel_format, tensor)
        else:
            self._fill(tensor, self._image_numpy(pixels, pixel_format))
        return tensor

    def empty(self) -> NDArray[np.generic]:
        """Return a tensor to be filled, in the shape and dtype of the model's input."""
        return np.empty(self._shape, self._table.dtype)

    def inputs(self, tensor: NDArray[np.generic]) -> list[NDArray[np.generic]]:
        """Return what the model answers one after the other of what `tensor` made of a frame."""
        return [tensor]

    def _image_numpy(self, pixels: NDArray[np.uint8], pixel_format: PixelFormat) -> Pixels:
        """Crop, resize and order the channels."""
        from edgeinfer.device.preprocess.resample import resample
        from edgeinfer.device.preprocess.taps import make_taps

        spec = self.spec
        placement = place(spec, picture_size(pixels, pixel_format))
        window = to_rgb(pixels, pixel_format)[
            placement.y : placement.y + placement.height,
            placement.x : placement.x + placement.width,
        ]
        picture = resample(
            window,
            make_taps(placement.height, placement.fill_height, spec.resize),
            make_taps(placement.width, placement.fill_width, spec.resize),
        )
        if (placement.fill_width, placement.fill_height) != spec.size:
            canvas = np.full((spec.size[1], spec.size[0], 3), spec.pad_value, np.uint8)
            canvas[
                placement.top : placement.top + placement.fill_height,
                placement.left : placement.left + placement.fill_width,
            ] = picture
            picture = canvas
        return _order_channels(picture, spec)

    def _fill(self, tensor: NDArray[np.generic], image: NDArray[np.uint8]) -> None:
        whole = tensor[0] if tensor.ndim == len(self._form.tensor_shape) else tensor
        for channel in range(self.spec.depth):
            values = self._table[channel][image[..., channel]]
            if self._form.layout == "hwc":
                whole[..., channel] = values
            elif self._form.layout == "chw":
                whole[channel] = values
            else:
                whole[...] = values


def _order_channels(image: Pixels, spec: PreprocessSpec) -> NDArray[np.uint8]:
    """Turn RGB into the spec's channels."""
    if spec.channels == "rgb":
        return image
    if spec.channels == "bgr":
        return np.ascontiguousarray(image[..., ::-1])
    if spec.channels == "rgba":
        return np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    weighted = image.astype(np.uint16) @ np.array([77, 150, 29], np.uint16)
    return ((weighted + 128) >> 8).astype(np.uint8)[..., None]
