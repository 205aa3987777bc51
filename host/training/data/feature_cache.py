"""Activations of a frozen network, computed once and kept on disk."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.core.files import atomic_file
from edgeinfer.host.tasks.task import Floats
from edgeinfer.host.training.data.batches import ImageSource
from edgeinfer.host.training.data.kept_features import fetch, keep

DTYPE = np.dtype(np.float16)
"""Half precision halves the file; its rounding is far below that of INT8 later on."""

_BATCH = 64


class FeatureFile:
    """Activations in a file, (N, ...) float16.

    They are read in pieces, not mapped: mapped pages count as the process's memory.

    Args:
        path: the file.
        shape: (N, ...).
    """

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.path, self.shape = path, shape
        self._row = int(np.prod(shape[1:]))
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)

    def read(self, indices: NDArray[np.int64]) -> Floats:
        """Return the rows at `indices`, (n, ...) float32."""
        rows = np.empty((len(indices), self._row), DTYPE)
        for row, index in zip(rows, indices, strict=True):
            if os.preadv(self._descriptor, [row.data], int(index) * row.nbytes) != row.nbytes:
                raise StorageError(self.path, got="is incomplete", next_step="start again")
        return rows.astype(np.float32).reshape(len(indices), *self.shape[1:])


def cache_features(
    model: Any,
    source: ImageSource,
    folder: Path,
    name: str,
    *,
    mirrored: bool,
    progress: Progress,
    key: Callable[[], str] | None = None,
) -> list[tuple[FeatureFile, ...]]:
    """Run a model once over all samples and keep its outputs.

    If all files are there, they are of a training that was stopped, and are used.

    Args:
        model: a Keras model with one input and any number of outputs, run in inference mode.
        source: the samples, read in order and unchanged.
        folder: where the files go, `NAME.VARIANT.OUTPUT.f16`.
        name: of the files.
        mirrored: also keep the outputs for the pictures mirrored left to right.
        progress: reports every picture.
        key: keep the outputs for later trainings, and use those of earlier ones, under what this
            returns; see `kept_features.features_key`. It is asked only where outputs are missing.

    Returns:
        For each output its variants: unchanged, mirrored.

    Raises:
        StorageError: the files cannot be written.
    """
    import keras
    import tensorflow as tf

    total, variants = len(source.rows), 2 if mirrored else 1
    # A model with one output returns it without a list.
    call = tf.function(
        lambda inputs: keras.tree.flatten(model(inputs, training=False)), reduce_retracing=True
    )
    shapes = [tuple(output.shape[1:]) for output in model.outputs]
    paths = [
        [folder / f"{name}.{variant}.{number}.f16" for variant in range(variants)]
        for number in range(len(shapes))
    ]
    files = [path for per_output in paths for path in per_output]
    if not all(path.is_file() for path in files):
        found = None if key is None else key()
        if found is not None and fetch(found, files):
            progress.say(f"{name}: features of an earlier training on the same pictures are used")
        else:
            _write(call, source, paths, name, progress)
            if found is not None:
                keep(found, files)
    return [
        tuple(FeatureFile(path, (total, *shape)) for path in per_output)
        for per_output, shape in zip(paths, shapes, strict=True)
    ]


def _write(
    call: Any, source: ImageSource, paths: list[list[Path]], name: str, progress: Progress
) -> None:
    """Write all files; each appears when it is whole."""
    total, variants = len(source.rows), len(paths[0])
    progress.start(f"{name}: features of {total} pictures", total * variants)
    for variant in range(variants):
        # Written, not memory-mapped: on a full disk a mapped page kills the process.
        with ExitStack() as stack:
            streams = [stack.enter_context(atomic_file(path[variant])) for path in paths]
            for inputs in _inputs(source, mirror=variant == 1):
                for stream, values in zip(streams, call(inputs), strict=True):
                    stream.write(np.asarray(values).astype(DTYPE).tobytes())
                progress.advance(len(inputs))


def _inputs(source: ImageSource, *, mirror: bool) -> Iterator[Floats]:
    for start in range(0, len(source.rows), _BATCH):
        inputs, _ = source.read(np.arange(start, min(start + _BATCH, len(source.rows))), None)
        yield np.ascontiguousarray(inputs[:, :, ::-1]) if mirror else inputs
