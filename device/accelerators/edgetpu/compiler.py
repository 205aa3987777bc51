"""Finds and runs `edgetpu_compiler`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.device.accelerators.edgetpu.log import CompilerLog, parse_log
from edgeinfer.device.core.errors import ConversionError
from edgeinfer.device.core.processes import ProcessEnd, last_line
from edgeinfer.device.tflite.weights_inside import with_buffers_inside

PROGRAM = "edgetpu_compiler"
COMPILE_TIMEOUT_S = 600.0
"""The compiler stops by itself after 180 s a model; this limit is for a machine that is busy."""

HOW_TO_GET_IT = (
    f"{PROGRAM} is not installed: it is a Debian package of that name for x86-64, in the package "
    "repository that Coral's documentation names (it is not on PyPI)"
)


@dataclass(frozen=True, kw_only=True)
class CompiledModel:
    """What the compiler made.

    Attributes:
        content: the `.tflite` file.
        log: what it said.
    """

    content: bytes
    log: CompilerLog


def find_compiler() -> Path | None:
    """Return the compiler on the search path, or None."""
    found = shutil.which(PROGRAM)
    return Path(found) if found else None


def compile_model(
    model: bytes, compiler: Path, *, subject: str, timeout_s: float = COMPILE_TIMEOUT_S
) -> CompiledModel:
    """Compile a model for the Edge TPU.

    Args:
        model: the `.tflite` file.
        compiler: the program.
        subject: what errors are about.
        timeout_s: how long it may take.

    Raises:
        ConversionError: the compiler cannot be run, fails, takes too long, or writes no model.
        ModelError: it is not a `.tflite` file, or one whose weights do not fit into its FlatBuffer.
    """
    with tempfile.TemporaryDirectory(prefix="edgeinfer-edgetpu-") as name:
        folder = Path(name)
        source = folder / "model.tflite"
        # It is older than what lies outside a FlatBuffer, and would take those weights for none.
        source.write_bytes(with_buffers_inside(model, subject=subject))
        said = _run([str(compiler), "-s", "-o", name, str(source)], subject, timeout_s)
        try:
            content = (folder / "model_edgetpu.tflite").read_bytes()
        except OSError as error:
            raise ConversionError(
                subject, got=f"the Edge TPU compiler wrote no model: {_last_line(said)}"
            ) from error
        log = folder / "model_edgetpu.log"
        if log.is_file():
            said += "\n" + log.read_text(encoding="utf-8", errors="replace")
    return CompiledModel(content=content, log=parse_log(said, subject=subject))


def _run(command: list[str], subject: str, timeout_s: float) -> str:
    """Return what the program printed; it compiles in a child, which must end with it."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise ConversionError(
            subject,
            got=f"{command[0]} cannot be run ({(error.strerror or str(error)).lower()})",
            next_step=f"install {PROGRAM} again",
        ) from error
    try:
        said, _ = process.communicate(timeout=timeout_s)
    except BaseException as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            end = ProcessEnd(code=None, limit_s=timeout_s)
            raise ConversionError(subject, got=f"the Edge TPU compiler {end.text}") from error
        raise
    if process.returncode:
        end = ProcessEnd(code=process.returncode)
        raise ConversionError(subject, got=f"the Edge TPU compiler {end.text}: {_last_line(said)}")
    return said


def _last_line(said: str) -> str:
    return last_line(said.encode()) or "it said nothing"
