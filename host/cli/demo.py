"""`edgeinfer demo`: every step once, on data that needs no download."""

from __future__ import annotations

from pathlib import Path

import click

from edgeinfer.device.cli.help.pages import Command, option
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import UsageError

FASHION_MNIST, GAUGE, DETECT = "fashion-mnist", "gauge", "detect"


@click.command(cls=Command)
@click.argument("name", type=click.Choice((FASHION_MNIST, GAUGE, DETECT)), default=FASHION_MNIST)
@option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder for the files of the demo: demo, demo-gauge or demo-detect.",
)
@option(
    "--full",
    is_flag=True,
    help="Of gauge: more pictures and epochs, for the smallest error.",
)
def demo(name: str, out: Path | None, full: bool) -> int:
    """Show all steps from training to answers in a few minutes.

    Trains, quantizes, verifies and runs a model. Each step is shown as a command that you can type
    yourself. NAME is fashion-mnist, pictures of clothes that come with edgeinfer; gauge, a model
    that reads the needle of analog gauges, which the demo draws itself; or detect, a model that
    finds these clothes in scenes, which the demo draws too.
    """
    from edgeinfer.device.cli.progress import busy
    from edgeinfer.host.extras import check_host_extra, require_host_extra

    if full and name != GAUGE:
        raise UsageError(
            "--full", got=f"is given for {name}", expected="gauge", next_step="leave it out"
        )
    out = out or Path("demo" if name == FASHION_MNIST else f"demo-{name}")
    check_host_extra("edgeinfer demo", "ai_edge_quantizer", "matplotlib")
    with busy("loading TensorFlow"):
        require_host_extra("edgeinfer demo")
    with tell_kept(out):
        if name == FASHION_MNIST:
            from edgeinfer.host.demo.clothes import run_demo

            return run_demo(out, say=say)
        if name == DETECT:
            from edgeinfer.host.demo.detect.demo import run_detect_demo

            return run_detect_demo(out, say=say)
        from edgeinfer.host.demo.gauge.demo import run_gauge_demo

        return run_gauge_demo(out, full=full, say=say)
