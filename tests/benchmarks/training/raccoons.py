"""How well a detector learns from few photographs: raccoons in five folds, all answers pooled.

It is the part `raccoons` of `python -m tests.benchmarks.training`. Near-duplicates are on one side
of each fold. Within a fold a fifth of the other pictures is for validation, which alone chooses
weights and repairs; the fold's own pictures are asked once. Float and INT8 answer through the
device package. Compared with them is one constant box for all pictures, which sees nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import edgeinfer
from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.samples import Sample, sample_size
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.converters.tasks.detection.coco import Answered
from edgeinfer.converters.tasks.detection.evaluation import DetectionEvaluation, evaluate_boxes
from edgeinfer.device.tasks.spec import Decoder
from edgeinfer.host.data.dataset import PreparedData
from edgeinfer.host.data.groups.near.together import near_groups
from edgeinfer.host.tasks.detection.boxes import find_boxes
from edgeinfer.host.tasks.detection.task import grids
from edgeinfer.host.training.train import train
from tests.benchmarks.measure import SHARED_DATA, Row

Fold: TypeAlias = dict[str, Any]
"""`seconds`, `processor_s`, `sources` of its pictures, and the `answers` of each form."""

FOLDS = 5
_FORMS = ("float32", "int8")
_LABELS = ("raccoon",)
_NEVER = 100.0
"""Points: whatever the small model loses is written down, and not refused."""


def raccoon_rows(work: Path, seeds: int) -> list[Row]:
    """Train, convert and ask each fold with each seed, unless WORK has it; return the figures."""
    rows: list[Row] = []
    samples = _samples()
    for seed in range(seeds):
        folds = [_fold(work, seed, fold) for fold in range(FOLDS)]
        pooled = {form: _pooled(samples, folds, form) for form in _FORMS}
        for form in _FORMS:
            rows.append(_row(f"raccoons, seed {seed}, {form}", pooled[form]))
        lost = pooled["int8"].compared(pooled["float32"])
        rows.append(
            Row(
                what=f"raccoons, seed {seed}: mAP50, float less INT8",
                figure=f"{lost.difference:+.3f} ({lost.low:+.3f} to {lost.high:+.3f})",
                wanted="0.01 or less",
            )
        )
        seconds = [fold["seconds"] for fold in folds]
        processor = [fold["processor_s"] for fold in folds]
        rows.append(
            Row(
                what=f"raccoons, seed {seed}: training a fold",
                figure=f"{min(seconds):.0f} to {max(seconds):.0f} s, of all processors "
                f"{min(processor):.0f} to {max(processor):.0f} s",
                wanted="180 s or less on two idle cores",
            )
        )
    rows.append(_row("one constant box", _constant(samples)))
    return rows


def _row(what: str, found: DetectionEvaluation) -> Row:
    known = found.figures()
    texts = [
        f"{title} {known[name]:.3f} ({known[name + '.low']:.3f} to {known[name + '.high']:.3f})"
        for title, name in (("AP50", "map50"), ("AP75", "map75"), ("AP50-95", "map50_95"))
    ]
    return Row(what=what, figure=", ".join(texts), wanted="INT8: AP50 0.90, AP50-95 0.47")


def _samples() -> list[Sample]:
    layout = find_boxes(SHARED_DATA / "raccoon")
    return [Sample(source=file.path, target=file.target) for file in layout.files]


def _splits(samples: Sequence[Sample], fold: int) -> dict[Split, list[Sample]]:
    """Return a fold's pictures as the test, a fifth of the others for validation."""
    groups = near_groups([sample.source for sample in samples], progress=Silent())
    folds = _dealt(groups, FOLDS, np.random.default_rng(0))
    rest = np.flatnonzero(folds != fold)
    part = _dealt(groups[rest], FOLDS, np.random.default_rng([1, fold]))
    places: dict[Split, NDArray[np.int64]] = {
        "train": rest[part != 0],
        "validation": rest[part == 0],
        "test": np.flatnonzero(folds == fold),
    }
    return {split: [samples[place] for place in found] for split, found in places.items()}


