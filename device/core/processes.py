"""How other processes are started, waited for, and how one says that they ended.

Python looks for modules in the working folder first where it is started with `-m` or `-c`. An
untrusted `json.py` may be there, next to the pictures or models that came with it. Every child with
a Python in it is started through here, and imports nothing from there.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SAFE_PATH = (3, 11)
"""From this version on Python has `-P` and PYTHONSAFEPATH."""

_CLEAN = "import sys; sys.path[:] = [p for p in sys.path if p]; "
"""What `-P` does, for an older Python: the working folder's entry is the empty one."""
_AS_MODULE = (
    _CLEAN + "import runpy; del sys.argv[0]; "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)
_AS_CODE = _CLEAN + "exec(sys.argv.pop(1))"

_MOST_WORDS = 300

_PR_SET_PDEATHSIG = 1
"""From the kernel's include/uapi/linux/prctl.h."""


def python_command(
    *arguments: str, python: str | None = None, version: tuple[int, ...] | None = None
) -> list[str]:
    """Return a command line for a Python that imports nothing from the working folder.

    Start it with `safe_environment`, which tells the children of that child.

    Args:
        arguments: the interpreter's options, then `-m MODULE` or `-c CODE`, then arguments for it.
        python: the interpreter; by default this one.
        version: its version, such as (3, 11); by default that of this one.

    Raises:
        ValueError: `-m` and `-c` are both absent: a script's own folder would come first.
    """
    start = next((i for i, word in enumerate(arguments) if word in ("-m", "-c")), None)
    if start is None or start + 1 == len(arguments):
        raise ValueError(f"arguments are {arguments}, expected -m MODULE or -c CODE among them")
    program = python or sys.executable
    if (version or sys.version_info[:2]) >= _SAFE_PATH:
        return [program, "-P", *arguments]
    # -c puts the empty entry there by itself; the child takes it out again before it imports.
    bootstrap = _AS_MODULE if arguments[start] == "-m" else _AS_CODE
    return [program, *arguments[:start], "-c", bootstrap, *arguments[start + 1 :]]


def safe_environment(**extra: str) -> dict[str, str]:
    """Return this process's environment for a child whose Python takes nothing from its folder.

    Relative entries of PYTHONPATH, an empty one among them, mean the working folder and are left
    out. Everything else of the user's environment is kept.

    Args:
        extra: variables to add or replace.
    """
    environment = {**os.environ, "PYTHONSAFEPATH": "1", **extra}
    if "PYTHONPATH" in environment:
        places = environment["PYTHONPATH"].split(os.pathsep)
        environment["PYTHONPATH"] = os.pathsep.join(filter(os.path.isabs, places))
        if not environment["PYTHONPATH"]:
            del environment["PYTHONPATH"]
    return environment


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process with the one that started it, however that ends.

    Args:
        parent: the number of that process.
    """
    import ctypes  # it takes time to import, and parents need it not

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(0)


@dataclass(frozen=True, kw_only=True)
class ProcessEnd:
    """How a child process ended.

    Attributes:
        code: as Python gives it: the exit code, or a signal's number below zero; None where it was
            killed because its time was over.
        words: the last line that it wrote to its standard error; may be empty.
        limit_s: its time; None for any.

    >>> ProcessEnd(code=-11).text
    'was killed by SIGSEGV'
    """

    code: int | None
    words: str = ""
    limit_s: float | None = None

    @property
    def signal(self) -> int | None:
        """The signal that ended it, if one did."""
        return -self.code if self.code is not None and self.code < 0 else None

    @property
    def text(self) -> str:
        """What happened, to follow the process's name."""
        if self.code is None:
            return f"did not end within {self.limit_s:g} s"
        if self.signal is not None:
            return f"was killed by {signal_name(self.signal)}"
        return f"ended with code {self.code}" + (f" ({self.words})" if self.words else "")


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A program that has ended.

    Attributes:
        end: how.
        stdout: what it printed.
        stderr: what it complained about.
    """

    end: ProcessEnd
    stdout: str
    stderr: str


def run_to_end(
    command: Sequence[str | os.PathLike[str]],
    *,
    limit_s: float | None = None,
    given: bytes | None = None,
    **options: Any,
) -> Finished:
    """Run a program to its end, or kill it when its time is over.

    Args:
        command: the program and its arguments.
        limit_s: its time; None for any.
        given: what it reads from its standard input; None for nothing.
        options: others of `subprocess.Popen`.

    Raises:
        OSError: it cannot be started.
    """
    import subprocess  # it imports much, and most that imports this starts nothing

    options |= {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    try:
        done = subprocess.run(command, capture_output=True, timeout=limit_s, check=False, **options)
        code, stdout, stderr = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as error:
        code, stdout, stderr = None, error.stdout or b"", error.stderr or b""
    return Finished(
        end=ProcessEnd(code=code, words=last_line(stderr), limit_s=limit_s),
        stdout=stdout.decode(errors="replace"),
        stderr=stderr.decode(errors="replace"),
    )


def last_line(output: bytes) -> str:
    """Return the last line that a process wrote, cut to 300 characters; empty where it wrote none.

    >>> last_line(b"loading\nno such file\n")
    'no such file'
    """
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip()[:_MOST_WORDS] if lines else ""


def signal_name(number: int) -> str:
    """Return a signal's name, such as SIGSEGV; of one without a name, its number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
