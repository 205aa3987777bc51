"""Which models an importer reads, what the user said about them, and reading them.

An ONNX file is read by onnx2tf. An exported program of PyTorch (`.pt2`), and the module that a
function of a Python file returns, are read by litert-torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.importers.child import this_python
from edgeinfer.converters.importers.environment import EnvironmentPlan, make_environment
from edgeinfer.converters.importers.interpreter import find_python
from edgeinfer.converters.importers.pins import LITERT_TORCH, ONNX2TF, ONNX2TF_PYTHONS
from edgeinfer.converters.importers.run import ImportRequest, run_importer
from edgeinfer.converters.importers.torch_file import refuse_torch_file
from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.core.model_file import recognize

IMPORT_TIMEOUT_S = 900.0
"""How long an importer may take for one model; a MobileNetV2 takes half a minute on two cores."""

ImportKind = Literal["onnx", "pt2", "function"]

_FUNCTION = re.compile(r"(?P<path>.+\.py):(?P<function>[A-Za-z_]\w*)", re.DOTALL)
_EXPECTED = (
    "a folder that `edgeinfer train` made, a .keras, .h5, float .tflite, .onnx or .pt2 file, "
    "model.py:function, or a SavedModel"
)
_BY_NAME: dict[str, ImportKind] = {".onnx": "onnx", ".pt2": "pt2"}

ONNX_PLAN = EnvironmentPlan(
    name="onnx2tf",
    purpose="reads ONNX models",
    packages=ONNX2TF,
    python=partial(find_python, "onnx2tf", ONNX2TF_PYTHONS),
    size_mb=570,
    time_s=90,
)

TORCH_PLAN = EnvironmentPlan(
    name="litert-torch",
    purpose="reads PyTorch models",
    packages=LITERT_TORCH,
    python=lambda progress: this_python(),
    size_mb=2140,
    time_s=120,
    advice="set PIP_EXTRA_INDEX_URL to PyTorch's own index of builds for CPUs, which its "
    "installation page names, and run this again",
)


@dataclass(frozen=True, kw_only=True)
class ImportedModel:
    """A model that an importer reads.

    Attributes:
        path: the file.
        kind: what it is.
        function: for "function" its name, else empty.
    """

    path: Path
    kind: ImportKind
    function: str = ""

    @property
    def name(self) -> str:
        """What a bundle of it is called."""
        return self.path.stem

    @property
    def subject(self) -> str:
        """Its name in errors."""
        return f"{self.path}:{self.function}" if self.function else str(self.path)


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What the user said about the import.

    Attributes:
        size: (height, width) of the input, for a model that does not fix it.
        channels: of the input, where the model and an example do not say it.
        timeout_s: how long the importer may take.
    """

    size: tuple[int, int] | None = None
    channels: Literal[1, 3] = 3
    timeout_s: float = IMPORT_TIMEOUT_S


def find_imported(path: Path) -> ImportedModel | None:
    """Return the model if an importer reads such ones; None for all others.

    Raises:
        ModelError: it cannot be read, or is a file of PyTorch that no importer takes.
    """
    match = _FUNCTION.fullmatch(str(path))
    if match is not None and not path.exists():
        file = Path(match["path"])
        if not file.is_file():
            raise ModelError(
                file,
                got="is not a file",
                expected="a Python file, as in model.py:function",
                next_step="check the path",
            )
        return ImportedModel(path=file, kind="function", function=match["function"])
    kind = recognize(path, expected=_EXPECTED).kind
    if kind in ("torch", "torchscript"):
        raise refuse_torch_file(path, script=kind == "torchscript")
    if kind in ("onnx", "pt2"):
        return ImportedModel(path=path, kind=kind)
    # A damaged one is the importer's to judge.
    by_name = _BY_NAME.get(path.suffix.lower()) if kind == "unknown" else None
    return None if by_name is None else ImportedModel(path=path, kind=by_name)


def import_options(
    model: ImportedModel | None,
    size: tuple[int, int] | None,
    timeout_s: float | None,
    *,
    grey: bool,
) -> ImportOptions:
    """Return what the user said about the import.

    Args:
        model: the model; None for one that no importer reads.
        size: (width, height) as --input-size says, if it is given.
        timeout_s: the value of --import-timeout, if it is given.
        grey: the input has one channel, if the model does not say.

    Raises:
        UsageError: the time is given for a model that no importer reads.
    """
    if model is None and timeout_s is not None:
        raise UsageError(
            "--import-timeout",
            got="is given for a model that no importer reads",
            expected="an ONNX or PyTorch model",
            next_step="leave it out",
        )
    return ImportOptions(
        size=None if size is None else (size[1], size[0]),
        channels=1 if grey else 3,
        timeout_s=IMPORT_TIMEOUT_S if timeout_s is None else timeout_s,
    )


def import_to_tflite(
    model: ImportedModel,
    options: ImportOptions,
    folder: Path,
    progress: Progress,
) -> Path:
    """Return the path of a float `.tflite` with NHWC, made of the model by its importer.

    Args:
        model: what to read.
        options: what the user said about it.
        folder: receives the file and the importer's temporary files.
        progress: receives what is said, also before an environment is made.

    Raises:
        ConversionError: the importer cannot read the model, ends, takes too long, or writes
            something else than the model.
        MissingExtraError: its environment cannot be made.
        StorageError: the disk is full.
    """
    plan = ONNX_PLAN if model.kind == "onnx" else TORCH_PLAN
    made = make_environment(plan, progress)
    if model.function:
        progress.say(f"{model.subject}: your own code runs in the importer's process")
    progress.start(f"read the model by {plan.name}")
    output = folder / f"{model.name}.tflite"
    imported = run_importer(
        ImportRequest(
            importer=plan.name,
            python=made.python,
            reader="read_onnx" if model.kind == "onnx" else "read_torch",
            subject=model.subject,
            model=model.path.absolute(),
            function=model.function,
            size=options.size,
            channels=options.channels,
            limit_s=options.timeout_s,
        ),
        output,
    )
    progress.say(
        f"{plan.name} has read {model.subject}: the answers to a random picture differ by at most "
        f"{imported.difference:.1e} from the original's, which reach {imported.scale:.3g}"
    )
    return output
