"""The training's input: its rate from the files on disk against the same in memory, and its memory.

    python -m tests.benchmarks --only training

The files are read as they are after preparing, from the system's cache; both sides shuffle,
normalize and hand batches over to TensorFlow in the same way. The network takes no part: in a
training what is measured here runs while the network computes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.preprocess import PreprocessSpec, normalize_table
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.store import ImageStore
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.tasks.task import Floats, Rows
from edgeinfer.host.training.data.batches import Batches, FeatureSource, ImageSource, Source
from edgeinfer.host.training.data.feature_cache import DTYPE, FeatureFile
from tests.benchmarks.measure import Row, interleaved, ratio

SPEC = PreprocessSpec(size=(96, 96))
SMALL = PreprocessSpec(size=(24, 24))
"""For what a hundred thousand pictures take."""
PICTURES = 2048
FEATURES = 1280
LESSON = Lesson(task=find_taught("classification"), said=Said(labels=("a", "b")))


class InMemory:
    """The same as a store or a file of features, of an array."""

    def __init__(self, values: NDArray[Any], rows: Rows) -> None:
        self.values, self.rows = values, rows
        self.shape = values.shape

    def __len__(self) -> int:
        """Return N."""
        return len(self.values)

    def read(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        """Return some of the values; features become float32 as those of a file do."""
        chosen = self.values[indices]
        return chosen if chosen.dtype == np.uint8 else chosen.astype(np.float32)


def epoch_rate(source: Source) -> Callable[[], float]:
    """Return what measures samples a second of one epoch, as training reads them."""
    batches = Batches(source=source, lesson=LESSON, batch_size=64, seed=0)

    def measure() -> float:
        start = time.perf_counter()
        count = sum(len(weights) for _, _, weights in batches.dataset())
        return count / (time.perf_counter() - start)

    return measure


def sources(folder: Path, pictures: int = PICTURES) -> dict[str, tuple[Source, Source]]:
    """Return by name what is read from files, and the same in memory."""
    random = np.random.default_rng(0)
    rows = np.arange(pictures) % 2
    images = random.integers(0, 256, (pictures, *SPEC.shape), np.uint8)
    table = normalize_table(SPEC)
    write_atomically(folder / "images.u8", images.tobytes())
    store = ImageStore(folder / "images.u8", rows, SPEC.shape)
    variants: list[tuple[FeatureFile, InMemory]] = []
    for number in range(2):
        values: Floats = random.random((pictures, FEATURES)).astype(DTYPE)
        path = folder / f"features.{number}.f16"
        write_atomically(path, values.tobytes())
        variants.append((FeatureFile(path, values.shape), InMemory(values, rows)))
    on_disk, in_memory = zip(*variants, strict=True)
    return {
        "pictures": (ImageSource(store, table), ImageSource(InMemory(images, rows), table)),
        "features": (FeatureSource(on_disk, (rows, rows)), FeatureSource(in_memory, (rows, rows))),
    }


MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np
from tests.benchmarks.training.input import LESSON, SMALL
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.preprocess import normalize_table
from edgeinfer.host.data.store import build_store
from edgeinfer.host.training.data.batches import Batches, ImageSource
folder, count = Path(sys.argv[1]), int(sys.argv[2])
names = sorted(map(str, folder.glob("*.jpg")))
samples = [Sample(source=names[i % len(names)], target=i % 2) for i in range(count)]
rows = np.arange(count, dtype=np.int32) % 2
with build_store(samples, SMALL, folder / "store.u8", rows) as store:
    batches = Batches(
        source=ImageSource(store, normalize_table(SMALL)), lesson=LESSON, batch_size=64, seed=0
    )
    for _ in batches.dataset():
        pass
    size = store.path.stat().st_size
print(size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def peak_bytes(count: int, folder: Path) -> tuple[int, int]:
    """Return the size of the prepared pictures, and the peak memory of one epoch on them."""
    import cv2

    random = np.random.default_rng(0)
    for number in range(100):
        picture = random.integers(0, 256, (48, 64, 3), np.uint8)
        cv2.imwrite(str(folder / f"{number}.jpg"), picture)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(folder), str(count)],
        capture_output=True,
        text=True,
        check=True,
    )
    size, peak = map(int, done.stdout.split())
    return size, peak


def rows(repeats: int = 7, counts: tuple[int, ...] = (1_000, 10_000, 100_000)) -> list[Row]:
    """Return this benchmark's part of the table."""
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        for name, (ours, theirs) in sources(Path(temporary)).items():
            contenders = {
                "disk": epoch_rate(ours),
                "memory": epoch_rate(theirs),
            }
            interleaved(contenders, 1)  # TensorFlow's first run of each
            figures = interleaved(contenders, repeats)
            disk, memory = (sorted(figures[key])[repeats // 2] for key in ("disk", "memory"))
            found.append(
                Row(
                    what=f"training's input: {name} from disk",
                    figure=f"{disk:,.0f}/s",
                    compared_with=f"in memory: {memory:,.0f}/s",
                    ratio=ratio(figures["disk"], figures["memory"]),
                    wanted="at least 0.95",
                )
            )
        least = 0
        for count in counts:
            size, peak = peak_bytes(count, Path(temporary))
            least = least or peak
            found.append(
                Row(
                    what=f"peak memory, {count:,} pictures of {size / 1e6:,.0f} MB",
                    figure=f"{peak / 1e6:,.0f} MB",
                    compared_with=f"{counts[0]:,} pictures: {least / 1e6:,.0f} MB",
                    ratio=f"{peak / least:.2f}",
                    wanted="flat",
                )
            )
    return found
