"""`edgeinfer train`: labelled photos in, a trained model out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.cli.help.names import BOARD, Name, choice
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.core.errors import UsageError, did_you_mean, printable
from edgeinfer.host.cli.student_options import chosen_teacher, like_student, list_students
from edgeinfer.host.cli.train_settings import IMAGENET, make_config

if TYPE_CHECKING:
    from edgeinfer.converters.run_folder.trained_run import TrainedModel
    from edgeinfer.host.data.dataset import PreparedData


def _architecture_names() -> Iterable[str]:
    from edgeinfer.host.models import ARCHITECTURES

    return ARCHITECTURES


def _task_names() -> Iterable[str]:
    from edgeinfer.device.core.installation.entry_points import entry_point_names
    from edgeinfer.host.tasks.registry import GROUP, OWN

    return sorted({*OWN, *entry_point_names(GROUP)})


ARCHITECTURE = Name(_architecture_names)
TASK = Name(_task_names)


_network = option_group("Network")
_input = option_group("Input")
_data = option_group("Data")
_training = option_group("Training")
_fine_tuning = option_group("Fine-tuning, the second stage with pretrained weights")
_teaching = option_group("Teacher")
_output = option_group("Output")


@click.command(cls=Command)
@click.argument("data")
@_network(
    "--architecture",
    "-a",
    type=ARCHITECTURE,
    metavar="NAME",
    show_default="efficientnet-lite0, for fashion-mnist small-cnn",
    help="The network; --list lists them.",
)
@_network(
    "--student",
    type=BOARD,
    metavar="BOARD",
    help="Use the network, size and settings that suit this board; --list-students lists them.",
)
@_network(
    "--width",
    type=float,
    metavar="FACTOR",
    show_default="1",
    help="Scale the channels of a network that starts from random weights.",
)
@_network(
    "--init",
    "initializer",
    type=choice("glorot", "he", "pretrained"),
    show_default="pretrained if the network has such weights",
    help="Initial weights.",
)
@_network(
    "--weights",
    metavar=f"{IMAGENET}|FILE",
    help=f"Pretrained weights: a file, or {IMAGENET} for those installed or downloaded.",
)
@_network(
    "--task",
    type=TASK,
    default="classification",
    metavar="NAME",
    help="What the network learns to predict: a task of edgeinfer or of another package.",
)
@_network(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, wanted: _list_architectures(context) if wanted else None,
    help="List the networks and exit.",
)
@_network(
    "--list-students",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, wanted: list_students(context) if wanted else None,
    help="List what --student uses for each board and exit.",
)
@_input(
    "--size",
    metavar="SIDE|WxH",
    show_default="the network's",
    help="Input size in pixels.",
)
@_input(
    "--channels",
    type=choice("rgb", "bgr", "grey"),
    show_default="rgb, for fashion-mnist grey",
    help="Input channels.",
)
@_input(
    "--crop",
    type=choice("stretch", "center-crop", "letterbox"),
    show_default="stretch",
    help="How pictures with another aspect ratio are prepared.",
)
@_input(
    "--augment",
    type=choice("auto", "none", "flip", "photos", "small-grey"),
    show_default="auto",
    help="Random changes to the training pictures.",
)
@_data(
    "--validation-share",
    type=float,
    metavar="SHARE",
    show_default="0.1",
    help="Share of the pictures for validation, if DATA has no validation folder.",
)
@_data(
    "--test-share",
    type=float,
    metavar="SHARE",
    show_default="0.1",
    help="Share of the pictures for the test, if DATA has no test folder.",
)
@_data(
    "--seed",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Random seed of the split and of the training.",
)
@_training(
    "--loss",
    type=choice("crossentropy", "focal"),
    show_default="crossentropy",
    help="Loss function.",
)
@_training(
    "--label-smoothing",
    type=float,
    metavar="SHARE",
    show_default="0.1",
    help="Share of each label that is spread over all classes, from 0 to below 1.",
)
@_training(
    "--class-weights",
    type=choice("none", "balanced"),
    show_default="none",
    help="balanced: rare classes count more.",
)
@_training(
    "--optimizer",
    type=choice("sgd", "adam", "adamw", "rmsprop"),
    show_default="adamw",
    help="Optimizer.",
)
@_training(
    "--learning-rate",
    type=float,
    metavar="RATE",
    show_default="0.001 with pretrained weights, else 0.002",
    help="Highest learning rate.",
)
@_training(
    "--weight-decay", type=float, metavar="RATE", show_default="0.0001", help="Weight decay."
)
@_training(
    "--schedule",
    type=choice("constant", "cosine", "step", "plateau"),
    show_default="cosine",
    help="How the learning rate changes.",
)
@_training(
    "--epochs",
    type=int,
    metavar="N",
    show_default="20 with pretrained weights, else 40",
    help="Most epochs.",
)
@_training(
    "--patience",
    type=int,
    metavar="N",
    show_default="5 with pretrained weights, else 8",
    help="Stop after this many epochs without progress.",
)
@_training("--batch-size", type=int, metavar="N", show_default="64", help="Pictures in each step.")
@_training(
    "--dropout",
    type=float,
    metavar="SHARE",
    show_default="0.5 with pretrained weights, else 0",
    help="Share of features left out of each step.",
)
@_fine_tuning(
    "--fine-tune",
    type=choice("upper", "whole"),
    show_default="whole",
    help="Which part of the network it trains.",
)
@_fine_tuning(
    "--fine-tune-epochs",
    type=int,
    metavar="N",
    show_default="2",
    help="Its epochs; 0 leaves the stage out.",
)
@_fine_tuning(
    "--fine-tune-learning-rate",
    type=float,
    metavar="RATE",
    show_default="0.0001",
    help="Its highest learning rate.",
)
@_teaching(
    "--teacher",
    metavar="RUN",
    type=click.Path(path_type=Path),
    help="Also learn from the answers of this trained run.",
)
@_teaching(
    "--teacher-weight",
    type=float,
    metavar="SHARE",
    show_default="0.9",
    help="Share of the teacher in the loss.",
)
@_teaching(
    "--temperature",
    type=float,
    metavar="T",
    show_default="2",
    help="Makes the answers of both networks softer before they are compared.",
)
@_teaching("--teacher-features", is_flag=True, help="Also learn the teacher's feature vectors.")
@_output(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    show_default="runs/DATA, with --teacher runs/DATA-student",
    help="Folder to create.",
)
@_output("--force", is_flag=True, help="Replace an earlier run.")
@json_option
def train(
    data: str,
    task: str,
    architecture: str | None,
    student: str | None,
    out: Path | None,
    validation_share: float | None,
    test_share: float | None,
    weights: str | None,
    teacher: Path | None,
    teacher_weight: float | None,
    temperature: float | None,
    teacher_features: bool,
    force: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Train a model on labelled photos.

    DATA is a folder with one sub-folder of photos per class, or with such folders in train,
    validation and test. fashion-mnist is the small data set that comes with edgeinfer;
    fashion-mnist:full is the whole set, if it is installed or can be downloaded. The trained model
    is written to a folder for `edgeinfer convert`.
    """
    from edgeinfer.host.extras import check_host_extra, require_host_extra

    check_host_extra("edgeinfer train")  # before a large folder is checked
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.host.training.data.prepare import FASHION_MNIST
    from edgeinfer.host.training.train import train as train_model
    from edgeinfer.host.training.workspace import check_destination

    grey_28 = data in FASHION_MNIST
    settings["size"] = parse_size(settings["size"])
    if student is not None:
        architecture = like_student(student, architecture, settings, grey_28=grey_28)
    if grey_28 and architecture is None:
        architecture = "small-cnn"
    config = make_config(
        architecture or "efficientnet-lite0", settings, weights=weights, grey_28=grey_28
    )
    lesson = chosen_teacher(teacher, teacher_weight, temperature, features=teacher_features)
    out = out or _default_out(data, grey_28=grey_28, with_teacher=lesson is not None)
    check_destination(out, force=force)
    prepared = _prepare(data, task, config.seed, validation_share, test_share)
    require_host_extra("edgeinfer train")
    for finding in prepared.findings:
        line = f"left out: {finding.path}: {finding.kind}, {finding.detail}"
        click.echo(printable(line), err=True)
    with show_progress() as progress:
        trained = train_model(prepared, config, out, teacher=lesson, progress=progress, force=force)
    if as_json:
        click.echo(json.dumps(run_to_json(out, trained)))
    else:
        _print(out, trained)


