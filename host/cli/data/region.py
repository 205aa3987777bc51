"""`edgeinfer data region`: draws a region, lines and zones on a still."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.options.region import region_settings
from edgeinfer.device.cli.say import say

if TYPE_CHECKING:
    from edgeinfer.device.pictures.region import Region

_places = option_group("Places")
_output = option_group("Output")


@click.command(cls=Command)
@click.argument("picture", type=click.Path(path_type=Path))
@_places("--region", **region_settings("a model sees"))
@_places(
    "--line",
    multiple=True,
    metavar="NAME:X,Y,X,Y",
    help="A line that objects cross, as in run. May be repeated.",
)
@_places(
    "--zone",
    multiple=True,
    metavar="NAME:X,Y,X,Y,X,Y,...",
    help="A part of the picture that objects are in, as in run. May be repeated.",
)
@_output(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    show_default="PICTURE-places.png",
    help="The PNG that is written.",
)
def region(
    picture: Path,
    region: Region | None,
    line: tuple[str, ...],
    zone: tuple[str, ...],
    out: Path | None,
) -> None:
    """Draw a region, lines and zones on a still, with a grid of ratios.

    PICTURE is a still of the camera, such as one of `edgeinfer run --output stills:FOLDER` or
    `edgeinfer data capture`. Without places only the grid is drawn: read the ratios from it. An
    arrow shows to which side of a line objects go in.
    """
    from edgeinfer.device.core.errors import ImageError
    from edgeinfer.device.core.files import write_atomically
    from edgeinfer.device.loop.following.places import make_places, parse_places
    from edgeinfer.device.pictures.decode import encode_png, read_image
    from edgeinfer.host.data.capture.places_picture import places_picture

    places = make_places(parse_places("--line", line), parse_places("--zone", zone))
    if picture.is_dir():
        raise ImageError(picture, got="is a folder", expected="one picture")
    drawn = places_picture(read_image(picture), places, region)
    target = out or picture.with_name(f"{picture.stem}-places.png")
    write_atomically(target, encode_png(drawn[..., ::-1]))
    say(f"{target}: {drawn.shape[1]}x{drawn.shape[0]}, a line of the grid each tenth")
