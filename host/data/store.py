"""Prepared images in one file on disk: decoded and resized once, read again every epoch.

The file is read with `pread`, not mapped: mapped pages count as the process's memory, and
the point is that memory does not grow with the data set.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.converters.common.ordered_map import ordered_map
from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.device.core.errors import ImageError, StorageError, storage_error
from edgeinfer.device.core.files import atomic_file
from edgeinfer.device.pictures.region import of_picture
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec

if TYPE_CHECKING:  # Python 3.10, on which a folder can be checked, does not have it
    from typing import Self


class ImageStore:
    """N images of one shape in a file: (N, H, W, C) uint8, and their targets in memory.

    Reading is safe from several threads. As a context manager it removes its file at the end.

    Args:
        path: the file, which `build_store` has written.
        rows: (N, ...) each image's target, in its task's form.
        image_shape: (H, W, C).

    Attributes:
        shape: (N, H, W, C).
    """

    def __init__(self, path: Path, rows: NDArray[Any], image_shape: tuple[int, int, int]) -> None:
        """Open the file."""
        self.path = path
        self.rows = rows
        self.shape = (len(rows), *image_shape)
        self._image_bytes = image_shape[0] * image_shape[1] * image_shape[2]
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise storage_error(path, error) from error

    def __len__(self) -> int:
        """Return N."""
        return len(self.rows)

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file and remove it."""
        self.close()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file and keep it; closing twice does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> NDArray[np.uint8]:
        """Read some images: (n, H, W, C) uint8, in the order of `indices`.

        Raises:
            IndexError: an index is not in 0..N-1.
            StorageError: another program has shortened the file.
        """
        images = np.empty((len(indices), *self.shape[1:]), np.uint8)
        for row, index in zip(images, indices, strict=True):
            if not 0 <= index < len(self):
                raise IndexError(f"image {index} of {len(self)}")
            got = os.preadv(self._descriptor, [row.data], int(index) * self._image_bytes)
            if got != self._image_bytes:
                raise StorageError(self.path, got="is incomplete", next_step="start again")
        return images

    def batches(self, size: int = 32) -> Iterator[NDArray[np.uint8]]:
        """Yield all images in order, `size` at a time: (n, H, W, C) uint8."""
        for start in range(0, len(self), size):
            yield self.read(range(start, min(start + size, len(self))))


def build_store(
    samples: Sequence[Sample],
    spec: PreprocessSpec,
    path: Path,
    rows: NDArray[Any],
    *,
    progress: Progress | None = None,
    threads: int = 2,
) -> ImageStore:
    """Prepare `samples` through the device's own preprocessing into a new file.

    Args:
        samples: in the order of the store.
        spec: how they are prepared; the images are what `Preprocessor.image` gives.
        path: the file; it appears when it is complete.
        rows: (samples, ...) their targets, in their task's form.
        progress: reports each image.
        threads: how many images are prepared in parallel.

    Raises:
        StorageError: there is not enough room, or the file cannot be written.
        DataError: a sample cannot be read, or is too small for the spec's region.
    """
    _require_room(path, len(samples) * spec.shape[0] * spec.shape[1] * spec.shape[2])
    preprocessor = Preprocessor(spec)

    def prepare(sample: Sample) -> NDArray[np.uint8]:
        pixels = read_sample(sample.source)
        try:
            return preprocessor.image(pixels)
        except ImageError as error:
            raise of_picture(error, sample.source) from error

    with atomic_file(path) as stream:
        for image in ordered_map(prepare, samples, threads=threads):
            stream.write(np.ascontiguousarray(image).data)
            if progress is not None:
                progress.advance()
    return ImageStore(path, rows, spec.shape)


def _require_room(path: Path, needed: int) -> None:
    """Check before hours of work that the disk has enough room.

    Raises:
        StorageError: there is not enough room.
    """
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageError(
            path,
            got=f"needs {needed / 1e6:,.0f} MB and {free / 1e6:,.0f} MB are free",
            next_step="free some space or choose another place",
        )
