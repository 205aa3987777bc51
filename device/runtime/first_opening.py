"""Trying a model in a separate process, before this installation opens it for the first time.

The tables of operators do not cover everything that makes a kernel fail. So what this installation
has not opened before is opened by a child first, with limits on memory and processor time, and run
on a few made-up inputs. A model that ends the child is refused with one line; one that does not is
remembered by a hash of its bytes, so that later openings cost a hash.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.files import cache_home
from edgeinfer.device.core.processes import python_command, safe_environment, signal_name
from edgeinfer.device.core.tensors import KernelFamily
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import Runner, RuntimeName, choose_runtime, runtime_version
from edgeinfer.device.tflite.activation_memory import peak_activation
from edgeinfer.device.tflite.edits.fixed_size import with_bounds
from edgeinfer.device.tflite.macs import model_macs
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from edgeinfer.device.tflite.safety.operators import uncovered_operators

_CHILD = "edgeinfer.device.runtime.first_opening_child"

_BUILTIN: KernelFamily = "builtin"
_WITHOUT_XNNPACK = "XNNPACK refuses this model: the runtime's built-in kernels run it"
_FORM = "1"
"""Raised when the child looks for more: what was remembered before counts no longer."""
_MOST_REMEMBERED = 2000
_SPARE_BYTES = 256 * 2**20
_MOST_COPIES = 6
"""What the child may take: this much, and six times the tensors. A runtime turns 16-bit weights
into 32 bits and packs them again, which makes five of one."""
_LEAST_CPU_S = 6
_MOST_CPU_S = 3600
_MACS_A_SECOND = 10e6
_BYTES_A_SECOND = 2e6
"""Far below what the slowest board reaches (Raspberry Pi Zero 2 W: hundreds of millions); not all
that takes time multiplies."""
_WALL_FACTOR = 20
"""How much longer than its processor time a child may take on a busy machine."""


def open_on_cpu(
    content: bytes,
    options: OpenOptions | None = None,
    *,
    subject: str,
    kernels: KernelFamily | None = None,
    graph: TfliteModel | None = None,
) -> Runner:
    """Open a model that may come from anyone; `Runner` alone opens what edgeinfer made itself.

    Args:
        content: the `.tflite` file's bytes.
        options: how it is opened.
        subject: the file's name, for errors.
        kernels: see `Runner`.
        graph: what `read_tflite` gave for these bytes, where they were read already.

    Raises:
        ModelError: the bytes are not a model, this runtime cannot run it, it has operators that are
            not covered, needs more memory than there is, or ended the child.
        MissingExtraError: no runtime is installed.
    """
    options = options or OpenOptions()
    graph = graph or read_tflite(content, subject=subject)
    instead = ensure_opens(content, graph, options, subject=subject, kernels=kernels)
    return Runner(
        content,
        subject=subject,
        threads=options.thread_count,
        runtime=options.runtime,
        kernels=instead or kernels,
        graph=graph,
        note=_WITHOUT_XNNPACK if instead else "",
    )


def ensure_opens(
    content: bytes,
    graph: TfliteModel,
    options: OpenOptions,
    *,
    subject: str,
    kernels: KernelFamily | None = None,
) -> KernelFamily | None:
    """Try a model in a child, unless this installation has opened it before; see `open_on_cpu`.

    Returns:
        The kernels that run it where XNNPACK refuses it and `kernels` is None; else None.
    """
    uncovered = uncovered_operators(graph)
    if uncovered and not options.trust:
        raise ModelError(
            subject,
            got=f"has operators that edgeinfer cannot check: {', '.join(uncovered)}",
            next_step="if you know who made the file, open it with --trust",
        )
    name = choose_runtime(options.runtime)
    _check_memory(needed_bytes(graph), subject)
    record = _record(content, name, kernels)
    if record.exists():
        return _BUILTIN if record.stat().st_size else None
    job = {
        "subject": subject,
        "threads": options.thread_count,
        "runtime": name,
        "kernels": kernels,
        **limits(graph),
    }
    instead = _try(content, job, meanwhile=lambda: runtime_version(name))
    _remember(record, instead or "")
    return instead


def _try(
    content: bytes, job: dict[str, Any], *, meanwhile: Callable[[], object]
) -> KernelFamily | None:
    """Have a child open and run the model.

    Returns:
        The kernels that ran it, where XNNPACK refused it and the job leaves that open.

    Raises:
        ModelError: it could not, or died.
    """
    import subprocess  # it imports much, and later openings start nothing

    subject = job["subject"]
    model = os.memfd_create("edgeinfer-model", os.MFD_CLOEXEC)
    try:
        with open(model, "wb", closefd=False) as stream:
            stream.write(content)
        process = subprocess.Popen(
            python_command("-m", _CHILD, str(model), str(os.getpid()), json.dumps(job)),
            env=safe_environment(**heap_checks()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            pass_fds=(model,),
            # A separate group, which the terminal's Ctrl-C does not reach.
            start_new_session=True,
        )
    except OSError as error:
        if error.errno == errno.ENOEXEC:
            # This Python runs in an emulator of processes, which cannot start another: what a model
            # ends there is the emulation.
            return None
        reason = (error.strerror or str(error)).lower()
        raise ModelError(
            subject, got=f"cannot be tried in a separate process ({reason})"
        ) from error
    finally:
        os.close(model)
    with process:
        try:
            meanwhile()  # what takes time here takes none while the child does the same
            said, _ = process.communicate(timeout=job["most_cpu_s"] * _WALL_FACTOR)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise _refused(subject, "did not end its first run in time", job) from None
        except BaseException:
            process.kill()
            raise
    return _judge(subject, process.returncode, said, job)


def _judge(subject: str, code: int, said: str, job: dict[str, Any]) -> KernelFamily | None:
    if code == 0:
        return _BUILTIN if said.strip() == _BUILTIN else None
    if code == -signal.SIGXCPU:
        raise _refused(subject, "did not end its first run in time", job)
    if code < 0:
        raise _refused(subject, f"crashed ({signal_name(-code)})", job)
    try:
        told = json.loads(said.strip().splitlines()[-1])
        raise ModelError(subject, got=told["got"], next_step=told["next_step"])
    except (ValueError, LookupError, TypeError):
        raise _refused(subject, f"ended with exit code {code}", job) from None


def _refused(subject: str, how: str, job: dict[str, Any]) -> ModelError:
    return ModelError(
        subject,
        got=f"is refused: the process that tried it first {how}, with {job['runtime']}",
        next_step="fetch or convert the model again",
    )


def heap_checks() -> dict[str, str]:
    """Return what makes the C library end a child that wrote beyond a block of memory."""
    # glibc has these checks in a separate library since 2.34; where it is absent, a line on the
    # child's stderr, which nobody reads, is all that happens.
    preloaded = os.environ.get("LD_PRELOAD", "")
    return {
        "LD_PRELOAD": " ".join(filter(None, [preloaded, "libc_malloc_debug.so.0"])),
        "MALLOC_CHECK_": "3",
    }


def limits(graph: TfliteModel) -> dict[str, int]:
    """Return what a child may take beyond what Python and the runtime do: bytes, and seconds."""
    # The file of a model of any size states 1 for sizes that its input decides.
    graph = with_bounds(graph)
    needed = needed_bytes(graph)
    work_s = model_macs(graph) / _MACS_A_SECOND + needed / _BYTES_A_SECOND
    return {
        "most_bytes": _MOST_COPIES * needed + _SPARE_BYTES,
        "most_cpu_s": min(_LEAST_CPU_S + int(work_s), _MOST_CPU_S),
    }


def needed_bytes(graph: TfliteModel) -> int:
    """Return what the model's tensors take at least, constants included."""
    return peak_activation(graph).size_bytes + graph.constant_bytes


