"""`edgeinfer train`: labelled photos in, a trained model out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.cli.given import refuse_other_than_photos, refuse_other_than_run
from edgeinfer.device.cli.help.pages import Command
from edgeinfer.device.cli.kept import tell_kept, tell_when_stopped
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import (
    DataError,
    ModelError,
    UsageError,
    did_you_mean,
    printable,
)
from edgeinfer.device.core.model_file import TRAINED_FILE, command_line
from edgeinfer.host.cli.command_again import command_again, given_options
from edgeinfer.host.cli.labels_option import split_commas
from edgeinfer.host.cli.training.closing import say_next, say_validation
from edgeinfer.host.cli.training.network_options import task_names
from edgeinfer.host.cli.training.student_options import chosen_teacher, like_run, like_student
from edgeinfer.host.cli.training.train_options import train_options
from edgeinfer.host.cli.training.train_settings import make_config

if TYPE_CHECKING:
    from edgeinfer.converters.run_folder.trained_run import TrainedModel
    from edgeinfer.host.data.dataset import DataOptions, PreparedData


@click.command(cls=Command)
@click.argument("data")
@train_options
def train(
    data: str,
    task: str,
    architecture: str | None,
    student: str | None,
    start: Path | None,
    out: Path | None,
    labels_csv: Path | None,
    targets: tuple[str, ...],
    name_pattern: str | None,
    unit: str | None,
    period: str | None,
    split_by: str | None,
    validation_share: float | None,
    test_share: float | None,
    weights: str | None,
    teacher: Path | None,
    teacher_weight: float | None,
    temperature: float | None,
    teacher_features: bool,
    force: bool,
    resume: bool,
    tensorboard: Path | None,
    more_epochs: int | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a model on labelled photos.

    DATA is a folder with one sub-folder of photos per class, or with such folders in train,
    validation and test. Labels may also be in a table (--labels-csv) or in names such as
    cat.0.jpg. With --task value, the model measures: the table has a number for each photo, or
    names have it (--name-pattern). A folder with boxes, as Pascal VOC, YOLO, COCO or a table, makes
    a detector (--task detection). fashion-mnist is the small data set that comes with edgeinfer;
    fashion-mnist:full is the whole set, if it is installed or can be downloaded. The trained model
    is written to a folder for `edgeinfer convert`.
    """
    from edgeinfer.host.extras import check_host_extra, require_host_extra
    from edgeinfer.host.training.report.tensorboard import check_tensorboard

    _refuse_others(data, weights, teacher)
    check_host_extra("edgeinfer train")  # before a large folder is checked
    if tensorboard is not None:
        check_tensorboard("--tensorboard")
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.device.cli.progress import busy
    from edgeinfer.host.data.dataset import DataOptions
    from edgeinfer.host.training.data.prepare import FASHION_MNIST
    from edgeinfer.host.training.keeping.workspace import check_destination
    from edgeinfer.host.training.train import train as train_model
    from edgeinfer.host.training.train import train_more

    if more_epochs is not None:
        run = out or _default_out(data, grey_28=data in FASHION_MNIST, with_teacher=False)
        _refuse_with_more(run)
        place = None if data in FASHION_MNIST else Path(data)
        with tell_kept(run), tell_when_stopped(lambda: _kept_words(run)), show_progress() as shown:
            more = train_more(run, more_epochs, data=place, progress=shown, resume=resume)
        _tell(run, more, as_json=as_json)
        return
    grey_28 = data in FASHION_MNIST
    settings["size"] = parse_size(settings["size"])
    if start is not None:
        _refuse_with_start(settings, student=student, weights=weights)
        architecture = like_run(start, architecture, settings)
    if student is not None:
        architecture = like_student(student, architecture, settings, grey_28=grey_28)
    if grey_28 and architecture is None:
        architecture = "small-cnn"
    _require_task(task)
    if not grey_28 and labels_csv is None and "--task" not in given_options():
        task = _task_of(Path(data), task)
    config = make_config(
        *(architecture or "efficientnet-lite0", settings),
        weights=weights,
        grey_28=grey_28,
        task=task,
    )
    lesson = chosen_teacher(teacher, teacher_weight, temperature, features=teacher_features)
    out = out or _default_out(data, grey_28=grey_28, with_teacher=lesson is not None)
    check_destination(out, force=force)
    with tell_kept(out), tell_when_stopped(lambda: _kept_words(out)):
        prepared = _prepare(
            data,
            task,
            DataOptions(
                seed=config.seed,
                table=labels_csv,
                validation_share=validation_share,
                test_share=test_share,
                targets=targets,
                units=split_commas(unit),
                periods=_periods(period),
                name_pattern=name_pattern,
                split_by=split_by,
            ),
        )
        with busy("loading TensorFlow"):
            require_host_extra("edgeinfer train")
        for finding in prepared.findings:
            say(printable(finding.sentence), err=True)
        with show_progress() as progress:
            trained = train_model(
                prepared,
                config,
                out,
                teacher=lesson,
                progress=progress,
                force=force,
                resume=resume,
                tensorboard=tensorboard,
                start=start,
            )
    _tell(out, trained, as_json=as_json)


def _tell(out: Path, trained: TrainedModel, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(run_to_json(out, trained)))
    else:
        _print(out, trained)


