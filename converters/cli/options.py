"""Options of all commands that write a bundle, and of those that take a run."""

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

data_option = option_group("Run of `edgeinfer train`")(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    show_default="where it was",
    help="The folder of photos that the run was trained on, if it has moved.",
)
