"""`edgeinfer demo`: every step once, on embedded data."""

from __future__ import annotations

from pathlib import Path

import click

from edgeinfer.device.cli.help.pages import Command, option
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.say import say


@click.command(cls=Command)
@option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    default=Path("demo"),
    help="Folder for the files of the demo.",
)
def demo(out: Path) -> int:
    """Show all steps from training to answers in a few minutes.

    Trains, quantizes, verifies and runs a model on data that comes with edgeinfer. Each step is
    shown as a command that you can type yourself.
    """
    from edgeinfer.device.cli.progress import busy
    from edgeinfer.host.demo import run_demo
    from edgeinfer.host.extras import check_host_extra, require_host_extra

    check_host_extra("edgeinfer demo", "ai_edge_quantizer", "matplotlib")
    with busy("loading TensorFlow"):
        require_host_extra("edgeinfer demo")
    with tell_kept(out):
        return run_demo(out, say=say)
