"""Which `.tflite` files the two runtimes can load: by a table of operator versions, and by trial.

The TensorFlow converter gives every operator the lowest version that has the features used; a
runtime refuses the whole file if one of them is missing. The table tells before deployment, also
for a runtime that is not installed here (tflite-runtime has no wheel for Python 3.12 and later).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import get_args

from edgeinfer.converters.runtime_support.op_table import HIGHEST_VERSIONS, LOWEST_VERSIONS
from edgeinfer.device.accelerators.registry import compiled_by
from edgeinfer.device.core.errors import ConversionError, ModelError
from edgeinfer.device.core.processes import python_command, run_to_end, safe_environment
from edgeinfer.device.runtime.runner import RuntimeName, installed_runtimes
from edgeinfer.device.tflite.model import OperatorCode, TfliteModel
from edgeinfer.device.tflite.reader import read_tflite

RUNTIMES: tuple[RuntimeName, ...] = get_args(RuntimeName)
TABLE_VERSIONS: dict[RuntimeName, str] = {"ai-edge-litert": "2.1", "tflite-runtime": "2.14"}
"""The release whose operators the table lists, for each runtime."""

LOAD_TIMEOUT_S = 120.0
"""Far longer than any image model takes to load and allocate."""

# Custom operators that both runtimes include, in any version.
_CUSTOM_OPS = {"NumericVerify", "Mfcc", "AudioSpectrogram", "TFLite_Detection_PostProcess"}

_LOADER = """
import sys
from importlib import import_module
try:
    interpreter = import_module(sys.argv[1]).Interpreter(model_content=sys.stdin.buffer.read())
    interpreter.allocate_tensors()
except Exception as error:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    sys.exit("refused: " + (lines[0] if lines else type(error).__name__))
"""


@dataclass(frozen=True, kw_only=True)
class OpIssue:
    """An operator that a runtime does not have, or not in that version.

    Attributes:
        runtime: the runtime.
        op: the operator; for a custom operator its own name.
        version: the version that the file asks for.
        custom: it is a custom operator.
        supported: (lowest, highest) version that the runtime has; None where it has none.
    """

    runtime: RuntimeName
    op: str
    version: int
    custom: bool
    supported: tuple[int, int] | None

    @property
    def reason(self) -> str:
        """The issue on one line."""
        runtime = f"{self.runtime} {TABLE_VERSIONS[self.runtime]}"
        maker = compiled_by(self.op) if self.custom else None
        if maker is not None:
            return f"{self.op} is compiled for {maker.target} and needs its delegate"
        if self.supported is None:
            kind = "custom operator " if self.custom else ""
            return f"{runtime} has no {kind}{self.op}"
        return f"{runtime} has {self.op} up to version {self.supported[1]}, not {self.version}"


@dataclass(frozen=True, kw_only=True)
class LoadCheck:
    """Whether one runtime can load a model.

    Attributes:
        runtime: the runtime.
        issues: the operators that the table does not allow.
        installed: the version that was tried here; None if it is not installed and only the table
            decides.
        refusal: why the trial failed; None if it passed, or there was none.
    """

    runtime: RuntimeName
    issues: tuple[OpIssue, ...]
    installed: str | None
    refusal: str | None

    @property
    def ok(self) -> bool:
        """True if the table and the trial both allow it."""
        return not self.issues and self.refusal is None

    @property
    def reason(self) -> str:
        """Why it cannot be loaded, on one line; empty if it can."""
        if self.issues:
            return "; ".join(issue.reason for issue in self.issues)
        return "" if self.refusal is None else f"{self.runtime} {self.installed}: {self.refusal}"


def supported_versions(op: str, runtime: RuntimeName) -> tuple[int, int] | None:
    """Return the (lowest, highest) version of a built-in operator that a runtime has, or None."""
    older, newer = HIGHEST_VERSIONS.get(op, (0, 0))
    highest = older if runtime == "tflite-runtime" else newer
    return (LOWEST_VERSIONS.get(op, 1), highest) if highest else None


def check_ops(
    model: TfliteModel, runtimes: Sequence[RuntimeName] = RUNTIMES
) -> tuple[OpIssue, ...]:
    """Return the operators that keep the runtimes from loading a model, by the table.

    Every operator that the file declares counts, as it does for the runtimes, used or not.
    """
    codes = dict.fromkeys(model.operator_codes)
    return tuple(
        issue for runtime in runtimes for code in codes if (issue := _issue(code, runtime))
    )


def load_check(model: bytes, *, subject: str) -> tuple[LoadCheck, ...]:
    """Return for each runtime whether it can load a model.

    Each installed runtime loads it and allocates its tensors, in a separate process: a crash of
    native code there is reported as a refusal.

    Args:
        model: the `.tflite` file's bytes.
        subject: its name, for errors.

    Raises:
        ModelError: it is not a `.tflite` file, or a damaged one.
    """
    content = read_tflite(model, subject=subject)
    installed = installed_runtimes()
    return tuple(
        LoadCheck(
            runtime=runtime,
            issues=check_ops(content, (runtime,)),
            installed=metadata.version(runtime) if runtime in installed else None,
            refusal=_refusal(model, runtime) if runtime in installed else None,
        )
        for runtime in RUNTIMES
    )


def require_loadable(model: bytes, *, subject: str) -> None:
    """Refuse a converted model that one of the two runtimes cannot load.

    Raises:
        ConversionError: naming the operator or the runtime's own words.
        ModelError: it is not a `.tflite` file, or a damaged one.
    """
    failed = [check for check in load_check(model, subject=subject) if not check.ok]
    if failed:
        raise ConversionError(
            subject,
            got="; ".join(check.reason for check in failed),
            expected="operators that tflite-runtime 2.14 and ai-edge-litert both have",
            next_step="convert to full INT8, or replace the layers that these operators come from",
        )


def _issue(code: OperatorCode, runtime: RuntimeName) -> OpIssue | None:
    if code.custom:
        supported = None
        fits = code.op in _CUSTOM_OPS
    else:
        supported = supported_versions(code.op, runtime)
        fits = supported is not None and supported[0] <= code.version <= supported[1]
    if fits:
        return None
    return OpIssue(
        runtime=runtime,
        op=code.op,
        version=code.version,
        custom=code.custom,
        supported=supported,
    )


def _refusal(model: bytes, runtime: RuntimeName) -> str | None:
    """Return why an installed runtime does not load a model; None if it does."""
    module = runtime.replace("-", "_") + ".interpreter"
    try:
        command = python_command("-W", "ignore", "-c", _LOADER, module)
        end = run_to_end(command, limit_s=LOAD_TIMEOUT_S, given=model, env=safe_environment()).end
    except OSError as error:
        raise ModelError(runtime, got=f"cannot be tried here ({error})") from error
    if end.code == 0:
        return None
    if end.code is None:
        return f"did not load it within {LOAD_TIMEOUT_S:.0f} s"
    # The runtimes log to the same stream first; the last line comes from the script above.
    if end.signal is None and end.words:
        return end.words
    return f"its process {end.text}"
