"""`edgeinfer demo`: everything once, on embedded data."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder for what the demo makes.",
)
def demo(out: Path) -> int:
    """Train, quantize, verify and run a model on embedded data, in a few minutes.

    Each step is a command that you can type yourself, and is shown.
    """
    from edgeinfer.host.demo import run_demo
    from edgeinfer.host.extras import check_host_extra, require_host_extra

    check_host_extra("edgeinfer demo", "ai_edge_quantizer", "matplotlib")
    require_host_extra("edgeinfer demo")
    return run_demo(out, say=click.echo)
