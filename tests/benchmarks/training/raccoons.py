"""How well things are found after few photographs: raccoons in five folds, all answers pooled.

It is the part `raccoons` of `python -m tests.benchmarks.training` for boxes, and `raccoon-points`
for their centres. Near-duplicates are on one side
of each fold. Within a fold a fifth of the other pictures is for validation, which alone chooses
weights and repairs; the fold's own pictures are asked once. Float and INT8 answer through the
device package. Compared with them is one constant box for all pictures, which sees nothing, or its
centre. Of points each fold counts from the least score on that its own validation chose.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

import edgeinfer
from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.samples import Sample, sample_size
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.converters.tasks.detection.coco import Answered
from edgeinfer.converters.tasks.detection.counted import CountedEvaluation
from edgeinfer.converters.tasks.detection.evaluation import evaluate_boxes
from edgeinfer.converters.tasks.points.evaluation import PointsEvaluation, evaluate_points
from edgeinfer.device.tasks.spec import Decoder
from edgeinfer.host.data.dataset import PreparedData
from edgeinfer.host.data.groups.near.together import near_groups
from edgeinfer.host.tasks.detection.boxes import find_boxes
from edgeinfer.host.tasks.detection.task import grids
from edgeinfer.host.tasks.points.task import points_decoder
from edgeinfer.host.training.train import train
from tests.benchmarks.measure import SHARED_DATA, Row

Fold: TypeAlias = dict[str, Any]
"""`seconds`, `processor_s`, `sources` of its pictures, the `answers` of each form, and from which
score on the bundle `counts` them."""

Learned = Literal["detection", "points"]
"""The task."""

FOLDS = 5
_FORMS = ("float32", "int8")
_LABELS = ("raccoon",)
_NEVER = 100.0
"""Points: whatever the small model loses is written down, and not refused."""


def raccoon_rows(work: Path, seeds: int, task: Learned = "detection") -> list[Row]:
    """Train, convert and ask each fold with each seed, unless WORK has it; return the figures."""
    rows: list[Row] = []
    samples, differences = _samples(), []
    for seed in range(seeds):
        title = f"raccoons, {task}, seed {seed}"
        folds = [_fold(work, seed, fold, task) for fold in range(FOLDS)]
        pooled = {form: _pooled(samples, folds, form, task) for form in _FORMS}
        for form in _FORMS:
            rows.append(_row(f"{title}, {form}", pooled[form]))
        lost = pooled["int8"].compared(pooled["float32"])
        differences.append(lost.difference)
        rows.append(
            Row(
                what=f"{title}: {pooled['int8'].score_name}, float less INT8",
                figure=f"{lost.difference:+.3f} ({lost.low:+.3f} to {lost.high:+.3f})",
                wanted="0.01 or less",
            )
        )
        seconds = [fold["seconds"] for fold in folds]
        processor = [fold["processor_s"] for fold in folds]
        rows.append(
            Row(
                what=f"{title}: training a fold",
                figure=f"{min(seconds):.0f} to {max(seconds):.0f} s, of all processors "
                f"{min(processor):.0f} to {max(processor):.0f} s",
                wanted="180 s or less on two idle cores",
            )
        )
    rows.append(
        Row(
            what=f"raccoons, {task}: float less INT8, mean of the seeds",
            figure=f"{np.mean(differences):+.3f} ({min(differences):+.3f} to "
            f"{max(differences):+.3f})",
            wanted="0.01 or less",
        )
    )
    rows.append(_row(f"one constant box, {task}", _constant(samples, task)))
    return rows


def _row(what: str, found: CountedEvaluation) -> Row:
    known = found.figures()
    if isinstance(found, PointsEvaluation):
        texts = [
            f"F1 {known['f1']:.3f} ({known['f1.low']:.3f} to {known['f1.high']:.3f})",
            f"precision {known['precision']:.3f}, recall {known['recall']:.3f}",
            f"{known['exact_counts']:.1%} of pictures with the right number",
        ]
        return Row(what=what, figure=", ".join(texts), wanted="INT8: F1 0.88")
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


def _fold(work: Path, seed: int, fold: int, task: Learned) -> Fold:
    """Return a fold's answers and times; each fold has its own process."""
    kept = work / f"{_name(seed, fold, task)}.json"
    if not kept.is_file():
        module = "tests.benchmarks.training.raccoons"
        words = (str(work), str(seed), str(fold), "--task", task)
        subprocess.run([sys.executable, "-m", module, *words], check=True)
    found: Fold = json.loads(kept.read_text())
    print(f"seed {seed}, fold {fold}: {found['seconds']:.0f} s", file=sys.stderr)
    return found


