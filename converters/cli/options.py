"""Options of all commands that write a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from edgeinfer.device.cli.help.pages import option_group

_output = option_group("Output")

out_option = _output(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    show_default="NAME.edgebundle in this folder",
    help="The bundle to write.",
)

install_option = _output(
    "--install/--no-install",
    default=True,
    help="Make it the model that is used when none is named.",
)
