"""Running an importer: a child process with a time limit, and what each of its ends means."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeinfer.converters.importers.child import (
    ChildEnd,
    isolated_command,
    isolated_environment,
    run_child,
)
from edgeinfer.device.core.errors import (
    ConversionError,
    EdgeinferError,
    ModelError,
    StorageError,
    storage_error,
)
from edgeinfer.device.core.model_file import read_model_file
from edgeinfer.device.tflite.reader import read_tflite

PROGRAM = Path(__file__).parent / "programs" / "main.py"
"""What runs in the importer's Python."""

MARK = "edgeinfer-answer "
"""What the line of its answer begins with; see `programs/main.py`."""

MOST_DIFFERENCE = 1e-3
"""How far a float model may be from its original, in parts of the largest output (or of 1, if that
is more). Correct ones differ by 1e-8 to 1e-5, a wrong order of axes by 0.1 and more."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_ERROR_LINE = re.compile(r"^\W*ERROR\W+(?P<text>.+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    """What to import, and by what.

    Attributes:
        importer: its name, for errors.
        python: its interpreter.
        program: what the interpreter runs, with the job as its argument.
        reader: the file in `programs` that reads such models.
        subject: the model's name in errors.
        model: its absolute path.
        function: the function to call, or empty.
        size: (height, width), where the model does not fix it.
        channels: of the input, where nothing else says it.
        limit_s: how long it may take.
    """

    importer: str
    python: Path
    program: Path = PROGRAM
    reader: str
    subject: str
    model: Path
    function: str = ""
    size: tuple[int, int] | None = None
    channels: int = 3
    limit_s: float


@dataclass(frozen=True, kw_only=True)
class Imported:
    """How an imported model compares with its original, on a random picture.

    Attributes:
        difference: the largest difference of two outputs.
        scale: the largest absolute value of the original's outputs.
    """

    difference: float
    scale: float


def run_importer(request: ImportRequest, output: Path) -> Imported:
    """Have an importer write a float `.tflite`.

    Args:
        request: what to import.
        output: the file to write; its folder also receives temporary files.

    Raises:
        ConversionError: the model cannot be taken, or the importer ended, took too long, or wrote
            something else. Then there is no file.
        StorageError: the disk is full. Then there is no file.
    """
    work = output.with_suffix(".import")
    try:
        work.mkdir()
    except OSError as error:
        raise storage_error(work, error) from error
    # It appears under its name only when it is known to be a model.
    draft = work / "draft.tflite"
    try:
        imported = _answer(request, _run(request, draft, work))
        _require_model(request, draft)
        draft.rename(output)
    except OSError as error:
        raise storage_error(output, error) from error
    return imported


def _run(request: ImportRequest, draft: Path, work: Path) -> ChildEnd:
    job = {
        "reader": request.reader,
        "model": str(request.model),
        "function": request.function,
        "size": request.size,
        "channels": request.channels,
        "work": str(work),
        "output": str(draft),
        "programs": str(request.python.parent),
    }
    command = isolated_command(request.python, request.program, json.dumps(job))
    environment = isolated_environment(TMPDIR=str(work), TQDM_DISABLE="1")
    # The user's function may read its weights from here; nothing is imported from here.
    here = Path.cwd() if request.function else None
    try:
        return run_child(command, limit_s=request.limit_s, environment=environment, folder=here)
    except OSError as error:
        raise ConversionError(
            request.subject,
            got=f"{request.importer} cannot be started ({(error.strerror or str(error)).lower()})",
            next_step=f"remove {request.python.parents[1]}, and it is installed again",
        ) from error


def _answer(request: ImportRequest, done: ChildEnd) -> Imported:
    """Return what the importer reports, or raise what it means."""
    output = _COLOURS.sub("", done.output)
    answer = _last_answer(output) if done.end.code == 0 else None
    if answer is None:
        raise _ended(request, done, output)
    if "refused" in answer:
        parts = {key: str(value) for key, value in answer["refused"].items()}
        raise EdgeinferError.from_dict({**parts, "code": "conversion", "subject": request.subject})
    if "failed" in answer:
        if answer.get("full"):
            raise _full(request)
        errors = _ERROR_LINE.findall(output)
        reason = answer["failed"] or (errors[-1].strip() if errors else "it gives no reason")
        raise ConversionError(
            request.subject, got=f"{request.importer} cannot convert it ({str(reason)[:1500]})"
        )
    imported = Imported(difference=float(answer["difference"]), scale=float(answer["scale"]))
    limit = MOST_DIFFERENCE * max(1.0, imported.scale)
    if not imported.difference <= limit:
        raise ConversionError(
            request.subject,
            got=f"the answers of what {request.importer} made differ by {imported.difference:.2g} "
            f"from the original's, which reach {imported.scale:.2g}",
            expected=f"at most {limit:.2g}",
        )
    return imported


def _last_answer(output: str) -> Mapping[str, Any] | None:
    """Return the answer; None where there is none of the form that `programs/main.py` prints."""
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    try:
        answer = json.loads(lines[-1].removeprefix(MARK))
    except (IndexError, ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    numbers = (answer.get("difference"), answer.get("scale"))
    if isinstance(answer.get("refused"), dict) or isinstance(answer.get("failed"), str):
        return answer
    return answer if all(isinstance(number, (int, float)) for number in numbers) else None


def _ended(request: ImportRequest, done: ChildEnd, output: str) -> EdgeinferError:
    """Return the error for a process that ended without an answer."""
    if _FULL.search(output):
        return _full(request)
    next_step = ""
    if done.end.code is None:
        next_step = "give it more time with --import-timeout"
    elif done.end.signal == signal.SIGKILL:
        next_step = "the system may have ended it because memory was full: close other programs"
    what = "ended without an answer" if done.end.code == 0 else done.end.text
    return ConversionError(request.subject, got=f"{request.importer} {what}", next_step=next_step)


def _full(request: ImportRequest) -> StorageError:
    return StorageError(
        request.subject,
        got=f"{request.importer} cannot write (no space left on device)",
        next_step="free some space, or set TMPDIR to a folder on another disk",
    )


def _require_model(request: ImportRequest, draft: Path) -> None:
    try:
        read_tflite(read_model_file(draft), subject=request.subject)
    except ModelError as error:
        raise ConversionError(
            request.subject, got=f"{request.importer} wrote no usable .tflite model ({error.got})"
        ) from error
