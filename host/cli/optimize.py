"""`edgeinfer optimize`: searches for the fastest model that keeps a budget."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.converters.cli.options import data_option
from edgeinfer.device.cli.given import refuse_other_than_run
from edgeinfer.device.cli.help.names import BOARD
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.options.common import MAX_THREADS, json_option, ssh_option
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import UsageError, printable

if TYPE_CHECKING:
    from edgeinfer.host.search.report.finish import Ending
    from edgeinfer.host.search.search import SearchOptions
    from edgeinfer.host.search.study.results import Found
    from edgeinfer.host.search.time_models import Timer

_DURATION = re.compile(r"(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:(\d{1,7})s?)?", re.ASCII)
_DEFAULT_POINTS = 1.0
_WIDE, _LOG_WIDTH = 110, 130
_FEWER = (0, 1, 2, 4, 6)
"""The columns of the front that a narrow terminal shows."""

_GO_ON = "the same command continues from there"


def _seconds(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """Read 90s, 20m, 1h30m or plain seconds."""
    match = _DURATION.fullmatch(value.strip().lower())
    if match is None or not any(match.groups()):
        raise click.BadParameter(f"{value!r} is not a time, expected for example 20m, 1h30m or 90s")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = 3600 * hours + 60 * minutes + seconds
    if total <= 0:
        raise click.BadParameter(f"{value!r} is too short, expected more than 0 seconds")
    return float(total)


_budget = option_group("Budget")
_search_options = option_group("Search")
_timing = option_group("Where models are timed")
_output = option_group("Output")


@click.command(cls=Command)
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@data_option
@_budget(
    "--budget-accuracy",
    type=float,
    metavar="POINTS",
    show_default="1 if no budget is given",
    help="Points of accuracy on validation (top-1, or the task's own score, such as mAP50) that "
    "the model may lose against RUN's float model. The fastest model within the budget wins.",
)
@_budget(
    "--budget-ms",
    type=float,
    metavar="MS",
    help="Most milliseconds for one inference. Without --budget-accuracy, the most accurate model "
    "within the budget wins.",
)
@_budget(
    "--budget-kb",
    type=float,
    metavar="KB",
    help="Largest .tflite in kB (1,000 bytes). Without --budget-accuracy, the most accurate model "
    "within the budget wins.",
)
@_search_options(
    "--board",
    type=BOARD,
    metavar="NAME",
    help="The board that the model is for, which decides the precisions that are tried.",
)
@_search_options(
    "--time-limit",
    "time_limit_s",
    callback=_seconds,
    default="20m",
    metavar="TIME",
    help="How long to search, all starts together. Converting the winner takes extra time.",
)
@_search_options(
    "--max-candidates",
    type=click.IntRange(min=1),
    metavar="N",
    help="Try at most this many candidates, all starts together.",
)
@_search_options(
    "--seed", type=click.IntRange(0, 2**31), default=0, metavar="N", help="Random seed."
)
@_timing(
    "--measure-on",
    metavar="[USER@]BOARD",
    help="Time each candidate on this board, through your own ssh, instead of here.",
)
@_timing(
    "--remote-program",
    default="edgeinfer",
    metavar="PROGRAM",
    help="The edgeinfer program on the board.",
)
@ssh_option("Where models are timed")
@_timing(
    "--threads",
    type=click.IntRange(1, MAX_THREADS),
    default=1,
    metavar="N",
    help="Interpreter threads.",
)
@_output(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    show_default="RUN-optimized",
    help="Folder of the search.",
)
@json_option
@click.pass_context
def optimize(
    ctx: click.Context,
    run: Path,
    data: Path | None,
    budget_accuracy: float | None,
    budget_ms: float | None,
    budget_kb: float | None,
    board: str | None,
    time_limit_s: float,
    max_candidates: int | None,
    measure_on: str | None,
    remote_program: str,
    ssh_options: tuple[str, ...],
    threads: int,
    out: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Search for the fastest model that keeps a budget.

    RUN is a folder of `edgeinfer train`. The search tries fewer channels, fewer pixels, other
    networks that start from random weights, each with and without RUN as a teacher, and ways to
    quantize. Each candidate is timed first, and trained only if its time and size are good enough.
    The accuracy is that of the INT8 model on RUN's validation pictures; the test pictures are used
    once, for the winner.

    If a search was stopped or killed, the same command continues it. A longer --time-limit or more
    --max-candidates continue one that has ended.
    """
    from edgeinfer.host.extras import check_host_extra

    refuse_other_than_run(run)
    check_host_extra("edgeinfer optimize", "ai_edge_quantizer", "jinja2", "matplotlib", "optuna")
    given = click.core.ParameterSource.COMMANDLINE
    if measure_on is None and (ssh_options or ctx.get_parameter_source("remote_program") is given):
        raise click.UsageError("--ssh-option and --remote-program need --measure-on")
    from edgeinfer.device.cli.boards.option import named_board
    from edgeinfer.device.core.signals import interrupt_on_signals
    from edgeinfer.host.search.budget import Budget
    from edgeinfer.host.search.search import SearchOptions

    if budget_accuracy is budget_ms is budget_kb is None:
        budget_accuracy = _DEFAULT_POINTS
    options = SearchOptions(
        budget=Budget(accuracy_points=budget_accuracy, invoke_ms=budget_ms, size_kb=budget_kb),
        time_limit_s=time_limit_s,
        max_candidates=max_candidates,
        board=None if board is None else named_board(board),
        measure_on=measure_on or "",
        threads=threads,
        seed=seed,
    )
    run = run.resolve() if run.name in ("", "..") else run
    out = out or run.with_name(f"{run.name}-optimized")
    if out.resolve() == run.resolve():
        raise UsageError("--out", got="is the folder RUN", expected="another folder")
    timer = _timer(measure_on, ssh_options, remote_program, threads)
    with interrupt_on_signals():
        _search(run, out, options, timer, as_json=as_json, data=data)


