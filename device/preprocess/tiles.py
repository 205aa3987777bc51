"""A frame as overlapping tiles: one tensor for each, prepared as a region is."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.pictures.pixel_formats import PixelFormat
from edgeinfer.device.pictures.region import Tiles, tile_regions
from edgeinfer.device.preprocess.preprocessor import Preprocessor
from edgeinfer.device.preprocess.spec import PreprocessSpec


@dataclass(frozen=True, kw_only=True)
class TiledSpec(PreprocessSpec):
    """How the tiles of a frame become inputs of a model; `tiled` makes one.

    Attributes:
        tiles: columns and rows; the tiles are those of the region, if there is one.
    """

    tiles: Tiles

    @cached_property
    def parts(self) -> tuple[PreprocessSpec, ...]:
        """The tiles, row by row, each as a region."""
        regions = tile_regions(self.tiles, self.region)
        return tuple(PreprocessSpec(**{**_stated(self), "region": region}) for region in regions)


def tiled(spec: PreprocessSpec, tiles: Tiles) -> TiledSpec:
    """Return how the tiles of frames are prepared that `spec` prepares whole.

    Raises:
        UsageError: the crop would leave out what is at the edges of each tile.
    """
    if spec.crop == "center-crop":
        raise UsageError(
            "--tiles",
            got="the model cuts off the edges of what it is shown (center-crop)",
            expected="a model that sees all of each tile: stretch or letterbox",
            next_step="leave the tiles out, or for a .tflite choose --crop letterbox",
        )
    return TiledSpec(**_stated(spec), tiles=tiles)


class TiledPreprocessor(Preprocessor):
    """Turns each frame into a tensor of as many inputs as there are tiles. Threads may share it.

    Args:
        spec: what to do.
        tensor: the model's input.

    Raises:
        ValueError: the tensor does not fit the spec.
    """

    def __init__(self, spec: TiledSpec, tensor: TensorSpec) -> None:
        super().__init__(spec, tensor)
        self._tiles = [Preprocessor(part, tensor) for part in spec.parts]

    def tensor(
        self,
        pixels: NDArray[np.uint8],
        pixel_format: PixelFormat = "rgb",
        *,
        out: NDArray[np.generic] | None = None,
    ) -> NDArray[np.generic]:
        """Return the inputs of all tiles, (tiles, ...), see `Preprocessor.tensor`."""
        tensors = self.empty() if out is None else out
        for tile, tensor in zip(self._tiles, tensors, strict=True):
            tile.tensor(pixels, pixel_format, out=tensor)
        return tensors

    def empty(self) -> NDArray[np.generic]:
        """Return a tensor to be filled, (tiles, ...), each in the shape of the model's input."""
        return np.empty((len(self._tiles), *self._shape), self._table.dtype)

    def inputs(self, tensor: NDArray[np.generic]) -> list[NDArray[np.generic]]:
        """Return the input of each tile."""
        return list(tensor)


def _stated(spec: PreprocessSpec) -> dict[str, Any]:
    return {field.name: getattr(spec, field.name) for field in fields(PreprocessSpec)}
