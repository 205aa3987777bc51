"""`edgeinfer boards emulate`: try a bundle on an emulated board, without the board."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.help.names import BOARD, SOURCE
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.kept import tell_when_stopped
from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import UsageError, printable
from edgeinfer.device.core.text.wrapping import wrap

if TYPE_CHECKING:
    from edgeinfer.host.emulation.run_bundle import EmulationResult

_MOST_LABELS = 8
_BY_SIGNAL = 128
"""In shells, a program that a signal ended has this exit code plus the signal's number."""
_UNBROKEN = "\N{NO-BREAK SPACE}"
_NO_TIMES = "emulated times are not the board's: measure them with edgeinfer benchmark --host"


_loop = option_group("Camera loop")
_board = option_group("Emulated board")


@click.command(cls=Command)
@click.argument("board", type=BOARD)
@click.argument("bundle", type=click.Path(path_type=Path))
@_loop(
    "--video",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A video for the loop. Without --video and --camera, BUNDLE is only verified.",
)
@_loop(
    "--camera",
    type=SOURCE,
    metavar="SOURCE",
    help="Another source for the loop: a folder or pattern of images, a URL, simulated.",
)
@_loop("--max-frames", type=click.IntRange(1), metavar="N", help="Stop after this many answers.")
@_board(
    "--system",
    default="",
    metavar="WORDS",
    show_default="the most usual one",
    help="One of the board's systems, by words of its name such as 'bookworm' or '12 32-bit'.",
)
@_board(
    "--runtime",
    default="",
    metavar="REQUIREMENT",
    show_default="that of the system",
    help="Another runtime, such as ai-edge-litert==2.1.6.",
)
@_board(
    "--wheel",
    "wheels",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A wheel to install on the board, of edgeinfer or another package. May be repeated.",
)
@_board(
    "--debian-mirror",
    default="",
    metavar="ADDRESS",
    show_default="the mirror of apt on this machine",
    help="Where Debian packages are downloaded from.",
)
@json_option
@click.argument("run_options", nargs=-1, type=click.UNPROCESSED, metavar="[-- RUN OPTIONS]")
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
    """Run a bundle on an emulated board.

    BUNDLE is verified under qemu-user, then the camera loop runs on the video. Python, the TFLite
    runtime, OpenCV and edgeinfer are those of BOARD, for its processor. Options after -- are passed
    to `edgeinfer run`. V4L2 cameras and accelerators are not emulated: the CPU variant runs. The
    exit code is the one that the board would give.
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
            "--camera", got="is given together with --video", expected="one of the two"
        )
    source = camera if video is None else str(video)
    if source is None and (max_frames is not None or run_options):
        raise UsageError(
            "--max-frames" if max_frames is not None else run_options[0],
            got="is given without a source for the loop",
            expected="--video or --camera with it",
        )
    profile = named_board(board, subject=f"board {board}")
    chosen = choose_system(profile, system)
    # A bad bundle is reported before anything is downloaded.
    open_bundle(bundle).close()
    as_json = as_json or bool(before)
    with tell_when_stopped(lambda: "what was downloaded is kept"), status_line() as show:
        machine = prepare_board(
            profile,
            chosen,
            wheels=wheels,
            runtime=runtime,
            mirror=debian_mirror,
            tell=show,
        )
        show("")
        say(machine.title, err=True)
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
            starting=lambda: say("starting the camera loop", err=True),
        )
    say(json.dumps(dataclasses.asdict(result)) if as_json else _for_people(result), whole=as_json)
    return result.exit_code


def _for_people(result: EmulationResult) -> str:
    """Return the result as text, and what it does not show."""
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
    labels = "\n".join(wrap(f"  {joined}", indent="  ")).replace(_UNBROKEN, " ")
    answered = f"{result.frames:,} frames answered{':' * bool(counts)}"
    if stopped:
        answered = f"stopped, {answered}"
    elif result.exit_code:
        answered = f"the loop failed (exit code {result.exit_code}), {answered}"
    lines = [f"{begin}, {answered}", *([labels] if counts else []), _NO_TIMES]
    return "\n".join(lines)
