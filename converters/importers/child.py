"""Programs of others in child processes: their time and their output are limited.

A child gets nothing from the working folder or from variables such as PYTHONPATH, and ends with the
process that started it, with all its own children.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edgeinfer.device.core.processes import ProcessEnd, last_line

KEPT_BYTES = 1 << 16
"""How much of a child's output is kept: its end, where the cause of a failure is."""

_ENDING_S = 10.0

# It repeats `end_with_parent`, for a Python that has no edgeinfer. The kernel ends the child when
# its parent ends (PR_SET_PDEATHSIG, 1 in the kernel's include/uapi/linux/prctl.h; 9 is SIGKILL).
_TIED = """
import ctypes, os, runpy, sys
parent, target = int(sys.argv[1]), sys.argv[2]
ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
if os.getppid() != parent:
    os._exit(0)
del sys.argv[:2]
if os.path.isabs(target):
    runpy.run_path(target, run_name="__main__")
else:
    runpy.run_module(target, run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True, kw_only=True)
class ChildEnd:
    """A child that has ended.

    Attributes:
        end: how.
        output: the end of what it printed, standard output and errors together.
    """

    end: ProcessEnd
    output: str


def this_python() -> Path:
    """Return the interpreter of this process, to start it by `isolated_command`."""
    return Path(sys.executable)


def isolated_command(python: Path, target: Path | str, *arguments: str) -> list[str]:
    """Return a command line for a Python that imports only what is installed for it.

    Args:
        python: the interpreter; it needs no edgeinfer.
        target: the absolute path of a program, or the name of a module.
        arguments: for it.
    """
    return [str(python), "-I", "-c", _TIED, str(os.getpid()), str(target), *arguments]


def isolated_environment(**extra: str) -> dict[str, str]:
    """Return this process's environment without the variables that change how a Python starts.

    Args:
        extra: variables to add or replace.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    kept.pop("VIRTUAL_ENV", None)
    return {**kept, **extra}


def run_child(
    command: Sequence[str],
    *,
    limit_s: float,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> ChildEnd:
    """Run a program and all that it starts to its end, or kill it when its time is over.

    Args:
        command: the program and its arguments.
        limit_s: its time.
        environment: its variables; by default those of `isolated_environment`.
        folder: the folder that it runs in; by default the root.

    Raises:
        OSError: it cannot be started.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(isolated_environment() if environment is None else environment),
        cwd=folder or "/",
        start_new_session=True,
    )
    assert process.stdout is not None
    kept = bytearray()
    reader = threading.Thread(target=_keep_end, args=(process.stdout, kept), daemon=True)
    reader.start()
    code: int | None
    try:
        code = process.wait(limit_s)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        # What it started may still run, and hold the pipe open.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join(_ENDING_S)
    output = bytes(kept)
    end = ProcessEnd(code=code, words=last_line(output), limit_s=limit_s)
    return ChildEnd(end=end, output=output.decode(errors="replace"))


def _keep_end(stream: IO[bytes], kept: bytearray) -> None:
    """Read to the end, so that the child never waits; keep the last `KEPT_BYTES`."""
    with stream:
        while chunk := os.read(stream.fileno(), KEPT_BYTES):
            kept += chunk
            del kept[:-KEPT_BYTES]
