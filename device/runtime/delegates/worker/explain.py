"""Why a delegate did not load, as a sentence with the known cause and what helps."""

from __future__ import annotations

import re
from pathlib import Path

from edgeinfer.device.accelerators.accelerator import Accelerator, Device
from edgeinfer.device.core.errors import DelegateError
from edgeinfer.device.core.installation.advice import add_packages
from edgeinfer.device.runtime.delegates.find import find_library
from edgeinfer.device.runtime.delegates.spec import DelegateSpec
from edgeinfer.device.runtime.delegates.worker.process import WorkerStartError
from edgeinfer.device.runtime.runner import RuntimeName

_CRASHES = re.compile(r"was ended by (SIGSEGV|SIGABRT|SIGBUS|SIGILL|SIGFPE|SIGTRAP)")


def explain(
    delegate: DelegateSpec,
    failure: WorkerStartError,
    *,
    runtime: RuntimeName,
    root: Path = Path("/"),
) -> DelegateError:
    """Return the error that says why a delegate did not load, and what helps.

    Args:
        delegate: what should have been loaded.
        failure: what happened to the worker.
        runtime: which runtime was to load it.
        root: of the file system, for tests.
    """
    if failure.how == "hung":
        got, next_step = _hung(delegate, failure)
    elif failure.how == "died":
        got, next_step = _died(delegate, failure, runtime)
    elif failure.kind == "OSError":
        got, next_step = _not_loaded(delegate, failure.text, root)
    elif failure.kind == "AttributeError":
        got = "is not a TFLite delegate: it does not have tflite_plugin_create_delegate"
        next_step = "name a library that was built as an external delegate"
    elif failure.kind == "MissingExtraError":
        got, next_step = failure.text, add_packages(runtime)
    elif failure.stage == "delegate":
        got, next_step = _refused(delegate, failure.text, root)
    elif failure.stage == "first run":
        got, next_step = f"failed in its first run ({failure.text})", _try_cpu()
    else:
        got, next_step = f"does not take the model: {failure.text}", _try_cpu()
    return DelegateError(str(delegate), got=got, next_step=next_step)


def not_installed(delegate: DelegateSpec) -> DelegateError:
    """Return the error for a delegate whose library is nowhere."""
    known = delegate.known
    next_step = "check the path" if known is None else known.package
    return DelegateError(str(delegate), got="is not installed", next_step=next_step)


def _not_loaded(delegate: DelegateSpec, text: str, root: Path) -> tuple[str, str]:
    """Read what the dynamic loader says."""
    missing = re.search(r"([^\s:]+): cannot open shared object file", text)
    if missing is not None and Path(missing[1]).name != Path(delegate.library).name:
        return (
            f"needs {missing[1]}, which is not installed",
            "install the package that has that library",
        )
    if missing is not None and find_library(delegate.library, root=root) is None:
        error = not_installed(delegate)
        return error.got, error.next_step
    if "wrong ELF class" in text or "cannot open shared object file" in text:
        return "is built for another processor, or 32 bits for 64", "install this machine's build"
    if "invalid ELF header" in text or "file too short" in text:
        return "is not a shared library", "install it again"
    needed = re.search(r"version `(\w+_[0-9.]+)' not found", text)
    if needed is not None:
        return f"needs {needed[1]}, newer than this system has", "install a build for this system"
    undefined = re.search(r"undefined symbol: (\S+)", text)
    if undefined is not None:
        got = f"needs the symbol {undefined[1]}, which this system does not have"
        return got, "install a build for this system"
    return f"cannot be loaded ({_line(text)})", "check the file"


def _refused(delegate: DelegateSpec, text: str, root: Path) -> tuple[str, str]:
    """Read what the delegate says; libedgetpu says nothing."""
    reason = _line(text.partition("\n")[2])
    if delegate.options and "option" in reason:
        return f"refuses its options ({reason})", "check --delegate-option"
    known = delegate.known
    devices = None if known is None else known.devices(root)
    told = f" ({reason})" if reason else ""
    if known is not None and devices is not None:
        if not devices:
            return _no_device(known, told)
        if not any(device.usable for device in devices):
            return _no_permission(known, devices[0], told)
    if reason:
        return f"does not start ({reason})", "check its options and its device"
    if devices:
        wanted = dict(delegate.options).get("device", "")
        if wanted.startswith(("usb:", "pci:")) and wanted not in {d.name for d in devices}:
            return (
                f"finds no {wanted}",
                f"choose one of {', '.join(device.name for device in devices)}",
            )
        return (
            f"does not start, though {devices[0].name} is there",
            "end other programs that use it, or unplug it and plug it in again",
        )
    return "does not start, and gives no reason", "check its options and its device"


def _no_device(known: Accelerator, told: str) -> tuple[str, str]:
    node = known.nodes[0] if len(known.nodes) == 1 else "a device file"
    return (
        f"finds no {known.title}{told}",
        known.when_absent or f"load its kernel driver, which makes {node}",
    )


def _no_permission(known: Accelerator, device: Device, told: str) -> tuple[str, str]:
    where = f"{device.node}" if device.node is not None else device.name
    if device.group is None:
        return f"may not use {where}{told}", f"give this user the right to read and write {where}"
    return (
        f"may not use {where}{told}",
        f"run `sudo usermod -aG {device.group} $USER` and log in again{known.when_denied}",
    )


def _died(
    delegate: DelegateSpec, failure: WorkerStartError, runtime: RuntimeName
) -> tuple[str, str]:
    moment = {
        "start": "before it began",
        "runtime": f"while {runtime} was imported",
        "delegate": "while it was loaded",
        "model": "while it took the model",
        "first run": "in its first run",
    }[failure.stage]
    got = f"the process {failure.text} {moment}"
    if failure.stage in ("start", "runtime"):
        return got, "see `edgeinfer doctor`"
    known = delegate.known
    if known is not None and _CRASHES.search(failure.text):
        explained = known.explain_crash(got, f"{runtime} {failure.version}")
        if explained is not None:
            return explained
    said = _line(failure.log.strip().rpartition("\n")[2])
    return (
        f"crashed ({got}{f': {said}' if said else ''})",
        f"install a build of it for {runtime} {failure.version}",
    )


def _hung(delegate: DelegateSpec, failure: WorkerStartError) -> tuple[str, str]:
    moment = {
        "delegate": "loading it did not end",
        "model": "it did not finish taking the model",
        "first run": "its first run did not end",
    }.get(failure.stage, "its worker process did not start")
    known = delegate.known
    next_step = Accelerator.when_hung if known is None else known.when_hung
    return f"{moment} {failure.text}", next_step


def _try_cpu() -> str:
    return "convert the model again for it, or leave the delegate out"


def _line(text: str) -> str:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    return lines[0][:300] if lines else ""
