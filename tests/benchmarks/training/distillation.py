"""What a teacher gives a student of at most 150 kB: the same recipe with and without, seed by seed.

    python -m tests.benchmarks.training.distillation PHOTOGRAPHS [--teacher RUN] [--runs FOLDER] ...

All students are the ready-made one of the smallest boards, on the split of the teacher, which is
trained first where none is named. Accuracies are those of the INT8 model that `edgeinfer convert`
makes, on the test split. Every other training has a teacher; what is in `--runs` from an earlier
start is taken as it is. It takes hours.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.bundle.write import CPU_MEMBER
from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.pipeline import convert
from edgeinfer.converters.convert.run_source import TrainedRun
from edgeinfer.converters.run_folder.trained_run import TRAINED_FILE
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.host.data.dataset import PreparedData, prepare_folder
from edgeinfer.host.models.students import TINY
from edgeinfer.host.training.config import TrainConfig, default_config
from edgeinfer.host.training.distillation.teacher import TeacherConfig
from edgeinfer.host.training.distillation.teacher_split import follow_teacher
from edgeinfer.host.training.train import train
from tests.benchmarks.measure import SHARED_DATA, Row, table

TEACHER_VARIABLE = "EDGEINFER_TEACHER"
"""Names the teacher's run, so that it is not trained again."""

MOST_BYTES = 150_000


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One student.

    Attributes:
        float_top1: accuracy in float32 on the test split, 0 to 1.
        int8_top1: the same as INT8.
        file_bytes: size of the INT8 `.tflite`.
    """

    float_top1: float
    int8_top1: float
    file_bytes: int


def student_config(*, seed: int, epochs: int | None = None) -> TrainConfig:
    """Return the ready-made student's settings."""
    overrides = TINY.overrides() | ({"epochs": epochs} if epochs else {}) | {"seed": seed}
    return default_config(TINY.architecture, **overrides)


def measure(
    data: PreparedData, config: TrainConfig, run: Path, teacher: TeacherConfig | None
) -> Outcome:
    """Train a student, unless that has been done, and convert it."""
    if not (run / TRAINED_FILE).is_file():
        train(data, config, run, teacher=teacher, teacher_cache=run.parent / "answers")
    bundle = run.with_suffix(".edgebundle")
    result = convert(TrainedRun(folder=run), bundle, ConvertOptions(), Silent())
    with open_bundle(bundle) as opened:
        size = len(opened.member(CPU_MEMBER))
    test = result.evaluations["test"]
    return Outcome(
        float_top1=test["float32"].score,
        int8_top1=test["int8"].score,
        file_bytes=size,
    )


def compare(
    data: PreparedData,
    teacher: TeacherConfig,
    runs: Path,
    *,
    seeds: Sequence[int],
    epochs: int | None = None,
) -> dict[str, list[Outcome]]:
    """Train and convert students with and without the teacher, in turn."""
    data = follow_teacher(data, teacher.run)
    found: dict[str, list[Outcome]] = {"labels alone": [], "labels and teacher": []}
    for seed in seeds:
        config = student_config(seed=seed, epochs=epochs)
        for kind, asked in zip(found, (None, teacher), strict=True):
            name = f"{'with-teacher' if asked else 'alone'}-{seed}"
            outcome = measure(data, config, runs / name, asked)
            print(f"{name}: {outcome}", file=sys.stderr, flush=True)
            found[kind].append(outcome)
    return found


def table_rows(found: dict[str, list[Outcome]]) -> list[Row]:
    """Return a line for each kind: accuracies of all seeds, mean and standard deviation."""
    rows = []
    alone = [outcome.int8_top1 for outcome in found["labels alone"]]
    for kind, outcomes in found.items():
        top1 = [outcome.int8_top1 for outcome in outcomes]
        largest = max(outcome.file_bytes for outcome in outcomes)
        gain = [100 * (ours - theirs) for ours, theirs in zip(top1, alone, strict=True)]
        rows.append(
            Row(
                what=f"student of {largest:,} bytes, {kind}: INT8 on test",
                figure=_spread([100 * value for value in top1], "%"),
                compared_with="" if kind == "labels alone" else f"gain {_spread(gain, 'points')}",
                ratio=", ".join(f"{value:.2%}" for value in top1),
                wanted=f"{MOST_BYTES:,} bytes or less",
            )
        )
    return rows


def _spread(values: Sequence[float], unit: str) -> str:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.2f} +- {deviation:.2f} {unit}"


def rows() -> list[Row]:
    """Return this benchmark's part of the table."""
    photographs = SHARED_DATA / "catsdogs"
    if not photographs.is_dir():
        return []
    named = os.environ.get(TEACHER_VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        return _rows(photographs, Path(named) if named else None, Path(folder), seeds=3)


def _rows(
    photographs: Path, named: Path | None, runs: Path, *, seeds: int, epochs: int | None = None
) -> list[Row]:
    data = prepare_folder(photographs, seed=0)
    run = named or runs / "teacher"
    if not (run / TRAINED_FILE).is_file():
        train(data, default_config("efficientnet-lite0"), run)
    teacher = TeacherConfig(run=run, features=True)
    return table_rows(compare(data, teacher, runs, seeds=range(1, seeds + 1), epochs=epochs))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Students with and without a teacher.")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--teacher", type=Path, help="a run of `edgeinfer train`")
    parser.add_argument("--runs", type=Path, help="keep the students here, and go on from there")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="by default the student's own")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = given.runs or Path(folder)
        found = _rows(
            given.photographs, given.teacher, runs, seeds=given.seeds, epochs=given.epochs
        )
    print(table(found))


if __name__ == "__main__":
    main()