def _name(seed: int, fold: int, task: Learned) -> str:
    return f"{'raccoons' if task == 'detection' else 'raccoon-points'}-{seed}-{fold}"


def _make_fold(work: Path, seed: int, fold: int, task: Learned) -> None:
    splits = _splits(_samples(), fold)
    data = PreparedData(
        name="raccoon",
        splits=splits,
        task=task,
        labels=_LABELS,
        decoder=Decoder(grids=grids()) if task == "detection" else points_decoder(splits["train"]),
    )
    name = _name(seed, fold, task)
    run = work / name
    config = edgeinfer.train_config("efficientnet-lite0", task=task, seed=seed)
    started, processor = time.monotonic(), time.process_time()
    train(data, config, run, force=True, page=False)
    times = {
        "seconds": time.monotonic() - started,
        "processor_s": time.process_time() - processor,
    }
    result = edgeinfer.convert(run, work / f"{name}.edgebundle", max_drop_points=_NEVER)
    found = {form: _counted(result.evaluations["test"][form]) for form in _FORMS}
    document = {
        **times,
        "sources": [sample.source for sample in splits["test"]],
        "answers": {form: [_answer(one) for one in found[form].pictures] for form in _FORMS},
        "counts": {form: found[form].min_score for form in _FORMS},
    }
    (work / f"{name}.json").write_text(json.dumps(document))


def _counted(found: object) -> CountedEvaluation:
    assert isinstance(found, CountedEvaluation)
    return found


def _answer(one: Answered) -> list[list[float]]:
    return [one.classes.tolist(), one.scores.tolist(), one.boxes.reshape(-1).tolist()]


def _pooled(
    samples: Sequence[Sample], folds: Sequence[Fold], form: str, task: Learned
) -> CountedEvaluation:
    """Return the evaluation of all pictures, each answered by the model that had not seen it."""
    known = {sample.source: sample for sample in samples}
    pictures = []
    for fold in folds:
        answers = zip(fold["sources"], fold["answers"][form], strict=True)
        # Average precision takes all answers; points are counted from the fold's own least score.
        least = 0.0 if task == "detection" else fold["counts"][form]
        for source, (classes, scores, boxes) in answers:
            enough = np.array(scores, np.float64) >= least
            pictures.append(
                Answered(
                    known[source].target,
                    sample_size(source),
                    np.array(boxes, np.float64).reshape(-1, 4)[enough],
                    np.array(classes, np.int64)[enough],
                    np.array(scores, np.float64)[enough],
                )
            )
    assert len(pictures) == len(samples)
    return _evaluated(pictures, task)


def _evaluated(pictures: Sequence[Answered], task: Learned) -> CountedEvaluation:
    if task == "detection":
        return evaluate_boxes(pictures, _LABELS, 0.5)
    return evaluate_points(pictures, _LABELS, 0.0)


def _constant(samples: Sequence[Sample], task: Learned) -> CountedEvaluation:
    """Return what the mean box of all pictures, as a share of each, reaches."""
    mean = np.mean([thing[1:] for sample in samples for thing in sample.target.things], axis=0)
    return _evaluated(list(_boxed(samples, mean)), task)


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
    parser.add_argument("--task", choices=get_args(Learned), default="detection")
    given = parser.parse_args()
    _make_fold(given.work, given.seed, given.fold, given.task)


if __name__ == "__main__":
    main()
