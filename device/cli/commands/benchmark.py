"""`edgeinfer benchmark`: how fast a model is here, or on a board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.log.option import log_warnings
from edgeinfer.device.cli.options.common import (
    MAX_THREADS,
    json_option,
    opening_options,
    resolve_model,
)

if TYPE_CHECKING:
    from edgeinfer.device.pictures.frame import FrameFormat
    from edgeinfer.device.runtime.open_options import OpenOptions
    from edgeinfer.device.runtime.runner import RuntimeName


def _size(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int]:
    """Read WIDTHxHEIGHT in pixels."""
    parts = value.lower().split("x")
    if len(parts) == 2 and all(p.isascii() and p.isdigit() and len(p) < 8 for p in parts):
        return int(parts[0]), int(parts[1])
    raise click.BadParameter(f"{value!r} is no size, expected such as 640x480")


def _counts(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    """Read thread counts with commas between; none where the option is not given."""
    if value is None:
        return None
    parts = [part.strip() for part in value.split(",")]
    if all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        counts = tuple(dict.fromkeys(map(int, parts)))
        if all(1 <= count <= MAX_THREADS for count in counts):
            return counts
    raise click.BadParameter(f"{value!r}: expected counts of 1 to {MAX_THREADS}, such as 1,2,4")


@click.command()
@click.argument("model", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option(
    "--frame",
    "frame_size",
    callback=_size,
    metavar="WIDTHxHEIGHT",
    default="640x480",
    show_default=True,
    help="Size of the camera's frames.",
)
@click.option(
    "--format",
    "frame_format",
    type=click.Choice(["bgr", "rgb", "grey", "yuyv", "nv12", "jpeg"]),
    default="bgr",
    show_default=True,
    help="How the camera gives them.",
)
@click.option(
    "--threads",
    callback=_counts,
    metavar="N,N,...",
    help="Thread counts to compare; without it 1, the board's, and one a core.",
)
@click.option(
    "--runtime",
    type=click.Choice(["ai-edge-litert", "tflite-runtime"]),
    help="The only runtime to measure; without it, all that are installed.",
)
@click.option("--ops", is_flag=True, help="Time each operator too.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, 3600, min_open=True),
    default=2.0,
    show_default=True,
    help="How long the stages are timed, and each of what is compared.",
)
@click.option(
    "--cold-starts",
    type=click.IntRange(0, 100),
    default=5,
    show_default=True,
    help="Fresh processes to start; 0 for none.",
)
@click.option(
    "--host", metavar="[USER@]BOARD", help="Measure on a board, reached with your own ssh."
)
@click.option(
    "--remote-program",
    default="edgeinfer",
    show_default=True,
    help="edgeinfer's program on the board.",
)
@click.option(
    "--ssh-option",
    "ssh_options",
    multiple=True,
    metavar="OPTION",
    help="For ssh -o, such as Port=2222; may be repeated.",
)
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
    """Measure how fast FILE answers, here or on a board.

    FILE is a .edgebundle or .tflite; without it, the installed bundle. Measured are the stages from
    frame to answer, the first answer of a fresh process, runtimes and thread counts. Times are
    milliseconds: the median (p50), and what 95 and 99 of 100 do not exceed. With --host the file is
    copied to a board, measured by the edgeinfer there, and removed again.
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
            delegates=opening.delegates,
            trust=opening.trust,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    path = resolve_model(model)
    log_warnings()
    with status_line() as progress:
        if host is None:
            report = benchmark_model(path, options, progress=progress)
        else:
            from edgeinfer.device.core.ssh import SshHost
            from edgeinfer.device.diagnose.benchmark.remote import benchmark_on
            from edgeinfer.device.diagnose.inspect.description import describe_file

            ssh = SshHost(host, ssh_options)
            describe_file(path)  # a damaged model is not worth the way
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
        click.echo("\n".join(report_lines(report)))
