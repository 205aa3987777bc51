"""How small a JPEG may be decoded for a model."""

from __future__ import annotations

import functools
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.jpeg import decode_reduced
from edgeinfer.device.pictures.pixel_formats import JpegReduction, ReductionRule
from edgeinfer.device.preprocess.placement import place
from edgeinfer.device.preprocess.spec import PreprocessSpec


def reduction_for(spec: PreprocessSpec, size: tuple[int, int]) -> JpegReduction:
    """Return at which part of its size a JPEG is decoded for a model.

    Args:
        spec: `jpeg_reduction` is the most that it allows.
        size: (width, height) of the JPEG.

    Returns:
        1, 2, 4 or 8: the largest at which the reduced picture, sides rounded up as libjpeg does,
        still has a pixel for each that it fills of the model's image; its region, if the spec has
        one, and each of its tiles.
    """
    return min(_reduction(part, size) for part in spec.parts)


def _reduction(spec: PreprocessSpec, size: tuple[int, int]) -> JpegReduction:
    for reduction in reversed(get_args(JpegReduction)):
        if reduction <= spec.jpeg_reduction:
            reduced = (-(-size[0] // reduction), -(-size[1] // reduction))
            try:
                placement = place(spec, reduced)
            except ImageError:  # the region is only a few pixels of it
                continue
            if (
                placement.width >= placement.fill_width
                and placement.height >= placement.fill_height
            ):
                return reduction  # type: ignore[no-any-return]
    return 1


def reduction_rule(spec: PreprocessSpec | None) -> ReductionRule | None:
    """Return `reduction_for` for a model, as readers of pictures take it; None for None."""
    return None if spec is None else functools.partial(reduction_for, spec)


def decode_for(
    spec: PreprocessSpec, data: NDArray[np.uint8], *, subject: str = "frame"
) -> NDArray[np.uint8]:
    """Decode a JPEG as `spec` states: (N,) bytes to (H, W, 3) uint8 BGR.

    Raises:
        ImageError: it is damaged or not a JPEG.
    """
    return decode_reduced(data, functools.partial(reduction_for, spec), subject=subject)
