"""The parts of a report: machine, doctor's findings, verify, benchmark, cameras."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.core.errors import BundleError, EdgeinferError, printable
from edgeinfer.device.diagnose.doctor.child import ChildEnd, run_probe
from edgeinfer.device.diagnose.doctor.finding import Finding
from edgeinfer.device.diagnose.doctor.system import System
from edgeinfer.device.diagnose.doctor.text import finding_json, finding_lines, summary_line
from edgeinfer.device.diagnose.report.machine import (
    machine_json,
    machine_lines,
    package_lines,
    package_versions,
)
from edgeinfer.device.diagnose.report.private import Redactor, private_words
from edgeinfer.device.models.bundle.installed import installed_bundle

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """How long a report measures.

    Attributes:
        seconds: how long the benchmark times the stages, and each runtime and thread count.
        cold_starts: how many new processes the benchmark starts.
        limit_s: how long verify, benchmark and the list of cameras may take, each.
    """

    seconds: float = 1.0
    cold_starts: int = 3
    limit_s: float = 300.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a report.

    Attributes:
        key: its name in the JSON.
        title: its heading.
        data: for programs, as JSON.
        lines: for people.
    """

    key: str
    title: str
    data: object
    lines: Sequence[str]


Progress = Callable[[str], None]


def collect_parts(
    system: System,
    findings: Sequence[tuple[str, Finding]],
    options: ReportOptions | None = None,
    *,
    progress: Progress = lambda text: None,
) -> list[Part]:
    """Collect a report, without anything private.

    A part that is missing or fails says why; it never ends the report.

    Args:
        system: the machine, with the model and the camera that the user named.
        findings: what the doctor found: (heading, finding).
        options: how long to measure.
        progress: gets a few words about what is going on.
    """
    options = options or ReportOptions()
    redactor = Redactor(private_words(system, camera=system.camera), home=_home())
    packages = {name: redactor.words(version) for name, version in package_versions().items()}
    progress("report: machine")
    parts = [_machine(system), _findings(findings, redactor)]
    model, reason = _model(system)
    for key, title, words in (
        ("verify", "Verify", ()),
        ("benchmark", "Benchmark", (str(options.seconds), str(options.cold_starts))),
    ):
        progress(f"report: {key}")
        if model is None:
            parts.append(_not_run(key, title, reason))
        elif key == "verify" and not zipfile.is_zipfile(model):
            reason = f"{model} is not a bundle, so it has no golden frames"
            parts.append(_not_run(key, title, reason))
        else:
            parts.append(_probed(key, title, (str(model), *words), options.limit_s))
    progress("report: cameras")
    parts.append(_probed("cameras", "Cameras", (), options.limit_s))
    return [_redacted(part, redactor, packages) for part in parts]


def document(parts: Sequence[Part]) -> dict[str, object]:
    """Return a report for programs.

    Keys: `schema`, `made` (UTC), and the parts: `machine`, `findings`, `verify`, `benchmark`,
    `cameras`. `verify`, `benchmark` and `cameras` have a `state`: `done`, `failed` or `not run`;
    those that are not `done` have a `reason`.
    """
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    return {"schema": SCHEMA, "made": made, **{part.key: part.data for part in parts}}


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # a user without a folder
        return None


def _redacted(part: Part, redactor: Redactor, packages: dict[str, str]) -> Part:
    data = redactor.document(part.data)
    lines = [printable(redactor.text(line)) for line in part.lines]
    if part.key == "machine" and isinstance(data, dict):
        # Their versions may have four numbers, like an IP address.
        data["packages"] = packages
        lines += package_lines(packages)
    return Part(key=part.key, title=part.title, data=data, lines=lines)


def _machine(system: System) -> Part:
    """Return the machine; a part that fails says why."""
    try:
        data, lines = machine_json(system), machine_lines(system)
    except Exception as error:  # a machine may be broken in ways that nobody expected
        reason = f"this part failed ({type(error).__name__}: {error})"
        data, lines = {"state": "failed", "reason": reason}, [f"failed: {reason}"]
    return Part(key="machine", title="Machine", data=data, lines=lines)


def _findings(findings: Sequence[tuple[str, Finding]], redactor: Redactor) -> Part:
    # Before lines are made, since a secret with a space in it could be broken in two.
    found = [(title, _redacted_finding(finding, redactor)) for title, finding in findings]
    lines: list[str] = []
    heading = ""
    for title, finding in found:
        if title != heading:
            lines += ["", title] if lines else [title]
            heading = title
        lines += finding_lines(finding, marks=False)
    return Part(
        key="findings",
        title="Doctor",
        data=[finding_json(title, finding) for title, finding in found],
        lines=[*lines, "", summary_line([finding for _, finding in found])],
    )


def _redacted_finding(finding: Finding, redactor: Redactor) -> Finding:
    return Finding(
        subject=redactor.text(finding.subject),
        state=finding.state,
        got=redactor.text(finding.got),
        expected=redactor.text(finding.expected),
        fix=redactor.text(finding.fix),
    )


def _model(system: System) -> tuple[Path | None, str]:
    """Return the model to verify and to measure; without one, why there is none."""
    try:
        model = system.model or installed_bundle()
    except BundleError as error:
        return None, error.got
    return (model, "") if model.is_file() else (None, f"{model} is not a file")


def _not_run(key: str, title: str, reason: str) -> Part:
    data = {"state": "not run", "reason": reason}
    return Part(key=key, title=title, data=data, lines=[f"not run: {reason}"])


def _probed(key: str, title: str, words: Sequence[str], limit_s: float) -> Part:
    """Return what a probe in a child process found, which may crash or hang."""
    end = run_probe(key, *words, timeout_s=limit_s)
    report, lines = end.facts.get("report"), end.facts.get("lines")
    if end.code == 0 and report is not None and lines is not None:
        return Part(key=key, title=title, data={"state": "done", **report}, lines=lines)
    reason = _reason(end)
    data = {"state": "failed", "reason": reason}
    return Part(key=key, title=title, data=data, lines=[f"failed: {reason}"])


def _reason(end: ChildEnd) -> str:
    error = end.facts.get("error")
    return str(EdgeinferError.from_dict(error)) if error else end.reason
