"""Detectors of 20 kinds of things on photographs, trained with the settings by default.

It is the part `scenes` of `python -m tests.benchmarks.training`; `drawn_scenes.py` says what the
scenes are. A run and its two bundles, INT8 and float32, are made and measured on the test scenes
with `edgeinfer evaluate`: mAP50, mAP75 and mAP50-95, as COCO defines them.

Small things are measured apart as COCO does it, with areas from 0 to 32x32 pixels of the scene of
320x320: true boxes of another area are ignored, and so are answers that overlap one of those, or
that have another area and overlap nothing. The average is over the kinds with small test things.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.tasks.detection.coco import SMALL, CocoMeasure
from edgeinfer.converters.tasks.detection.evaluation import DetectionEvaluation
from edgeinfer.host.evaluation.evaluate import evaluate_model
from tests.benchmarks.measure import Row
from tests.benchmarks.training.drawn_scenes import make_scenes

SCENES = 2_000
"""For training and validation; test has a quarter as many."""

PRECISIONS = ("float32", "int8")
_FIGURES = {"map50": "mAP50", "map75": "mAP75", "map50_95": "mAP50-95"}


def scenes_rows(
    work: Path, program: Path, *, scenes: int = SCENES, epochs: int | None = None
) -> list[Row]:
    """Draw, train, convert and measure, and return the rows.

    Args:
        work: the folder of all files. Scenes that are there are taken as they are, and so is a run
            whose training came to its end.
        program: `edgeinfer`.
        scenes: how many for training and validation.
        epochs: None for the default; fewer show only that everything works.
    """
    data, run = make_scenes(work / "scenes", scenes), work / "run"
    if not (run / "trained.json").is_file():
        fewer = () if epochs is None else ("--epochs", epochs)
        _run(program, "train", data, "--task", "detection", *fewer, "--out", run, "--force")
    bundles = {name: work / f"{name}.edgebundle" for name in PRECISIONS}
    for name, bundle in bundles.items():
        how = ("--precision", name, "--out", bundle, "--no-install")
        _run(program, "convert", run, *how)
    test = data / "test"
    figures = {
        name: {**_evaluated(program, bundle, test), **small_figures(bundle, test)}
        for name, bundle in bundles.items()
    }
    return [
        Row(
            what=f"{scenes:,} scenes of 20 kinds: {title}",
            figure=f"INT8 {figures['int8'][title]:.1%}",
            compared_with=f"float32 {figures['float32'][title]:.1%}",
            ratio=f"{100 * (figures['int8'][title] - figures['float32'][title]):+.1f} points",
        )
        for title in figures["int8"]
    ]


def _evaluated(program: Path, bundle: Path, test: Path) -> dict[str, float]:
    """Return what `edgeinfer evaluate` says, by the figures' titles."""
    told = json.loads(_run(program, "evaluate", bundle, test, "--json"))["figures"]
    return {title: told[name] for name, title in _FIGURES.items()}


def small_figures(bundle: Path, test: Path) -> dict[str, float]:
    """Return the same figures of small things, see above."""
    evaluation = evaluate_model(bundle, test, Silent()).evaluation
    assert isinstance(evaluation, DetectionEvaluation)
    measure = CocoMeasure(evaluation.pictures, len(evaluation.labels))
    means = measure.over(range(evaluation.samples), SMALL).means.tolist()
    titles = (f"{title} of things below 32x32" for title in _FIGURES.values())
    return dict(zip(titles, means, strict=True))


def _run(program: Path, *words: object) -> str:
    """Run a command and return what it prints."""
    command: Sequence[str] = [str(program), *map(str, words)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
