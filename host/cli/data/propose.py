"""`edgeinfer data propose`: a detector's boxes as annotations to correct."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.options.common import json_option, resolve_model
from edgeinfer.device.cli.options.tiles import tiles_settings
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import printable

if TYPE_CHECKING:
    from edgeinfer.device.pictures.region import Tiles
    from edgeinfer.host.evaluation.propose.annotations import ProposalLayout

_model, _output = option_group("Model"), option_group("Output")


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path))
@_model(
    "--model",
    "-m",
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    show_default="the installed bundle",
    help="The detector, a .edgebundle or .tflite file.",
)
@_model(
    "--min-score",
    type=click.FloatRange(0, 1),
    metavar="SCORE",
    show_default="what the model states",
    help="Leave out objects that score less.",
)
@_model("--tiles", show_default="none", **tiles_settings())
@_output(
    "--layout",
    type=click.Choice(["voc", "yolo"]),
    default="voc",
    help="voc: an XML file for each picture. yolo: a text, and classes.txt.",
)
@_output(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    show_default="next to each picture",
    help="Where the files are written.",
)
@json_option
def propose(
    folder: Path,
    model: Path | None,
    min_score: float | None,
    tiles: Tiles | None,
    layout: ProposalLayout,
    out: Path | None,
    as_json: bool,
) -> None:
    """Write a detector's boxes of pictures, to be corrected in your tool.

    FOLDER has the pictures. Files that are there already are left as they are, so that what was
    corrected stays, and a second start goes on. Tools such as labelImg, Label Studio and CVAT read
    both layouts, and `edgeinfer data check --task detection` and `evaluate` what they write.
    """
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.device.runtime.open_options import OpenOptions
    from edgeinfer.host.evaluation.propose.propose import propose as write_proposals

    path = resolve_model(model)
    with tell_kept(out or folder), show_progress() as progress:
        done = write_proposals(
            *(path, folder, layout),
            out=out,
            options=OpenOptions(min_score=min_score, tiles=tiles),
            progress=progress,
        )
    if as_json:
        unreadable = [{"picture": one.path, "reason": one.detail} for one in done.unreadable]
        document = {"pictures": done.pictures, "boxes": done.boxes, "kept": done.kept}
        say(json.dumps({**document, "unreadable": unreadable}), whole=True)
        return
    for one in done.unreadable:
        say(f"left out: {printable(one.path)}: {printable(one.detail)}", err=True)
    text = f"{done.boxes:,} boxes in {done.pictures:,} pictures"
    if done.kept:
        text += f"; {done.kept:,} had a file already, which was left as it is"
    say(text)
