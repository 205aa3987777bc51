"""`edgeinfer prune`: a trained run in, a faster run out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.converters.cli.options import data_option
from edgeinfer.converters.measure.no_amx import has_amx
from edgeinfer.device.cli.given import refuse_other_than_run
from edgeinfer.device.cli.help.names import choice
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.cli.training.closing import say_next, say_validation
from edgeinfer.host.cli.training.train import parse_size, run_to_json

if TYPE_CHECKING:
    from edgeinfer.converters.run_folder.trained_run import TrainedModel

_SELF = "self"
_DEFAULT_SPEEDUP = 2.0
_OF_CUTS = ("importance", "steps", "step_epochs", "multiple", "min_share")
"""Settings that mean nothing if no channels are removed."""


_aim = option_group("How much to remove: one of these")
_channels = option_group("How channels are removed")
_training = option_group("Training")
_teaching = option_group("Teacher")
_output = option_group("Output")


@click.command(cls=Command)
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@data_option
@_aim(
    "--speedup",
    type=float,
    metavar="FACTOR",
    show_default="2",
    help="How many times as fast the INT8 model must become, timed here with one thread.",
)
@_aim("--keep-cost", type=float, metavar="SHARE", help="Share of the arithmetic to keep, 0 to 1.")
@_aim(
    "--sparsity",
    metavar="SHARE|N:M",
    help="Only for size: set this share of the weights to 0, or keep N of every M. The model does "
    "not become faster, and is smaller only when it is compressed.",
)
@_channels("--size", metavar="SIDE|WxH", show_default="that of RUN", help="Input size in pixels.")
@_channels(
    "--importance",
    type=choice("taylor", "l1", "bn"),
    show_default="taylor",
    help="How the importance of channels is measured.",
)
@_channels(
    "--steps",
    type=int,
    metavar="N",
    show_default="3",
    help="Number of steps, with training after each.",
)
@_channels(
    "--multiple",
    type=int,
    metavar="N",
    show_default="8",
    help="Keep a multiple of this many channels in each layer.",
)
@_channels(
    "--min-share",
    type=float,
    metavar="SHARE",
    show_default="0.25",
    help="Keep at least this share of the channels of each layer.",
)
@_training(
    "--step-epochs",
    type=int,
    metavar="N",
    show_default="1",
    help="Epochs of training between the steps.",
)
@_training(
    "--epochs", type=int, metavar="N", show_default="8", help="Most epochs after the last step."
)
@_training(
    "--patience",
    type=int,
    metavar="N",
    show_default="4",
    help="Stop after this many epochs without progress.",
)
@_training(
    "--learning-rate",
    type=float,
    metavar="RATE",
    show_default="0.0001 with pretrained weights, else 0.001",
    help="Highest learning rate.",
)
@_training("--seed", type=click.IntRange(0), default=0, metavar="N", help="Random seed.")
@_teaching(
    "--teacher",
    metavar="RUN|self",
    help="Also learn from the answers of this run; self is the model before pruning.",
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
@_output(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    show_default="RUN-pruned",
    help="Folder to create.",
)
@_output("--force", is_flag=True, help="Replace an earlier run.")
@json_option
def prune(
    run: Path,
    data: Path | None,
    out: Path | None,
    sparsity: str | None,
    size: str | None,
    teacher: str | None,
    teacher_weight: float | None,
    temperature: float | None,
    force: bool,
    as_json: bool,
    **settings: Any,
) -> None:
    """Make a trained model smaller and faster.

    Removes the least important channels of RUN, a folder of `edgeinfer train`, and trains the rest
    again. The smaller model is written to a folder for `edgeinfer convert`.
    """
    from edgeinfer.host.extras import check_host_extra

    refuse_other_than_run(run)
    check_host_extra("edgeinfer prune")
    from edgeinfer.host.training.distillation.teacher import TeacherConfig
    from edgeinfer.host.training.keeping.workspace import check_destination
    from edgeinfer.host.training.pruning.config import PruneConfig

    # `.` and `..` are not the folder's name; the new folder is placed next to it.
    folder = run.resolve() if run.name in ("", "..") else run
    out = out or folder.parent / f"{run.resolve().name}-pruned"
    given = {name: value for name, value in settings.items() if value is not None}
    given["sparsity"] = sparsity
    if {"speedup", "keep_cost"}.isdisjoint(given) and sparsity is None:
        given["speedup"] = _DEFAULT_SPEEDUP
    idle = [name for name in _OF_CUTS if sparsity is not None and name in given]
    if idle:
        option = "--" + idle[0].replace("_", "-")
        raise UsageError(
            option,
            got="is given with --sparsity, which removes no channels",
            expected="one of the two",
        )
    config = PruneConfig(**given, size=parse_size(size))
    teaching = None
    if teacher is not None:
        named: dict[str, Any] = {"weight": teacher_weight, "temperature": temperature}
        teaching = TeacherConfig(
            run=run if teacher == _SELF else Path(teacher),
            **{name: value for name, value in named.items() if value is not None},
        )
    elif teacher_weight is not None or temperature is not None:
        raise UsageError("--teacher", got="is not given", expected="a run, or self")
    check_destination(out, force=force)
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.host.training.pruning.prune import prune as prune_run

    with tell_kept(out), show_progress() as progress:
        pruned = prune_run(
            run, config, out, teacher=teaching, progress=progress, force=force, data=data
        )
    if as_json:
        click.echo(json.dumps(run_to_json(out, pruned)))
    else:
        _print(out, pruned)


def _print(out: Path, pruned: TrainedModel) -> None:
    """Print what is left, and the next command."""
    metrics, facts = pruned.metrics, pruned.provenance
    say(
        f"{facts['parameters']} parameters, {metrics['prune.macs-share']:.1%} of the "
        f"multiplications: {facts['prune.epochs-done']} epochs, {facts['prune.seconds']} s"
    )
    if "prune.speedup" in metrics:
        say(
            f"INT8 invoke {metrics['prune.speedup']:.2f} times as fast, timed here, "
            f"one thread{', without AMX' if has_amx() else ''}"
        )
    if "prune.zeros" in metrics:
        say(
            f"{metrics['prune.zeros']:.1%} of the weights are 0: smaller only if compressed, "
            "not faster"
        )
    say_validation(pruned)
    say_next(out)
