"""evaluate(): a model and a folder in, a score with its interval out; two models, their difference.

Everything runs with the device package, as on a board.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.common.require_extra import require_packages
from edgeinfer.converters.measure.evaluate import evaluate
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.evaluation import Evaluation, Group
from edgeinfer.converters.tasks.intervals import Comparison
from edgeinfer.converters.tasks.registry import find_measured
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.region import Region, Tiles
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.data.dataset import DataOptions
from edgeinfer.host.data.folders.findings import require_some
from edgeinfer.host.tasks.registry import find_data_task


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of `edgeinfer.evaluate`.

    Attributes:
        model: path of the model file.
        samples: the pictures that were answered.
        evaluation: the score of the model.
        groups: the groups of pictures, such as the classes, each with its score.
        absent: the names of the model's groups without pictures.
        other: the score of the second model. None if there is no second model.
        comparison: the difference between the two models, picture by picture. None if there is no
            second model.
    """

    model: Path
    samples: tuple[Sample, ...]
    evaluation: Evaluation
    groups: tuple[Group, ...]
    absent: tuple[str, ...]
    other: Evaluation | None = None
    comparison: Comparison | None = None

    def worst(self, count: int) -> list[Sample]:
        """Return at most `count` pictures with wrong answers, the worst first."""
        return [self.samples[place] for place in self.evaluation.worst(count)]


def evaluate_model(
    model: Path,
    data: Path,
    progress: Progress,
    *,
    table: Path | None = None,
    targets: Sequence[str] = (),
    name_pattern: str | None = None,
    other: Path | None = None,
    threads: int = 2,
    region: Region | None = None,
    tiles: Tiles | None = None,
) -> Result:
    """Answer all pictures of a folder and score the answers.

    Args:
        model: a bundle or a plain `.tflite`.
        data: a folder with targets, in the form of the model's task.
        progress: reports what is going on.
        table: a CSV or JSON file of the targets; None for the task's usual place.
        targets: columns of the table with values, in the model's order; none takes those with the
            model's names.
        name_pattern: where names of pictures have the values; None where they have not.
        other: another model of the same task, to compare on the same pictures.
        threads: how many pictures are answered in parallel.
        region: the part of each picture that the models see; None for what each states.
        tiles: columns and rows of the tiles of each picture that they answer; None for no tiles.

    Raises:
        BundleError: a bundle is damaged.
        DataError: the folder cannot be used, has targets that the model does not know, or no
            picture of it is left.
        MissingExtraError: the task's figures need a package that is not installed.
        ModelError: a model is damaged, its task cannot be measured here, or the two do not predict
            the same.
        UsageError: there are tiles, and a model's answers to them cannot be put together.
    """
    task, said = _told(model)
    their_said = said if other is None else _require_same_task(other, task, said)
    require_packages(f"evaluate a model of task '{task}'", *find_measured(task).packages)
    trained = find_data_task(task)
    options = DataOptions(table=table, targets=tuple(targets), name_pattern=name_pattern)
    trained.require_options(options)
    samples = trained.find_with(data, said, options, progress=progress)
    # Another's task may return none, of which there is no score.
    require_some(data, samples, ())
    opening = OpenOptions(region=region, tiles=tiles)
    evaluation = _answers(model, samples, task, said, progress, threads, opening)
    second = comparison = None
    if other is not None:
        theirs = _as_said(samples, find_measured(task), said, their_said)
        second = _answers(other, theirs, task, their_said, progress, threads, opening)
        comparison = evaluation.compared(second)
    return Result(
        model=model,
        samples=tuple(samples),
        evaluation=evaluation,
        groups=evaluation.by_group(),
        absent=evaluation.absent(),
        other=second,
        comparison=comparison,
    )


def _told(path: Path) -> tuple[str, Said]:
    """Return a model's task, and the description of its outputs."""
    with Model.open(path) as model:
        return model.task, model.said


def _require_same_task(other: Path, task: str, said: Said) -> Said:
    theirs, their_said = _told(other)
    if theirs != task or sorted(their_said.labels) != sorted(said.labels):
        raise ModelError(
            other,
            got=f"predicts something else: {theirs} of {len(their_said.labels)} classes",
            expected=f"{task} of the first model's {len(said.labels)}",
            next_step="compare models that were trained on the same classes",
        )
    return their_said


def _as_said(
    samples: Sequence[Sample], task: MeasuredTask, said: Said, their_said: Said
) -> list[Sample]:
    """Return the samples with their targets as another model numbers them."""
    read = task.target_reader(their_said)
    return [replace(one, target=read(task.write_target(one.target, said))) for one in samples]


def _answers(
    path: Path,
    samples: Sequence[Sample],
    task: str,
    said: Said,
    progress: Progress,
    threads: int,
    opening: OpenOptions,
) -> Evaluation:
    measured = find_measured(task)
    options = replace(opening, min_score=measured.least_score)
    progress.start(f"asking {path.name}", len(samples))
    found = evaluate(
        {"model": lambda: Model.open(path, options)},
        samples,
        measured,
        said,
        threads=threads,
        progress=progress,
    )
    return found["model"]
