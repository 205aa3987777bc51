"""Child processes, for everything that may crash or hang: only the way they end is used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgeinfer.device.core.errors import printable
from edgeinfer.device.core.processes import (
    python_command,
    run_to_end,
    safe_environment,
    signal_name,
)

_PROBE = "edgeinfer.device.diagnose.doctor.probe"

SOURCE_VARIABLE = "EDGEINFER_PROBED_SOURCE"
"""The environment variable with the source that `probe camera` tries."""


@dataclass(frozen=True, kw_only=True)
class ChildEnd:
    """How a child process ended.

    Attributes:
        code: its exit code, negative for a signal's number; None if it was stopped because its
            time was over.
        facts: what it found, one JSON object per line, merged.
        stdout: its standard output.
        stderr: its error output.
    """

    code: int | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    stdout: str = ""
    stderr: str = ""

    @property
    def crash(self) -> str:
        """The signal that ended it, such as `SIGSEGV`; empty if none did."""
        if self.code is None or self.code >= 0:
            return ""
        return signal_name(-self.code)

    @property
    def reason(self) -> str:
        """Why it failed, on one line: the last line of its error output."""
        if self.code is None:
            return "it did not answer in time"
        lines = self.stderr.strip().splitlines()
        last = printable(lines[-1].strip()) if lines else ""
        if self.crash:
            return f"it crashed with {self.crash}"
        return last or f"it ended with exit code {self.code}"


def run_child(
    command: Sequence[str], *, timeout_s: float, environ: Mapping[str, str] | None = None
) -> ChildEnd:
    """Run a program to its end, or stop it when its time is over.

    A program that cannot be started has the exit code 127, as in a shell.
    """
    try:
        done = run_to_end(command, limit_s=timeout_s, env=environ)
    except OSError as error:
        return ChildEnd(code=127, stderr=f"{command[0]}: {error.strerror or error}")
    return ChildEnd(
        code=done.end.code, facts=facts_of(done.stdout), stdout=done.stdout, stderr=done.stderr
    )


def run_probe(
    name: str, *arguments: str, timeout_s: float, environ: Mapping[str, str] | None = None
) -> ChildEnd:
    """Run one of the functions in `probe` in a separate Python process.

    Args:
        name: the name of the function, without `probe_`.
        arguments: its arguments.
        timeout_s: how long it may take.
        environ: more environment variables, only for it.
    """
    return run_child(
        python_command("-m", _PROBE, name, *arguments),
        timeout_s=timeout_s,
        environ=safe_environment(**(environ or {})),
    )


def facts_of(stdout: str) -> dict[str, Any]:
    """Merge the lines that are JSON objects; libraries may print other lines."""
    facts: dict[str, Any] = {}
    for line in stdout.splitlines():
        try:
            item = json.loads(line)
        except ValueError:
            continue
        if isinstance(item, dict):
            facts.update(item)
    return facts