def _check_memory(needed: int, subject: str) -> None:
    available = _available_bytes()
    if available is not None and needed > available:
        raise ModelError(
            subject,
            got=f"its tensors take {needed / 2**20:,.0f} MiB",
            expected=f"at most the {available / 2**20:,.0f} MiB that are free here",
            next_step="use a smaller model or input size, or another machine",
        )


def _available_bytes() -> int | None:
    """Return the memory that is free; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        text = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(text.split()[1]) * 1024
    except (OSError, StopIteration, ValueError, IndexError):
        return None


def _record(content: bytes, runtime: RuntimeName, kernels: KernelFamily | None) -> Path:
    """Return the file that stands for a model that was opened with a runtime."""
    # Several times as fast as SHA-256 on boards whose processors have no instructions for that.
    digest = hashlib.blake2b(content, digest_size=32)
    digest.update(f"\0{_FORM} {runtime} {runtime_version(runtime)} {kernels}".encode())
    return cache_home() / "opened" / digest.hexdigest()


def _remember(record: Path, content: str) -> None:
    """Make the file; where that fails, the model is tried again the next time."""
    with suppress(OSError):
        record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if record.parent.stat().st_uid != os.geteuid():
            return
        record.touch(mode=0o600)
        if content:
            record.write_text(content)
        _forget_oldest(record.parent)


def _forget_oldest(folder: Path) -> None:
    records = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for record in records[:-_MOST_REMEMBERED]:
        record.unlink(missing_ok=True)
