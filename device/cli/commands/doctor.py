"""`edgeinfer doctor`: what is wrong with this machine, and the command that fixes it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.help.names import SOURCE
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.options.camera import camera_url_file_option, read_source, tls_options
from edgeinfer.device.cli.options.common import json_option, model_options
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import UsageError, printable

if TYPE_CHECKING:
    from edgeinfer.device.diagnose.doctor.finding import Finding
    from edgeinfer.device.diagnose.doctor.system import System

_COLOURS = {"ok": "green", "note": "yellow", "broken": "red"}


_check = option_group("What is checked")
_report = option_group("Report")


@click.command(cls=Command)
@model_options
@_check("--camera", type=SOURCE, metavar="SOURCE", help="Also try this source; see `run --camera`.")
@camera_url_file_option
@tls_options
@_report(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also verify and measure the model, list the cameras, and write everything into FILE as "
    "Markdown, with --json as JSON, without secrets. Takes about a minute.",
)
@_report("--force", is_flag=True, help="Replace FILE if it is there already.")
@json_option
def doctor(
    model: Path | None,
    camera: str | None,
    camera_url_file: Path | None,
    tls_ca: Path | None,
    tls_insecure: bool,
    report: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Find faults of this machine and say how to fix them.

    Nothing is changed. What may crash or hang is tried in a separate process. The exit code is 1
    if something is broken; notes are worth knowing, but break nothing.
    """
    from edgeinfer.device.cli.progress import status_line
    from edgeinfer.device.diagnose.doctor.run_checks import run_checks
    from edgeinfer.device.diagnose.doctor.system import System
    from edgeinfer.device.diagnose.doctor.text import finding_json, summary_line

    if camera_url_file is not None:
        camera = read_source(camera, camera_url_file)
    if report is not None:
        from edgeinfer.device.diagnose.report.text import check_place

        check_place(report, force=force)
    elif force:
        raise UsageError("--force", got="is given without --report", expected="--report FILE")
    if camera is None and (tls_ca is not None or tls_insecure):
        raise UsageError(
            "--tls-insecure" if tls_insecure else "--tls-ca",
            got="is given without --camera",
            expected="--camera https://...",
        )
    system = System(model=model, camera=camera, tls_ca=tls_ca, tls_insecure=tls_insecure)
    told: list[tuple[str, Finding]] = []
    with tell_kept(report), status_line() as show:
        for check, found in run_checks(system, begin=lambda check: show(f"checking {check.title}")):
            told += [(check.title, finding) for finding in found]
            if found and not as_json:
                _show(check.title, found)
    findings = [finding for _, finding in told]
    if as_json:
        click.echo(json.dumps([finding_json(title, finding) for title, finding in told]))
    else:
        say(summary_line(findings))
    if report is not None:
        _write_report(report, system, told, as_json=as_json, force=force)
    return int(any(finding.state == "broken" for finding in findings))


def _write_report(
    path: Path,
    system: System,
    findings: Sequence[tuple[str, Finding]],
    *,
    as_json: bool,
    force: bool,
) -> None:
    """Collect and write the report, and say where it is."""
    from edgeinfer.device.cli.progress import status_line
    from edgeinfer.device.diagnose.report.collect import collect_parts
    from edgeinfer.device.diagnose.report.text import write_report

    with tell_kept(path):
        with status_line() as progress:
            parts = collect_parts(system, findings, progress=progress)
        write_report(path, parts, as_document=as_json, force=force)
    # On stderr, since with --json the other stream is for programs.
    say(f"report written: {printable(str(path))}; read it before you share it", err=True)


def _show(title: str, findings: list[Finding]) -> None:
    """Print a heading and what was found, as soon as it is known."""
    from edgeinfer.device.diagnose.doctor.text import can_show_marks, finding_lines, mark

    marks = can_show_marks(sys.stdout.encoding)
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    say(click.style(title, bold=True) if colour else title)
    for finding in findings:
        first, *rest = finding_lines(finding, marks=marks)
        if colour:
            sign = mark(finding.state, marks=marks)
            first = first.replace(sign, click.style(sign, fg=_COLOURS[finding.state]), 1)
        say("\n".join([first, *rest]))
    say("")
