"""Zeros in weights compared with channels taken out: size and time at equal accuracy.

    python -m tests.benchmarks.training.sparsity RUN [--epochs 8]

RUN is a folder of `edgeinfer train`. Zeros are set in 50, 75 and 90 % of the weights and in 2 of
every 4; channels are taken out until so much of the arithmetic is left. All are then trained in
the same way, become INT8, and are timed in turns with the run's own INT8 model. The second part
compares each sparse model with the fastest with fewer channels that answers as well on validation.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.run_source import calibration_samples
from edgeinfer.converters.measure.evaluate import evaluate, evaluation_model
from edgeinfer.converters.measure.timing import time_models
from edgeinfer.converters.measure.timing_worker import InvokeTime
from edgeinfer.converters.pruning.sparsity import compressed_bytes
from edgeinfer.converters.quantize.quantize import QuantizeOptions, quantize_trained
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_samples, read_trained
from edgeinfer.converters.tensorflow.worker.process import TensorflowProcess
from edgeinfer.device.models.model import Model
from edgeinfer.host.training.pruning.config import PruneConfig
from edgeinfer.host.training.pruning.prune import prune

SPARSE = ("0.5", "0.75", "0.9", "2:4")
KEPT = (0.8, 0.65, 0.5, 0.35, 0.25)
ORIGINAL = "the run itself"
EQUAL_POINTS = 0.25
"""A model that is at most this many points worse still answers well."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model.

    Attributes:
        name: what was done to it.
        top1: INT8 on validation, 0 to 1.
        content: the INT8 `.tflite`.
        time: its invoke against the run's own.
    """

    name: str
    top1: float
    content: bytes
    time: InvokeTime

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the first table."""
        return (
            self.name,
            f"{100 * self.top1:.2f}",
            f"{len(self.content):,}",
            f"{compressed_bytes(self.content):,}",
            f"{self.time.ratio:.2f} ({self.time.ratio_low:.2f} to {self.time.ratio_high:.2f})",
        )


HEADER = ("", "INT8 top-1, %", "file, bytes", "gzip -9", "times as fast (quartiles)")


def make(run: Path, folder: Path, epochs: int) -> dict[str, tuple[float, bytes]]:
    """Return each model's accuracy and INT8 form."""
    made = {ORIGINAL: _int8(run)}
    aims: dict[str, dict[str, Any]] = {
        f"zeros in {_zeros(aim)}": {"sparsity": aim} for aim in SPARSE
    }
    aims |= {f"{kept:.0%} of the arithmetic": {"keep_cost": kept} for kept in KEPT}
    for number, (name, aim) in enumerate(aims.items()):
        out = folder / str(number)
        prune(run, PruneConfig(**aim, epochs=epochs, patience=epochs), out)
        made[name] = _int8(out)
    return made


def _zeros(aim: str) -> str:
    return f"{float(aim):.0%}" if ":" not in aim else f"{aim} blocks"


def _int8(run: Path) -> tuple[float, bytes]:
    trained, splits = read_trained(run), read_samples(run)
    with TensorflowProcess() as tensorflow:
        small = quantize_trained(
            run / KERAS_FILE,
            trained.preprocess,
            calibration_samples(
                splits["train"], ConvertOptions().calibration_images, task=trained.measured
            ),
            QuantizeOptions(),
            Silent(),
            tensorflow=tensorflow,
        ).small

    def make() -> Model:
        return evaluation_model(
            small,
            subject=trained.name,
            task=trained.task,
            said=trained.said,
            preprocess=trained.preprocess,
        )

    found = evaluate({"int8": make}, splits["validation"], trained.measured, trained.said)
    return found["int8"].score, small


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    ]
    return "\n".join(lines)


def main() -> None:
    """Prune, quantize, time, print."""
    parser = argparse.ArgumentParser(description="Zeros in weights compared with fewer channels.")
    parser.add_argument("run", type=Path)
    parser.add_argument("--epochs", type=int, default=8)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        made = make(arguments.run, Path(temporary), arguments.epochs)
    times = time_models({name: small for name, (_, small) in made.items()}, ORIGINAL)
    rows = {
        name: Row(name=name, top1=top1, content=small, time=times[name])
        for name, (top1, small) in made.items()
    }
    print(_table(HEADER, [row.cells() for row in rows.values()]))
    print("\nat equal accuracy:")
    dense = [row for name, row in rows.items() if "arithmetic" in name]
    for name, row in rows.items():
        as_good = [other for other in dense if other.top1 >= row.top1 - EQUAL_POINTS / 100]
        if "zeros" in name and as_good:
            best = max(as_good, key=lambda other: other.time.ratio)
            print(_table(HEADER, [row.cells(), best.cells()]))


if __name__ == "__main__":
    main()
