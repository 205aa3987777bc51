"""`edgeinfer prune`: a trained run in, a faster one out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.converters.measure.no_amx import has_amx
from edgeinfer.device.core.errors import UsageError, printable
from edgeinfer.host.cli.train import parse_size, run_to_json

if TYPE_CHECKING:
    from edgeinfer.converters.run_folder.trained_run import TrainedModel

_SELF = "self"
_DEFAULT_SPEEDUP = 2.0
_OF_CUTS = ("importance", "steps", "step_epochs", "multiple", "min_share")
"""Settings that have no meaning where no channels go."""


@click.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make.  [RUN-pruned]")
@click.option(
    "--speedup",
    type=float,
    help="How many times as fast INT8 must become, timed here with one thread.  [2]",
)
@click.option(
    "--keep-cost", type=float, help="Instead: which share of the arithmetic may stay, 0 to 1."
)
@click.option(
    "--sparsity",
    metavar="SHARE|N:M",
    help="Instead, for size only: set this share of the weights to 0, or keep N of every M. "
    "The model becomes no faster, and smaller only when compressed.",
)
@click.option("--size", metavar="SIDE|WxH", help="Input size in pixels.  [as it is]")
@click.option(
    "--teacher",
    metavar="RUN|self",
    help="Learn from this run's answers as well; self is the model before pruning.",
)
@click.option("--teacher-weight", type=float, help="Share of the loss that is the teacher's.")
@click.option("--temperature", type=float, help="Softens the answers that are compared.")
@click.option(
    "--importance",
    type=click.Choice(["taylor", "l1", "bn"]),
    help="What channels are compared by.  [taylor]",
)
@click.option("--steps", type=int, help="In how many cuts the channels go.  [3]")
@click.option("--step-epochs", type=int, help="Epochs of training between cuts.  [1]")
@click.option("--epochs", type=int, help="At most so many after the last cut.  [8]")
@click.option("--patience", type=int, help="Epochs without progress before it stops.  [4]")
@click.option("--learning-rate", type=float, help="At its peak.  [0.0001, from scratch 0.001]")
@click.option(
    "--multiple", type=int, help="Keep a multiple of so many channels in each layer.  [8]"
)
@click.option(
    "--min-share", type=float, help="Of its channels that each layer keeps at least.  [0.25]"
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--force", is_flag=True, help="Replace an earlier run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def prune(
    run: Path,
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
    """Take the channels that matter least out of RUN, a folder of `edgeinfer train`.

    What is left is a smaller dense model, trained again, in a folder for `edgeinfer convert`.
    """
    from edgeinfer.host.extras import check_host_extra

    check_host_extra("edgeinfer prune")
    from edgeinfer.host.training.distillation.teacher import TeacherConfig
    from edgeinfer.host.training.pruning.config import PruneConfig
    from edgeinfer.host.training.workspace import check_destination

    # The folder that `.` or `..` stands for has another name, and its place is beside it.
    beside = run.resolve() if run.name in ("", "..") else run
    out = out or beside.parent / f"{run.resolve().name}-pruned"
    given = {name: value for name, value in settings.items() if value is not None}
    given["sparsity"] = sparsity
    if {"speedup", "keep_cost"}.isdisjoint(given) and sparsity is None:
        given["speedup"] = _DEFAULT_SPEEDUP
    idle = [name for name in _OF_CUTS if sparsity is not None and name in given]
    if idle:
        option = "--" + idle[0].replace("_", "-")
        raise UsageError(option, got="given with --sparsity, which cuts no channels")
    config = PruneConfig(**given, size=parse_size(size))
    teaching = None
    if teacher is not None:
        named: dict[str, Any] = {"weight": teacher_weight, "temperature": temperature}
        teaching = TeacherConfig(
            run=run if teacher == _SELF else Path(teacher),
            **{name: value for name, value in named.items() if value is not None},
        )
    elif teacher_weight is not None or temperature is not None:
        raise UsageError("--teacher", got="not given", expected="a run, or self")
    check_destination(out, force=force)
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.host.training.pruning.prune import prune as prune_run

    with show_progress() as progress:
        pruned = prune_run(run, config, out, teacher=teaching, progress=progress, force=force)
    if as_json:
        click.echo(json.dumps(run_to_json(out, pruned)))
    else:
        _print(out, pruned)


def _print(out: Path, pruned: TrainedModel) -> None:
    """Say what is left, and what comes next."""
    metrics, facts = pruned.metrics, pruned.provenance
    click.echo(
        f"{facts['parameters']} parameters, {metrics['prune.macs-share']:.1%} of the "
        f"multiplications: {facts['prune.epochs-done']} epochs, {facts['prune.seconds']} s"
    )
    if "prune.speedup" in metrics:
        click.echo(
            f"INT8 invoke {metrics['prune.speedup']:.2f} times as fast, timed here, "
            f"one thread{', without AMX' if has_amx() else ''}"
        )
    if "prune.zeros" in metrics:
        click.echo(
            f"{metrics['prune.zeros']:.1%} of the weights are 0: smaller when compressed, no faster"
        )
    click.echo(f"validation accuracy {100 * metrics['validation.keras.top1']:.2f} % (float)")
    click.echo(f"the run: {printable(str(out))}")
    click.echo(f"next: edgeinfer convert {printable(str(out))}")
