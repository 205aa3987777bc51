"""`edgeinfer verify`: replay a bundle's golden vectors on this machine."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.log.option import log_warnings
from edgeinfer.device.cli.options.common import json_option, opening_options, resolve_model

if TYPE_CHECKING:
    from edgeinfer.device.runtime.open_options import OpenOptions
    from edgeinfer.device.runtime.runner import RuntimeName


@click.command()
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@click.option(
    "--runtime",
    type=click.Choice(["ai-edge-litert", "tflite-runtime"]),
    help="Which runtime; without it, the preferred one of those installed.",
)
@json_option
@opening_options
def verify(
    bundle: Path | None, runtime: RuntimeName | None, as_json: bool, opening: OpenOptions
) -> None:
    """Replay BUNDLE's golden frames: preprocessing bit for bit, outputs within their tolerance.

    Without BUNDLE, the installed one. Exit code 1 where anything differs.
    """
    from edgeinfer.device.core.errors import printable
    from edgeinfer.device.models.verify import verify_bundle

    log_warnings()
    report = verify_bundle(resolve_model(bundle), dataclasses.replace(opening, runtime=runtime))
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(report)))
        return
    click.echo(
        f"{report.name}: verified on {report.machine} with {report.runtime}\n"
        f"  variant: {report.variant} ({printable(report.variant_reason)})\n"
        f"  {report.frames} frames: input tensors bit-equal ({' and '.join(report.implementations)}"
        " preprocessing)\n"
        f"  outputs differ by at most {report.largest_difference:.3g} "
        f"(allowed {report.tolerance:.3g})"
    )
