"""`edgeinfer benchmark`: how fast a model is, here or on a board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.help.names import choice
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.log.option import log_warnings
from edgeinfer.device.cli.options.common import (
    MAX_THREADS,
    json_option,
    model_options,
    resolve_model,
    ssh_option,
)
from edgeinfer.device.cli.options.opening import opening_options
from edgeinfer.device.cli.say import say

if TYPE_CHECKING:
    from edgeinfer.device.pictures.frame import FrameFormat
    from edgeinfer.device.runtime.open_options import OpenOptions
    from edgeinfer.device.runtime.runner import RuntimeName


def _size(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int]:
    """Read WIDTHxHEIGHT in pixels."""
    parts = value.lower().split("x")
    if len(parts) == 2 and all(p.isascii() and p.isdigit() and len(p) < 8 for p in parts):
        return int(parts[0]), int(parts[1])
    raise click.BadParameter(f"{value!r} is not a size, expected for example 640x480")


def _counts(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    """Read thread counts separated by commas; None if the option is not given."""
    if value is None:
        return None
    parts = [part.strip() for part in value.split(",")]
    if all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        counts = tuple(dict.fromkeys(map(int, parts)))
        if all(1 <= count <= MAX_THREADS for count in counts):
            return counts
    raise click.BadParameter(
        f"{value!r} is not a list of counts from 1 to {MAX_THREADS}, expected for example 1,2,4"
    )


_measure = option_group("What is measured")
_board = option_group("On a board")


@click.command(cls=Command)
@model_options
@_measure(
    "--frame",
    "frame_size",
    callback=_size,
    metavar="WIDTHxHEIGHT",
    default="640x480",
    help="Size of the camera's frames.",
)
@_measure(
    "--format",
    "frame_format",
    type=choice("bgr", "rgb", "grey", "yuyv", "nv12", "jpeg"),
    default="bgr",
    help="Pixel format of the camera's frames.",
)
@_measure(
    "--threads",
    callback=_counts,
    metavar="N,N,...",
    show_default="1, the board's, and one per core",
    help="Thread counts to compare.",
)
@_measure(
    "--runtime",
    type=choice("ai-edge-litert", "tflite-runtime"),
    show_default="all that are installed",
    help="Measure only this runtime.",
)
@_measure("--ops", is_flag=True, help="Time each operator too.")
@_measure(
    "--seconds",
    type=click.FloatRange(0, 3600, min_open=True),
    default=2.0,
    metavar="SECONDS",
    help="How long to time the stages, and each runtime with each thread count.",
)
@_measure(
    "--cold-starts",
    type=click.IntRange(0, 100),
    default=5,
    metavar="N",
    help="How many new processes to time from their start to the first answer; 0 for none.",
)
@_board("--host", metavar="[USER@]BOARD", help="Measure on this board, through your own ssh.")
@_board(
    "--remote-program",
    default="edgeinfer",
    metavar="PROGRAM",
    help="The edgeinfer program on the board.",
)
@ssh_option("On a board")
@json_option
@opening_options
@click.pass_context
def benchmark(
    ctx: click.Context,
    model: Path | None,
    frame_size: tuple[int, int],
    frame_format: FrameFormat,
    threads: tuple[int, ...] | None,
    runtime: RuntimeName | None,
    ops: bool,
    seconds: float,
    cold_starts: int,
    host: str | None,
    remote_program: str,
    ssh_options: tuple[str, ...],
    as_json: bool,
    opening: OpenOptions,
) -> None:
    """Measure how fast a model is, here or on a board.

    Measures the stages from frame to answer, the first answer of a new process, and runtimes and
    thread counts. Times are in milliseconds: the median (p50), and the times that 95 % and 99 % of
    the runs do not exceed (p95, p99). With --host, the file is copied to a board, measured by the
    edgeinfer there, and removed again. Without BUNDLE: the installed bundle.
    """
    from edgeinfer.device.cli.progress import status_line
    from edgeinfer.device.diagnose.benchmark.benchmark import BenchmarkOptions, benchmark_model
    from edgeinfer.device.diagnose.benchmark.text import report_lines

    given = click.core.ParameterSource.COMMANDLINE
    if host is None and (ssh_options or ctx.get_parameter_source("remote_program") is given):
        raise click.UsageError("--ssh-option and --remote-program need --host")
    try:
        options = BenchmarkOptions(
            frame_size=frame_size,
            frame_format=frame_format,
            threads=threads,
            runtime=runtime,
            ops=ops,
            seconds=seconds,
            cold_starts=cold_starts,
            opening=opening,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    path = resolve_model(model)
    log_warnings()
    with tell_kept(), status_line() as progress:
        if host is None:
            report = benchmark_model(path, options, progress=progress)
        else:
            from edgeinfer.device.core.ssh import SshHost
            from edgeinfer.device.diagnose.benchmark.remote import benchmark_on
            from edgeinfer.device.diagnose.inspect.description import describe_file

            ssh = SshHost(host, ssh_options)
            describe_file(path)  # a damaged model need not be sent
            report = benchmark_on(
                ssh,
                path,
                options,
                program=remote_program,
                progress=progress,
            )
    if as_json:
        from edgeinfer.device.diagnose.benchmark.report import format_report

        click.echo(format_report(report))
    else:
        say("\n".join(report_lines(report)))
