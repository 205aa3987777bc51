"""Several labels for one picture: pairs of Fashion-MNIST pictures side by side, F1 of each label.

It is the part `pairs` of `python -m tests.benchmarks.training`. The pairs to train with are of the
set's training pictures, those to test with of its test pictures.
"""

from __future__ import annotations

import csv
import io
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.host.data import fashion_mnist
from tests.benchmarks.measure import Row

TRAIN_PAIRS, TEST_PAIRS = 4000, 1000
_TABLE = "labels.csv"
_SETTINGS = (
    *("--architecture", "small-cnn", "--size", "56x28", "--channels", "grey"),
    *("--augment", "none", "--epochs", "15"),
)


def pairs_rows(work: Path, program: Path) -> list[Row]:
    """Train and convert, and return each label's F1, float and INT8."""
    data, run, bundle = work / "pairs", work / "run", work / "pairs.edgebundle"
    table = _make(data)
    named = ("--task", "multilabel", "--labels-csv", table)
    _run(program, "train", data, *named, *_SETTINGS, "--out", run, "--force")
    lines = _run(program, "convert", run, "--out", bundle, "--no-install").splitlines()
    return [_row(lines, "mean F1 of the labels"), *(_row(lines, it) for it in fashion_mnist.LABELS)]


def _make(folder: Path) -> Path:
    """Write the pictures and the table, unless they are there, and return the table."""
    table = folder / _TABLE
    if table.is_file():
        return table
    generator = np.random.default_rng(0)
    train, test = fashion_mnist.list_samples(fashion_mnist.find_full_set(None))
    rows = [("file", "labels", "split")]
    for split, samples, count in (("train", train, TRAIN_PAIRS), ("test", test, TEST_PAIRS)):
        (folder / split).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pair = [samples[place] for place in generator.integers(len(samples), size=2)]
            name = f"{split}/{number:04}.png"
            (folder / name).write_bytes(_side_by_side(pair))
            labels = sorted({fashion_mnist.LABELS[sample.target] for sample in pair})
            rows.append((name, ";".join(labels), split))
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    table.write_text(text.getvalue(), encoding="utf-8")
    return table


def _side_by_side(pair: Sequence[Sample]) -> bytes:
    return encode_png(np.hstack([read_sample(sample.source) for sample in pair]))


def _row(lines: Sequence[str], name: str) -> Row:
    """Return what convert says of a label in both precisions."""
    found = {}
    for precision in ("INT8", "float32"):
        start = f"test {precision}: {name}: "
        (line,) = (line for line in lines if line.startswith(start))
        found[precision] = float(line.removeprefix(start).split("F1 ")[-1].split("%")[0])
    return Row(
        what=f"pairs of Fashion-MNIST: {name}",
        figure=f"INT8 {found['INT8']:.1f} %",
        compared_with=f"float32 {found['float32']:.1f} %",
        ratio=f"{found['INT8'] - found['float32']:+.1f} points",
    )


def _run(program: Path, *words: object) -> str:
    """Run a command and return what it prints."""
    return subprocess.run(
        [str(program), *map(str, words)], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