def _default_out(data: str, *, grey_28: bool, with_teacher: bool) -> Path:
    """Return runs/DATA; a student has another name, so that both fit there."""
    name = data.replace(":", "-") if grey_28 else Path(data).resolve().name
    return Path("runs", f"{name}-student" if with_teacher else name)


def _prepare(
    data: str, task: str, seed: int, validation_share: float | None, test_share: float | None
) -> PreparedData:
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.host.tasks.registry import OWN
    from edgeinfer.host.training.data.prepare import prepare_data

    if task not in OWN and task not in _task_names():
        raise UsageError(
            f"--task {task}",
            got="is not a known task",
            expected=f"one of {', '.join(OWN)}, or one of an installed package",
            next_step=did_you_mean(task, _task_names()),
        )
    with show_progress() as progress:
        return prepare_data(
            data,
            task=task,
            seed=seed,
            validation_share=validation_share,
            test_share=test_share,
            progress=progress,
        )


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Turn 224 or 320x240 into (width, height)."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError("--size", got=repr(text), expected="a side such as 224, or WxH")
    return int(parts[0][:6]), int(parts[-1][:6])


def _list_architectures(context: click.Context) -> None:
    from edgeinfer.host.models import ARCHITECTURES

    for info in ARCHITECTURES.values():
        click.echo(f"{info.name:20}{info.size:4}  {info.description}")
    context.exit()


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
    """Print the accuracy and the next command."""
    facts = trained.provenance
    of_classes = f" of {len(trained.labels)} classes" if trained.labels else ""
    accuracy = 100 * trained.metrics["validation.keras.top1"]
    click.echo(
        f"trained {facts['setting.architecture']} ({int(facts['parameters']):,} parameters) on "
        f"{int(facts['samples.train']):,} pictures{of_classes}: "
        f"{facts['epochs']} epochs, {facts['seconds']} s"
    )
    click.echo(
        f"validation accuracy {accuracy:.2f} % (float, {int(facts['samples.validation']):,} "
        "pictures)"
    )
    click.echo(f"the run: {printable(str(out))}")
    click.echo(f"next: edgeinfer convert {printable(str(out))}")