def _refuse_with_more(run: Path) -> None:
    """Refuse options that more epochs take from the run."""
    given = set(given_options()) - {"--more-epochs", "--out", "--json", "--resume"}
    if given:
        raise UsageError(
            min(given),
            got="is given with --more-epochs, which takes the settings of the run",
            expected="one of the two",
            next_step=f"or begin a new run with --from {run}",
        )


def _refuse_with_start(
    settings: dict[str, Any], *, student: str | None, weights: str | None
) -> None:
    """Refuse other sources of a network than the run of --from."""
    others = {
        "--student": student,
        "--weights": weights,
        "--width": settings["width"],
        "--init": settings["initializer"],
    }
    for option, value in others.items():
        if value is not None:
            raise UsageError(
                option,
                got="is given with --from, which takes the network of a run",
                expected="one of the two",
            )


def _kept_words(out: Path) -> str:
    """Return what Ctrl-C kept of the training, and the command that goes on with it."""
    from edgeinfer.host.training.keeping.workspace import kept_training

    state = kept_training(out)
    return f"{state} is kept; go on with {command_again('--resume')}" if state else ""


def _refuse_others(data: str, weights: str | None, teacher: Path | None) -> None:
    """Refuse paths of other kinds than the command takes, and name the command for them."""
    from edgeinfer.host.training.data.prepare import FASHION_MNIST

    if data not in FASHION_MNIST:
        refuse_other_than_photos(Path(data), DataError)
    if teacher is not None:
        refuse_other_than_run(teacher)
    path = Path(weights or "")
    run = path if path.is_dir() else path.parent
    if weights is not None and path.exists() and (run / TRAINED_FILE).exists():
        raise ModelError(
            f"--weights {weights}",
            got="is a run" if run == path else "is the model of a run",
            expected="a file of pretrained weights",
            next_step="to learn from that run: "
            f"{command_line('train', Path(data), '--teacher', run)}",
        )


def _default_out(data: str, *, grey_28: bool, with_teacher: bool) -> Path:
    """Return runs/DATA; a student has another name, so that both fit there."""
    name = data.replace(":", "-") if grey_28 else Path(data).resolve().name
    return Path("runs", f"{name}-student" if with_teacher else name)


def _prepare(data: str, task: str, options: DataOptions) -> PreparedData:
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.host.training.data.prepare import prepare_data

    with show_progress() as progress:
        return prepare_data(data, task=task, options=options, progress=progress)


def _require_task(task: str) -> None:
    from edgeinfer.host.tasks.registry import OWN

    if task not in task_names():
        raise UsageError(
            f"--task {task}",
            got="is not a known task",
            expected=f"one of {', '.join(OWN)}, or one of an installed package",
            next_step=did_you_mean(task, task_names()),
        )


def _task_of(data: Path, task: str) -> str:
    """Return `detection` for a folder of pictures with boxes, else the task that is usual."""
    from edgeinfer.device.pictures.folders.other_layouts import IMPORTED, boxes_layout

    shown = boxes_layout(data) if data.is_dir() else None
    if shown is None or shown[0] not in IMPORTED:
        return task
    layout, where = (printable(text) for text in shown)
    say(f"{layout} boxes, see {where}: a detector is trained (--task detection)", err=True)
    return "detection"


def _periods(text: str | None) -> tuple[float, ...]:
    """Return what one turn is for each value.

    Raises:
        UsageError: a part is not a number of 0 or more.
    """
    periods = []
    for part in split_commas(text):
        try:
            period = float(part)
        except ValueError:
            period = -1.0
        if not 0 <= period < 1e12:
            raise UsageError("--period", got=repr(text), expected="a number such as 360, or 0")
        periods.append(period)
    return tuple(periods)


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Turn 224 or 320x240 into (width, height)."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError("--size", got=repr(text), expected="a side such as 224, or WxH")
    return int(parts[0][:6]), int(parts[-1][:6])


def run_to_json(out: Path, trained: TrainedModel) -> dict[str, object]:
    """Return a new run, for programs."""
    return {
        "run": str(out),
        "name": trained.name,
        "task": trained.task,
        "labels": list(trained.labels),
        "metrics": trained.metrics,
        "provenance": trained.provenance,
    }


def _print(out: Path, trained: TrainedModel) -> None:
    """Print the accuracy, where the page is, and the next command."""
    facts = trained.provenance
    of_classes = f" of {len(trained.labels)} classes" if trained.labels else ""
    if trained.value is not None:
        of_classes = f" with {len(trained.labels) or 1} value{'s' * (len(trained.labels) > 1)} each"
    say(
        f"trained {facts['setting.architecture']} ({int(facts['parameters']):,} parameters) on "
        f"{int(facts['samples.train']):,} pictures{of_classes}: "
        f"{facts['epochs']} epochs, {facts['seconds']} s"
    )
    say_validation(trained)
    if "folds.keras.top1" in trained.metrics:
        low, high = (100 * trained.metrics[f"folds.keras.{end}"] for end in ("low", "high"))
        say(
            f"in five folds {100 * trained.metrics['folds.keras.top1']:.1f} % were right with a "
            f"head on the frozen network ({low:.1f} to {high:.1f} %, "
            f"{int(trained.metrics['folds.samples']):,} pictures)"
        )
    say_next(out)
