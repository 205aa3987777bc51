"""`edgeinfer train`: labelled images in, a trained model out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.core.errors import UsageError, printable
from edgeinfer.host.cli.student_options import chosen_teacher, like_student, list_students
from edgeinfer.host.cli.train_settings import IMAGENET, make_config

if TYPE_CHECKING:
    from edgeinfer.converters.run_folder.trained_run import TrainedModel
    from edgeinfer.host.data.dataset import PreparedData


def _choice(*names: str) -> click.Choice[str]:
    return click.Choice(names)


@click.command()
@click.argument("data")
@click.option("--architecture", "-a", metavar="NAME", help="Network; --list names them.")
@click.option(
    "--student",
    metavar="BOARD",
    help="Take the network, size and settings that suit a board; --list-students lists them.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to make.  [runs/DATA, with --teacher runs/DATA-student]",
)
@click.option("--size", metavar="SIDE|WxH", help="Input size in pixels.")
@click.option("--channels", type=_choice("rgb", "bgr", "grey"), help="Input channels.")
@click.option(
    "--crop",
    type=_choice("stretch", "center-crop", "letterbox"),
    help="What to do with another aspect ratio.  [stretch]",
)
@click.option("--width", type=float, help="Scale the channels of a network from scratch.  [1]")
@click.option(
    "--init",
    "initializer",
    type=_choice("glorot", "he", "pretrained"),
    help="Initial weights.  [pretrained where there are such]",
)
@click.option(
    "--weights",
    metavar=f"{IMAGENET}|FILE",
    help=f"Pretrained weights: a file, or {IMAGENET} for those installed or downloaded.",
)
@click.option("--loss", type=_choice("crossentropy", "focal"), help="[crossentropy]")
@click.option(
    "--task",
    default="classification",
    show_default=True,
    metavar="NAME",
    help="What the network learns to predict: a task of edgeinfer's or of another package's.",
)
@click.option("--label-smoothing", type=float, help="0 to below 1.  [0.1]")
@click.option("--class-weights", type=_choice("none", "balanced"), help="[none]")
@click.option("--optimizer", type=_choice("sgd", "adam", "adamw", "rmsprop"), help="[adamw]")
@click.option("--learning-rate", type=float, help="At its peak.")
@click.option("--weight-decay", type=float, help="[0.0001]")
@click.option(
    "--schedule",
    type=_choice("constant", "cosine", "step", "plateau"),
    help="Course of the learning rate.  [cosine]",
)
@click.option("--epochs", type=int, help="At most so many.")
@click.option("--patience", type=int, help="Epochs without progress before it stops.")
@click.option("--batch-size", type=int, help="[64]")
@click.option("--dropout", type=float, help="Share of features left out of each step.")
@click.option(
    "--augment",
    type=_choice("auto", "none", "flip", "photos", "small-grey"),
    help="Changes to training pictures.  [auto]",
)
@click.option("--fine-tune-epochs", type=int, help="Epochs of the second stage; 0 leaves it out.")
@click.option("--fine-tune-learning-rate", type=float, help="At its peak, in the second stage.")
@click.option(
    "--fine-tune",
    type=_choice("upper", "whole"),
    help="What the second stage trains of the backbone.  [whole]",
)
@click.option(
    "--teacher",
    metavar="RUN",
    type=click.Path(path_type=Path),
    help="Learn the answers of this trained run besides the labels.",
)
@click.option("--teacher-weight", type=float, help="Share of the loss that is the teacher's.")
@click.option("--temperature", type=float, help="Softens both networks' answers.")
@click.option(
    "--teacher-features", is_flag=True, help="Learn the teacher's feature vectors as well."
)
@click.option("--validation-share", type=float, help="Of pictures in no split.  [0.1]")
@click.option("--test-share", type=float, help="Likewise.  [0.1]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--force", is_flag=True, help="Replace an earlier run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, wanted: _list_architectures(context) if wanted else None,
    help="List the networks and exit.",
)
@click.option(
    "--list-students",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, wanted: list_students(context) if wanted else None,
    help="List what --student takes for each board and exit.",
)
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
    """Train a model on DATA and leave it in a folder for `edgeinfer convert`.

    DATA is a folder of photographs, one sub-folder per class (or train, validation and test
    folders of those); or fashion-mnist, the subset that comes with edgeinfer; or
    fashion-mnist:full, the whole set where it is installed or can be downloaded.
    """
    from edgeinfer.host.extras import check_host_extra, require_host_extra

    check_host_extra("edgeinfer train")  # before a large folder is checked for nothing
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
    taught = chosen_teacher(teacher, teacher_weight, temperature, features=teacher_features)
    out = out or _default_out(data, grey_28=grey_28, taught=taught is not None)
    check_destination(out, force=force)
    prepared = _prepare(data, task, config.seed, validation_share, test_share)
    require_host_extra("edgeinfer train")
    for finding in prepared.findings:
        line = f"left out: {finding.path}: {finding.kind}, {finding.detail}"
        click.echo(printable(line), err=True)
    with show_progress() as progress:
        trained = train_model(prepared, config, out, teacher=taught, progress=progress, force=force)
    if as_json:
        click.echo(json.dumps(run_to_json(out, trained)))
    else:
        _print(out, trained)


def _default_out(data: str, *, grey_28: bool, taught: bool) -> Path:
    """Return runs/DATA, beside which a student has a name of its own."""
    name = data.replace(":", "-") if grey_28 else Path(data).resolve().name
    return Path("runs", f"{name}-student" if taught else name)


def _prepare(
    data: str, task: str, seed: int, validation_share: float | None, test_share: float | None
) -> PreparedData:
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.host.training.data.prepare import prepare_data

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
    """Return what a script is told of a new run."""
    return {
        "run": str(out),
        "name": trained.name,
        "task": trained.task,
        "labels": list(trained.labels),
        "metrics": trained.metrics,
        "provenance": trained.provenance,
    }


def _print(out: Path, trained: TrainedModel) -> None:
    """Say what was learned and what comes next."""
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