def _timer(
    measure_on: str | None, ssh_options: tuple[str, ...], program: str, threads: int
) -> Timer:
    from edgeinfer.device.core.ssh import SshHost
    from edgeinfer.host.search.time_models import BoardTimer, LocalTimer

    if measure_on is None:
        return LocalTimer(threads=threads)
    return BoardTimer(SshHost(measure_on, ssh_options), threads=threads, program=program)


def _search(
    run: Path,
    out: Path,
    options: SearchOptions,
    timer: Timer,
    *,
    as_json: bool,
    data: Path | None,
) -> None:
    """Search and print; the results so far are shown even if the search fails or is stopped."""
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.host.search.report.finish import require_kept
    from edgeinfer.host.search.run_search import run_search

    def ended_early(found: Found | None, stop: BaseException | None) -> None:
        if found is not None:
            _print_front(found, as_json=as_json)
        if stop is not None:
            say(printable(f"note: everything is kept in {out}; {_GO_ON}"), err=True)

    found, ending = run_search(
        run,
        out,
        options,
        timer=timer,
        show=lambda keep: show_progress(keep=keep),
        ended_early=ended_early,
        data=data,
    )
    if as_json:
        click.echo(json.dumps(_document(out, found, ending)))
    else:
        _print_front(found)
        _print_winner(out, found, ending)
    require_kept(found, ending)


def _print_front(found: Found, *, as_json: bool = False) -> None:
    """Print the front as a table; on stderr if stdout is for a program."""
    from rich.console import Console
    from rich.table import Table

    from edgeinfer.host.search.report.tables import FRONT_HEADER, front_rows

    console = Console(stderr=as_json, highlight=False)
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    # A narrow terminal leaves out the columns that follow from the others.
    shown = range(len(FRONT_HEADER)) if console.width >= _WIDE else _FEWER
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index in shown:
        table.add_column(
            FRONT_HEADER[index],
            justify="left" if index < 2 else "right",
            no_wrap=index != 1,
            ratio=1 if index == 1 and console.width < _WIDE else None,
        )
    for row in front_rows(found):
        cells = [printable(row[index]) for index in shown]
        table.add_row(*cells, style="bold" if row[0].endswith("*") else None)
    console.print(table, markup=False)
    if told := found.left_out():
        say(told, err=as_json)


def _print_winner(out: Path, found: Found, ending: Ending) -> None:
    """Print the winner, its test results, and the next command."""
    from edgeinfer.converters.bundle.report import write_report_next_to

    winner = found.require_winner()
    footprint, base = winner.measured.footprint, found.baseline.measured.footprint
    say(
        f"* the winner, {found.budget.text()}: {1 / footprint.ratio:.2f} times as fast as plain "
        f"INT8, {footprint.size_bytes / 1000:,.1f} kB instead of {base.size_bytes / 1000:,.1f}"
    )
    say(
        f"test, {ending.test_samples:,} pictures: {100 * ending.winner_top1:.2f} % (plain INT8 "
        f"{100 * ending.baseline_top1:.2f} %, float {100 * ending.baseline_float_top1:.2f} %)"
    )
    if ending.folds is not None:
        say(printable(ending.folds.text()))
    if ending.lost is not None:
        say(f"test, the winner compared with the float model: {ending.lost.text()} lost")
    measured = sum(trial.measured is not None for trial in found.trials)
    say(
        f"{len(found.trials)} candidates in {found.spent_s / 60:.1f} minutes, {measured} of them "
        f"measured to the end; see the report: {printable(str(out / 'report.html'))}"
    )
    if report := write_report_next_to(Path(ending.bundle)):
        say(printable(report.text()))
    say(f"next: edgeinfer run --camera --model {printable(ending.bundle)}")


def _document(out: Path, found: Found, ending: Ending) -> dict[str, Any]:
    """Return the result, for programs."""
    from edgeinfer.device.models.bundle.strict import to_json

    winner = found.require_winner()
    return {
        "out": str(out),
        "bundle": ending.bundle,
        "winner": {"model": winner.title, **to_json(winner)},
        "baseline": to_json(found.baseline),
        "front": [{"model": model.title, **to_json(model)} for model in found.front],
        "test": to_json(ending),
        "trials": len(found.trials),
        "seconds": round(found.spent_s, 1),
    }