def _dealt(
    groups: NDArray[np.int64], count: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return one of `count` parts for each member of a group, of nearly equal sizes."""
    parts, sizes = np.zeros(len(groups), np.int64), np.zeros(count, np.int64)
    for group in generator.permutation(np.unique(groups)):
        smallest = int(sizes.argmin())
        parts[groups == group] = smallest
        sizes[smallest] += np.count_nonzero(groups == group)
    return parts


def _fold(work: Path, seed: int, fold: int) -> Fold:
    """Return a fold's answers and times; each fold has its own process."""
    kept = work / f"raccoons-{seed}-{fold}.json"
    if not kept.is_file():
        module = "tests.benchmarks.training.raccoons"
        subprocess.run([sys.executable, "-m", module, str(work), str(seed), str(fold)], check=True)
    found: Fold = json.loads(kept.read_text())
    print(f"seed {seed}, fold {fold}: {found['seconds']:.0f} s", file=sys.stderr)
    return found


def _make_fold(work: Path, seed: int, fold: int) -> None:
    splits = _splits(_samples(), fold)
    data = PreparedData(
        name="raccoon",
        splits=splits,
        task="detection",
        labels=_LABELS,
        decoder=Decoder(grids=grids()),
    )
    run = work / f"raccoons-{seed}-{fold}"
    config = edgeinfer.train_config("efficientnet-lite0", task="detection", seed=seed)
    started, processor = time.monotonic(), time.process_time()
    train(data, config, run, force=True, page=False)
    times = {
        "seconds": time.monotonic() - started,
        "processor_s": time.process_time() - processor,
    }
    result = edgeinfer.convert(
        run, work / f"raccoons-{seed}-{fold}.edgebundle", max_drop_points=_NEVER
    )
    answers = {
        form: [_answer(one) for one in _answered(result.evaluations["test"][form])]
        for form in _FORMS
    }
    sources = [sample.source for sample in splits["test"]]
    document = {**times, "sources": sources, "answers": answers}
    (work / f"raccoons-{seed}-{fold}.json").write_text(json.dumps(document))


def _answered(found: object) -> tuple[Answered, ...]:
    assert isinstance(found, DetectionEvaluation)
    return found.pictures


def _answer(one: Answered) -> list[list[float]]:
    return [one.classes.tolist(), one.scores.tolist(), one.boxes.reshape(-1).tolist()]


def _pooled(samples: Sequence[Sample], folds: Sequence[Fold], form: str) -> DetectionEvaluation:
    """Return the evaluation of all pictures, each answered by the model that had not seen it."""
    known = {sample.source: sample for sample in samples}
    pictures = []
    for fold in folds:
        answers = zip(fold["sources"], fold["answers"][form], strict=True)
        for source, (classes, scores, boxes) in answers:
            pictures.append(
                Answered(
                    known[source].target,
                    sample_size(source),
                    np.array(boxes, np.float64).reshape(-1, 4),
                    np.array(classes, np.int64),
                    np.array(scores, np.float64),
                )
            )
    assert len(pictures) == len(samples)
    return evaluate_boxes(pictures, _LABELS, 0.5)


def _constant(samples: Sequence[Sample]) -> DetectionEvaluation:
    """Return what the mean box of all pictures, as a share of each, reaches."""
    mean = np.mean([thing[1:] for sample in samples for thing in sample.target.things], axis=0)
    return evaluate_boxes(list(_boxed(samples, mean)), _LABELS, 0.5)


def _boxed(samples: Sequence[Sample], shares: NDArray[np.float64]) -> Iterator[Answered]:
    for sample in samples:
        size = sample_size(sample.source)
        box = shares * (*size, *size)
        yield Answered(sample.target, size, box[None], np.zeros(1, np.int64), np.ones(1))


def main() -> None:
    """Train one fold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("fold", type=int)
    given = parser.parse_args()
    _make_fold(given.work, given.seed, given.fold)


if __name__ == "__main__":
    main()
