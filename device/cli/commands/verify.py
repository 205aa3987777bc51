"""`edgeinfer verify`: run a bundle's golden frames on this machine and compare the answers."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.help.names import choice
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.log.option import log_warnings
from edgeinfer.device.cli.options.common import (
    json_option,
    model_options,
    resolve_model,
)
from edgeinfer.device.cli.options.opening import opening_options
from edgeinfer.device.cli.say import say

if TYPE_CHECKING:
    from edgeinfer.device.runtime.open_options import OpenOptions
    from edgeinfer.device.runtime.runner import RuntimeName


@click.command(cls=Command)
@model_options
@option_group("Model")(
    "--runtime",
    type=choice("ai-edge-litert", "tflite-runtime"),
    show_default="the preferred one of those installed",
    help="Which runtime to use.",
)
@option_group("Output")(
    "--record",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Instead: write a bundle with the answers that this machine gives, for a model that only "
    "an accelerator runs.",
)
@json_option
@opening_options
def verify(
    model: Path | None,
    runtime: RuntimeName | None,
    record: Path | None,
    as_json: bool,
    opening: OpenOptions,
) -> None:
    """Check that a bundle gives the same answers on this machine.

    Runs the test frames that the bundle carries. The prepared pictures must be equal bit for bit,
    the model's outputs within their tolerance. The exit code is 1 if anything differs. Without
    BUNDLE: the installed bundle.
    """
    from edgeinfer.device.cli.progress import busy
    from edgeinfer.device.core.errors import ModelError
    from edgeinfer.device.core.model_file import command_line, is_bundle
    from edgeinfer.device.models.record import Recorded, record_bundle
    from edgeinfer.device.models.verify import VerifyReport, verify_bundle

    log_warnings()
    path, options = resolve_model(model), dataclasses.replace(opening, runtime=runtime)
    if not is_bundle(path):
        raise ModelError(
            path,
            got="is a .tflite without golden frames",
            expected="a .edgebundle",
            next_step=f"make one: {command_line('adopt', path)}",
        )
    with tell_kept(record), busy("answering the golden frames"):
        report: Recorded | VerifyReport = (
            verify_bundle(path, options) if record is None else record_bundle(path, record, options)
        )
    document = json.dumps(dataclasses.asdict(report), default=str)
    say(document if as_json else "\n".join(report.lines()), whole=as_json)
