"""Runs vela, Arm's compiler for Ethos-U NPUs, on an integer `.tflite` model.

vela is a separate program in a separate environment: `ethos-u-vela` brings its own numpy and
flatbuffers, which must not replace those that TensorFlow and the runtimes were built for.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from edgeinfer.converters.targets.vela_report import VelaReport, parse_report
from edgeinfer.device.core.errors import ConversionError, MissingExtraError, storage_error
from edgeinfer.device.core.processes import run_to_end
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.weights_inside import with_buffers_inside

Accelerator = Literal["ethos-u65-256", "ethos-u55-128"]
"""An NPU and its MACs per cycle."""

ACCELERATORS: tuple[Accelerator, ...] = get_args(Accelerator)
VELA_VARIABLE = "EDGEINFER_VELA"
TIMEOUT_S = 900.0
"""Classifiers take a second, a segmentation model at 513 x 513 seven."""

_MODEL = "model.tflite"
"""The file's name in the temporary folder, part of what vela writes: the same for every model."""


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """What vela made.

    Attributes:
        model: the `.tflite` bytes; most of it is now one operator for the NPU.
        report: its estimates.
        summary_csv: as vela wrote it.
        layers_csv: as vela wrote it.
        version: vela's version.
    """

    model: bytes
    report: VelaReport
    summary_csv: str
    layers_csv: str
    version: str


def find_vela() -> Path:
    """Return the program: the one that `EDGEINFER_VELA` names, else `vela` on the path.

    Raises:
        MissingExtraError: it is in none of these places.
    """
    named = os.environ.get(VELA_VARIABLE, "")
    found = shutil.which(named or "vela")
    if found is None:
        raise MissingExtraError(
            named or "vela",
            got=f"{VELA_VARIABLE} does not name a program" if named else "is not installed",
            expected="vela, Arm's compiler for Ethos-U NPUs, on the path or named by "
            + VELA_VARIABLE,
            next_step="install the PyPI package ethos-u-vela into a separate environment, since "
            "its numpy and flatbuffers must not replace TensorFlow's: python3 -m venv vela && "
            f"vela/bin/pip install ethos-u-vela && export {VELA_VARIABLE}=$PWD/vela/bin/vela",
        )
    return Path(found).absolute()


def compile_with_vela(model: bytes, accelerator: Accelerator, *, subject: str) -> Compiled:
    """Compile a model and read vela's report of it.

    Args:
        model: the bytes of a `.tflite` file whose tensors are all integers.
        accelerator: the NPU.
        subject: the model's name, for errors.

    Raises:
        ConversionError: the model does not consist of integers; or vela failed, was killed, took
            too long or wrote something unexpected.
        MissingExtraError: vela is not installed.
        ModelError: it is not a `.tflite` file, a damaged one, or one whose weights do not fit into
            its FlatBuffer.
        StorageError: no room for temporary files.
    """
    if not read_tflite(model, subject=subject).fully_integer:
        raise ConversionError(
            subject,
            got="has floating-point tensors",
            expected="integers from input to output, since the NPU computes nothing else",
            next_step="convert it to int8",
        )
    vela = find_vela()
    with tempfile.TemporaryDirectory(prefix="edgeinfer-vela-") as temporary:
        folder = Path(temporary)
        try:
            (folder / _MODEL).write_bytes(with_buffers_inside(model, subject=subject))
        except OSError as error:
            raise storage_error(folder, error) from error
        options = ["--accelerator-config", accelerator, "--output-dir", "out"]
        output = _run(vela, folder, subject, _MODEL, *options, "--verbose-performance")
        stem = Path(_MODEL).stem
        summary = _only(folder / "out", f"{stem}_summary_*.csv", subject)
        layers = _only(folder / "out", f"{stem}_per-layer.csv", subject)
        compiled = _only(folder / "out", f"{stem}_vela.tflite", subject)
        summary_csv, layers_csv = _text(summary), _text(layers)
        return Compiled(
            model=compiled.read_bytes(),
            report=parse_report(summary_csv, layers_csv, output),
            summary_csv=summary_csv,
            layers_csv=layers_csv,
            version=_run(vela, folder, "vela", "--version").strip(),
        )


def _run(vela: Path, folder: Path, subject: str, *arguments: str) -> str:
    """Run vela in `folder` and return what it printed on standard output."""
    # Variables for this Python must not affect vela's; tensors may have names in any script.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environ["PYTHONUTF8"] = "1"
    try:
        finished = run_to_end([vela, *arguments], limit_s=TIMEOUT_S, cwd=folder, env=environ)
    except OSError as error:
        raise ConversionError(
            str(vela),
            got=f"cannot be started ({error.strerror or error})",
            next_step="check it",
        ) from error
    end = finished.end
    if end.code is None:
        raise ConversionError(subject, got=f"vela {end.text}", next_step="use a smaller model")
    if end.signal is not None:
        raise ConversionError(
            subject,
            got=f"vela {end.text}",
            next_step="free some memory, or use a smaller model",
        )
    if end.code:
        raise ConversionError(
            subject,
            got=f"vela cannot compile it ({end.words or end.text})",
            next_step="change the layers it names",
        )
    return finished.stdout


def _only(folder: Path, pattern: str, subject: str) -> Path:
    """Return the one file of that name that vela should have written."""
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ConversionError(
            subject,
            got=f"vela wrote {len(found)} files named {pattern}",
            expected="one",
            next_step="use ethos-u-vela 5.2",
        )
    return found[0]


def _text(path: Path) -> str:
    # Unchanged bytes: newlines are part of the content of the bundle.
    return path.read_bytes().decode(errors="replace")
