"""Runner: one small interface for ai-edge-litert and tflite-runtime: the one that is installed."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.accelerators.registry import compiled_by
from edgeinfer.device.core.errors import MissingExtraError, ModelError
from edgeinfer.device.core.installation.advice import add_packages
from edgeinfer.device.core.tensors import KernelFamily, TensorDtype, TensorSpec
from edgeinfer.device.runtime.quiet_runtime import quiet_runtime
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite

RuntimeName = Literal["ai-edge-litert", "tflite-runtime"]
"""The package that runs a model, see `OpenOptions.runtime`."""

_MODULES: dict[RuntimeName, str] = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}
"""In order of preference: litert is as fast or faster everywhere that both run."""


def installed_runtimes() -> tuple[RuntimeName, ...]:
    """Return the runtimes that are installed, the preferred one first."""
    return tuple(
        name for name, module in _MODULES.items() if importlib.util.find_spec(module.split(".")[0])
    )


def choose_runtime(wanted: RuntimeName | None = None) -> RuntimeName:
    """Return the runtime to use: `wanted`, else `$EDGEINFER_RUNTIME`, else the preferred one.

    Raises:
        MissingExtraError: it is not installed, or none is.
    """
    installed = installed_runtimes()
    name = wanted or os.environ.get("EDGEINFER_RUNTIME") or (installed[0] if installed else None)
    if name is None:
        raise MissingExtraError(
            "runtime",
            got="ai-edge-litert and tflite-runtime are both absent",
            next_step=add_packages("ai-edge-litert"),
        )
    if name not in installed:
        raise MissingExtraError(
            "runtime",
            got=f"{name} is not installed",
            expected=f"one of {', '.join(installed) or 'none that is installed'}",
            next_step=add_packages(name),
        )
    return next(known for known in installed if known == name)


class ModelRunner(Protocol):
    """A loaded model that computes here, or with a delegate in another process.

    Attributes:
        runtime: the runtime in use.
        version: its version.
        kernels: the kernel family that computes what no delegate takes.
        inputs: specs of the inputs.
        outputs: specs of the outputs.
        graph: what the model contains.
        note: what people should know of how it runs, a sentence; empty for nothing.
    """

    runtime: RuntimeName
    version: str
    kernels: KernelFamily
    note: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    graph: TfliteModel

    @property
    def description(self) -> str:
        """What computes, on one line."""
        ...

    def invoke(self, tensors: Sequence[NDArray[Any]]) -> list[NDArray[np.generic]]:
        """Run the model once; see `Runner.invoke`."""
        ...

    def close(self) -> None:
        """Release what is held; closing twice is harmless."""
        ...


class Runner:
    """A model loaded into an interpreter in this process. Threads may share it: they take turns.

    Args:
        model: the `.tflite` file's bytes.
        subject: the file's name, for errors.
        threads: interpreter threads.
        runtime: which runtime; None takes the preferred one.
        kernels: `builtin` leaves XNNPACK out; None takes the runtime's default.
        note: see the attribute.
        delegate: an external delegate, as `load_delegate` gives it.
        graph: what `read_tflite` gave for these bytes, where they were read already.

    Raises:
        ModelError: the bytes are not a model, or this runtime cannot run it.
        MissingExtraError: no runtime is installed.

    Attributes:
        runtime: the runtime in use.
        version: its version.
        kernels: the kernel family that computes a fully quantized model's outputs.
        inputs: specs of the inputs.
        outputs: specs of the outputs.
        graph: what the model contains.
        note: what people should know of how it runs, a sentence; empty for nothing.
    """

    def __init__(
        self,
        model: bytes,
        *,
        subject: str,
        threads: int = 1,
        runtime: RuntimeName | None = None,
        kernels: KernelFamily | None = None,
        delegate: Any | None = None,
        graph: TfliteModel | None = None,
        note: str = "",
    ) -> None:
        self.note = note
        # Reading it refuses what runtimes crash on.
        self.graph = graph or read_tflite(model, subject=subject)
        self.runtime = choose_runtime(runtime)
        # The interpreter has one memory for inputs and outputs: a run is for one thread.
        self._in_a_run = threading.Lock()
        # tflite-runtime 2.14 runs INT8 on its builtin kernels, litert on XNNPACK.
        default: KernelFamily = "xnnpack" if self.runtime == "ai-edge-litert" else "builtin"
        self.kernels: KernelFamily = kernels or default
        module = _import_runtime(self.runtime)
        self.version = _version(self.runtime)
        resolver = module.OpResolverType.AUTO
        if kernels == "builtin":
            resolver = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        else:
            quiet_runtime(module)
        try:
            self._interpreter = module.Interpreter(
                model_content=model,
                num_threads=threads,
                experimental_op_resolver_type=resolver,
                experimental_delegates=None if delegate is None else [delegate],
            )
            self._interpreter.allocate_tensors()
            self._input_details = self._interpreter.get_input_details()
            self._output_details = self._interpreter.get_output_details()
        except (RuntimeError, ValueError, SystemError) as error:
            raise _load_error(subject, self.runtime, self.version, error) from error
        self.inputs = tuple(_spec(subject, detail) for detail in self._input_details)
        self.outputs = tuple(_spec(subject, detail) for detail in self._output_details)

    @property
    def description(self) -> str:
        """Runtime, version and kernels on one line."""
        return f"{self.runtime} {self.version} ({self.kernels})"

    def invoke(self, tensors: Sequence[NDArray[Any]]) -> list[NDArray[np.generic]]:
        """Run the model once.

        Args:
            tensors: one for each input, of its shape and dtype.

        Returns:
            A copy of each output.

        Raises:
            ModelError: the runtime failed.
        """
        try:
            with self._in_a_run:
                for detail, tensor in zip(self._input_details, tensors, strict=True):
                    self._interpreter.set_tensor(detail["index"], tensor)
                self._interpreter.invoke()
                # An output whose size is known only now may be one that numpy refuses.
                return [
                    self._interpreter.get_tensor(detail["index"]) for detail in self._output_details
                ]
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                "inference", got=f"{self.runtime} failed ({_first_line(error)})"
            ) from error

    def close(self) -> None:
        """Do nothing: the interpreter goes with its last user."""

    def invoke_again(self) -> None:
        """Run the model on the inputs of the last `invoke`; nothing is copied in or out.

        Raises:
            ModelError: the runtime failed.
        """
        try:
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                "inference", got=f"{self.runtime} failed ({_first_line(error)})"
            ) from error


def xnnpack_refuses(error: ModelError) -> bool:
    """Return whether it was XNNPACK that failed, so that the built-in kernels may run the model.

    It takes operators as a graph is split up that it cannot compute then, such as FULLY_CONNECTED
    of more than six axes (google/XNNPACK issue 11036).
    """
    text = f"{error.got} {error.__cause__ or ''}".lower()
    return "xnnpack" in text or "only supports static-sized tensors" in text


def runtime_version(name: RuntimeName) -> str:
    """Import a runtime and return its version.

    Raises:
        MissingExtraError: it does not import.
        ModelError: it would clash with TensorFlow, which this process has.
    """
    _import_runtime(name)
    return _version(name)


def load_delegate(name: RuntimeName, library: str, options: Mapping[str, str]) -> Any:
    """Load an external delegate into this process, which that may crash.

    Raises:
        MissingExtraError: the runtime does not import.
        OSError: the dynamic loader refuses the library.
        AttributeError: the library is not an external delegate.
        ValueError: the delegate refuses to start; with its reason, which may be empty.
    """
    return _import_runtime(name).load_delegate(library, dict(options))


def _import_runtime(name: RuntimeName) -> ModuleType:
    late = name == "tflite-runtime" and _MODULES[name] not in sys.modules
    if late and "tensorflow" in sys.modules:
        # Seen with 2.14 and TensorFlow 2.21: the first model ends the process, or finds no memory.
        raise ModelError(
            "runtime",
            got="TensorFlow was imported before tflite-runtime, and the two clash in one process",
            next_step="use ai-edge-litert, or import tflite_runtime.interpreter first",
        )
    try:
        return importlib.import_module(_MODULES[name])
    except ImportError as error:
        raise MissingExtraError(
            "runtime",
            got=f"{name} is installed but does not import ({_first_line(error)})",
            next_step=add_packages(name, force=True),
        ) from error


def _version(name: RuntimeName) -> str:
    """Return an imported runtime's version, without a search through what is installed."""
    package = sys.modules[_MODULES[name].split(".")[0]]
    version = getattr(package, "__version__", None)
    if version is None:
        from importlib import metadata

        version = metadata.version(name)
    return str(version)


def _spec(subject: str, detail: dict[str, Any]) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    try:
        return TensorSpec(
            name=str(detail["name"]),
            shape=tuple(int(size) for size in detail["shape"]),
            dtype=cast("TensorDtype", np.dtype(detail["dtype"]).name),
            scale=float(scale),
            zero_point=int(zero_point),
        )
    except ValueError as error:
        raise ModelError(subject, got=str(error)) from error


def _load_error(subject: str, runtime: str, version: str, error: Exception) -> ModelError:
    text = _first_line(error)
    next_step = "run `edgeinfer inspect` on it; convert it again for this runtime"
    if custom := re.search(r"unresolved custom op: ([^\s.]+)", str(error)):
        text = f"it needs the custom operator '{custom[1]}'"
        next_step = "use a form of the model without it, or a delegate that has it"
        if (maker := compiled_by(custom[1])) is not None:
            text = f"it was compiled for {maker.target}"
            next_step = f"use the model's CPU file{maker.cpu_file}"
    elif "returned a result with an exception set" in str(error):
        text = "this runtime was built against numpy 1"
        next_step = add_packages("numpy<2")
    return ModelError(
        subject, got=f"{runtime} {version} cannot load it ({text})", next_step=next_step
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
