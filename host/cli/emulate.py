"""`edgeinfer boards emulate`: prove a bundle on the emulated board, before there is a board."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.core.errors import UsageError, printable

if TYPE_CHECKING:
    from edgeinfer.host.emulation.run_bundle import EmulationResult

_MOST_LABELS = 8
_BY_SIGNAL = 128
"""Exit codes of programs that a signal ended begin here, by the shells' rule."""
_UNBROKEN = "\N{NO-BREAK SPACE}"
_NO_TIMES = "emulated times say nothing about the board's: see edgeinfer benchmark --host"


@click.command()
@click.argument("board")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--video",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A clip for the camera loop; without --video and --camera, BUNDLE is only verified.",
)
@click.option(
    "--camera",
    metavar="SOURCE",
    help="Another source for the loop: a folder or pattern of images, a URL, 'simulated'.",
)
@click.option("--max-frames", type=click.IntRange(1), help="End after so many answers.")
@click.option(
    "--system",
    default="",
    metavar="WORDS",
    help="Which of the board's systems, by words of its name such as 'bookworm' or '12 32-bit'; "
    "without it the most usual one.",
)
@click.option(
    "--runtime", default="", metavar="REQUIREMENT", help="Another runtime: ai-edge-litert==2.1.6."
)
@click.option(
    "--wheel",
    "wheels",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A wheel to take for the board, edgeinfer's own or another; may be repeated.",
)
@click.option(
    "--debian-mirror",
    default="",
    metavar="ADDRESS",
    help="Where Debian's packages come from; without it, the mirror that apt has here.",
)
@json_option
@click.argument("run_options", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def emulate(
    before: bool | None,
    board: str,
    bundle: Path,
    video: Path | None,
    camera: str | None,
    max_frames: int | None,
    system: str,
    runtime: str,
    wheels: tuple[Path, ...],
    debian_mirror: str,
    as_json: bool,
    run_options: tuple[str, ...],
) -> int:
    """Run BOARD's own device package against a clip, under qemu-user.

    BUNDLE is verified there, then the camera loop answers the clip. Everything is the board's:
    Python, TFLite runtime, OpenCV, edgeinfer, for its processor. What is after -- goes to
    `edgeinfer run`. V4L2 cameras and accelerators are not emulated: a bundle's CPU variant runs.
    Exit codes are those that a board would give.
    """
    from edgeinfer.converters.common.require_extra import require_packages
    from edgeinfer.device.cli.boards.option import named_board
    from edgeinfer.device.cli.progress import status_line
    from edgeinfer.device.models.bundle.reader import open_bundle

    require_packages("boards emulate", "packaging")
    from edgeinfer.host.emulation.choose import choose_system
    from edgeinfer.host.emulation.run_bundle import try_bundle
    from edgeinfer.host.emulation.userland import prepare_board

    if video is not None and camera is not None:
        raise UsageError(
            "--camera", got="is given beside --video", expected="one source for the loop"
        )
    source = camera if video is None else str(video)
    if source is None and (max_frames is not None or run_options):
        raise UsageError(
            "--max-frames" if max_frames is not None else run_options[0],
            got="there is no source for the loop",
            expected="--video or --camera with it",
        )
    profile = named_board(board, subject=f"board {board}")
    chosen = choose_system(profile, system)
    # A bad bundle is told of before anything is downloaded.
    open_bundle(bundle).close()
    as_json = as_json or bool(before)
    with status_line() as show:
        machine = prepare_board(
            profile,
            chosen,
            wheels=wheels,
            runtime=runtime,
            mirror=debian_mirror,
            tell=show,
        )
        show("")
        click.echo(machine.title, err=True)
        result = try_bundle(
            machine,
            bundle,
            run_options=None
            if source is None
            else [
                *("--camera", source, "--threads", str(profile.thread_count())),
                *(() if max_frames is None else ("--max-frames", str(max_frames))),
                *run_options,
            ],
            as_json=as_json,
            waiting=show,
            starting=lambda: click.echo("starting the camera loop", err=True),
        )
    click.echo(json.dumps(dataclasses.asdict(result)) if as_json else _for_people(result))
    return result.exit_code


def _for_people(result: EmulationResult) -> str:
    """Return the result, and what it does not say."""
    stopped = result.exit_code >= _BY_SIGNAL
    said = "verified" if result.verified else "stopped" if stopped else "not verified"
    begin = f"{result.board}, emulated: {said}"
    if result.frames is None:
        return begin
    counts = [f"{count:,} {printable(label)}" for label, count in result.labels.items()]
    if len(counts) > _MOST_LABELS:
        counts[_MOST_LABELS - 1 :] = [f"and {len(counts) - _MOST_LABELS + 1} more labels"]
    # A count stays on the line of its label.
    joined = ", ".join(count.replace(" ", _UNBROKEN) for count in counts)
    labels = textwrap.fill(joined, 78, initial_indent="  ", subsequent_indent="  ")
    labels = labels.replace(_UNBROKEN, " ")
    answered = f"{result.frames:,} frames answered{':' * bool(counts)}"
    if stopped:
        answered = f"stopped, {answered}"
    elif result.exit_code:
        answered = f"the loop failed (exit code {result.exit_code}), {answered}"
    lines = [f"{begin}, {answered}", *([labels] if counts else []), _NO_TIMES]
    return "\n".join(lines)
