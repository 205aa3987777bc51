"""Choose the subset of Fashion-MNIST that is next to this script.

    python make_subset.py [--source /usr/share/datasets/fashion-mnist] [--target FOLDER]

The source is Debian's dataset-fashion-mnist, or upstream's four files. The choice depends
only on the seed, and the gzip files contain no time and no name, so a second run writes the same
bytes.
"""

from __future__ import annotations

import argparse
import gzip
import io
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SEED = 20170825
PER_CLASS = {"train": 700, "t10k": 100}
SOURCE = Path("/usr/share/datasets/fashion-mnist")


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read a gzip-compressed IDX file of unsigned bytes."""
    content = gzip.decompress(path.read_bytes())
    axes = content[3]
    shape = struct.unpack_from(f">{axes}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def pack_idx(values: NDArray[np.uint8]) -> bytes:
    """Return `values` as a gzip-compressed IDX file, without time or name."""
    header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as stream:
        stream.write(header + values.tobytes())
    return packed.getvalue()


def choose(labels: NDArray[np.uint8], per_class: int, seed: int) -> NDArray[np.intp]:
    """Return `per_class` indices of each label, in ascending order.

    PCG64's raw output is the same in every numpy version, unlike the Generator's shuffles.
    """
    chosen = []
    for label in range(10):
        members = np.flatnonzero(labels == label)
        keys = np.random.PCG64([seed, label]).random_raw(len(members))
        chosen.append(members[np.argsort(keys, kind="stable")[:per_class]])
    return np.sort(np.concatenate(chosen))


def make_subset(source: Path, target: Path) -> None:
    """Write the subset's four files into `target`."""
    for part, per_class in PER_CLASS.items():
        labels = read_idx(source / f"{part}-labels-idx1-ubyte.gz")
        images = read_idx(source / f"{part}-images-idx3-ubyte.gz")
        chosen = choose(labels, per_class, SEED)
        (target / f"{part}-labels-idx1-ubyte.gz").write_bytes(pack_idx(labels[chosen]))
        (target / f"{part}-images-idx3-ubyte.gz").write_bytes(pack_idx(images[chosen]))


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description="Choose the embedded subset of Fashion-MNIST.")
    parser.add_argument("--source", type=Path, default=SOURCE)
    parser.add_argument("--target", type=Path, default=Path(__file__).resolve().parent)
    options = parser.parse_args()
    make_subset(options.source, options.target)


if __name__ == "__main__":
    main()
