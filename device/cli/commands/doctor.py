"""`edgeinfer doctor`: what is wrong with this machine, and the command that fixes it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.help.names import SOURCE
from edgeinfer.device.cli.help.pages import Command, option
from edgeinfer.device.cli.options.camera import camera_url_file_option, read_source
from edgeinfer.device.cli.options.common import json_option, model_options

if TYPE_CHECKING:
    from edgeinfer.device.diagnose.doctor.finding import Finding

_COLOURS = {"ok": "green", "note": "yellow", "broken": "red"}


@click.command(cls=Command)
@model_options
@option(
    "--camera", type=SOURCE, metavar="SOURCE", help="A source to try, as `run --camera` has it."
)
@camera_url_file_option
@json_option
def doctor(
    model: Path | None, camera: str | None, camera_url_file: Path | None, as_json: bool
) -> int:
    """Find faults of this machine and say how to fix them.

    Nothing is changed. What may crash or hang is tried in a separate process. The exit code is 1
    if something is broken; notes are worth knowing, but break nothing.
    """
    from edgeinfer.device.diagnose.doctor.run_checks import run_checks
    from edgeinfer.device.diagnose.doctor.system import System
    from edgeinfer.device.diagnose.doctor.text import finding_json, summary_line

    if camera_url_file is not None:
        camera = read_source(camera, camera_url_file)
    documents: list[dict[str, str]] = []
    findings: list[Finding] = []
    for check, found in run_checks(System(model=model, camera=camera)):
        findings += found
        if as_json:
            documents += [finding_json(check.title, finding) for finding in found]
        elif found:
            _show(check.title, found)
    click.echo(json.dumps(documents) if as_json else summary_line(findings))
    return int(any(finding.state == "broken" for finding in findings))


def _show(title: str, findings: list[Finding]) -> None:
    """Print a heading and what was found, as soon as it is known."""
    from edgeinfer.device.diagnose.doctor.text import can_show_marks, finding_lines, mark

    marks = can_show_marks(sys.stdout.encoding)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    click.echo(click.style(title, bold=True) if colour else title)
    for finding in findings:
        first, *rest = finding_lines(finding, marks=marks)
        if colour:
            sign = mark(finding.state, marks=marks)
            first = first.replace(sign, click.style(sign, fg=_COLOURS[finding.state]), 1)
        click.echo("\n".join([first, *rest]))
    click.echo()
