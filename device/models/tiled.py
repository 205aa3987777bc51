"""Opening a detector for the tiles of pictures: which models can be."""

from __future__ import annotations

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.pictures.region import Tiles
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.preprocess.tiles import TiledPreprocessor, TiledSpec, tiled
from edgeinfer.device.tasks.registry import OWN, find_task
from edgeinfer.device.tasks.task import Said


def tiled_spec(
    spec: PreprocessSpec, tiles: Tiles | None, *, task: str, said: Said
) -> PreprocessSpec:
    """Return how the tiles of frames are prepared for a model; without tiles `spec`.

    Args:
        spec: how it takes frames.
        tiles: columns and rows; None for no tiles.
        task: what it predicts.
        said: the description of its outputs.

    Raises:
        UsageError: its answers to tiles cannot be put together.
    """
    if tiles is None:
        return spec
    if not find_task(task).has_objects:
        able = [name for name in OWN if find_task(name).has_objects]
        raise UsageError(
            "--tiles",
            got=f"the model's task is '{task}', which has no objects with boxes",
            expected=f"one of {', '.join(able)}",
            next_step="leave --tiles out",
        )
    candidates = said.decoder.candidates
    if candidates is not None and (candidates.angle or candidates.prototypes is not None):
        raise UsageError(
            "--tiles",
            got=f"the model's objects have {'turned boxes' if candidates.angle else 'masks'}",
            expected="a detector of upright boxes without masks",
            next_step="leave --tiles out",
        )
    return tiled(spec, tiles)


def make_preprocessor(spec: PreprocessSpec, tensor: TensorSpec) -> Preprocessor:
    """Return what prepares frames for a model as `spec` says, or their tiles.

    Raises:
        ValueError: the tensor does not fit the spec.
    """
    if isinstance(spec, TiledSpec):
        return TiledPreprocessor(spec, tensor)
    return Preprocessor(spec, tensor)
