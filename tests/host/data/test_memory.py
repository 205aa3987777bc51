"""Memory does not grow with the data set."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

PROGRAM = """
import resource, sys
from pathlib import Path
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.data.dataset import channel_statistics, prepare_folder
from edgeinfer.host.data.store import build_store
root = Path(sys.argv[1])
data = prepare_folder(root, seed=0)
rows = [sample.target for sample in data.splits["train"]]
spec = PreprocessSpec(size=(96, 96))
with build_store(data.splits["train"], spec, root / ".store", rows) as store:
    channel_statistics(store)
    for start in range(0, len(store), 64):
        store.read(range(start, min(start + 64, len(store))))
    size = store.path.stat().st_size
print(len(store), size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def _peak(root: Path, count: int) -> tuple[int, int]:
    """Return the store's size and the peak memory of preparing `count` pictures, in bytes."""
    rng = np.random.default_rng(0)
    for index in range(count):
        path = root / "ab"[index % 2] / f"{index}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        assert cv2.imwrite(str(path), cv2.resize(coarse, (160, 120)))
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(root)], capture_output=True, text=True, check=True
    )
    _, size, peak = map(int, result.stdout.split())
    return size, peak


def test_peak_memory_stays_when_the_data_set_grows(tmp_path: Path) -> None:
    small_size, small_peak = _peak(tmp_path / "small", 300)
    large_size, large_peak = _peak(tmp_path / "large", 1200)
    assert large_size - small_size > 15e6
    # Names and hashes take under 1 kB a picture, under 1 MB here; the rest is the allocator's
    # own play. Holding the pictures would take 20 MB more, decoded ones 50 MB.
    assert large_peak - small_peak < 6e6
