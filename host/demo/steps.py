"""A demo's commands, run one after another as a user would type them."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.cli.main import run_program


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of a demo, and why it is there."""

    title: str
    arguments: tuple[str, ...]


def run_steps(steps: Sequence[Step], *, say: Callable[[str], None]) -> int:
    """Show and run commands until one fails.

    Args:
        steps: the commands.
        say: prints a line.

    Returns:
        0, or the exit code of the first command that failed.
    """
    for number, step in enumerate(steps, start=1):
        say(f"\n[{number}/{len(steps)}] {step.title}")
        say(f"$ {program_name()} {shlex.join(step.arguments)}\n")
        code = run_program(step.arguments)
        if code != 0:
            say(f"\nthe demo stopped: `{step.arguments[0]}` ended with exit code {code}")
            return code
    return 0


def program_name() -> str:
    """Return how the user can start this program again: by its name if the shell finds it."""
    found = shutil.which("edgeinfer")
    here = Path(sys.argv[0])
    if here.name != "edgeinfer" or (found and os.path.samefile(found, here)):
        return "edgeinfer"
    return str(here)


def closing(seconds: float, made: Sequence[tuple[str, str]], further: Sequence[str]) -> str:
    """Return what a demo says at its end.

    Args:
        seconds: how long it took.
        made: (path, what it is) of what it made.
        further: arguments of commands to go on with.
    """
    width = max(len(path) for path, _ in made)
    listing = "\n".join(f"  {path:{width}}  {what}" for path, what in made)
    commands = "\n".join(f"  {program_name()} {command}" for command in further)
    return f"\nDone in {seconds:.0f} s. What the demo made:\n{listing}\n\nNext:\n{commands}"
