"""One worker process, from its start to its end, as the program that needs it sees it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from edgeinfer.boards.schema import build
from edgeinfer.device.core.closing import Closing
from edgeinfer.device.core.processes import python_command, safe_environment, signal_name
from edgeinfer.device.core.tensors import KernelFamily, TensorSpec
from edgeinfer.device.runtime.delegates.spec import DelegateSpec
from edgeinfer.device.runtime.delegates.worker.messages import (
    DONE,
    FAILED,
    JOB,
    MAX_MESSAGE,
    MEMORY,
    READY,
    REFUSED,
    RUN,
    STAGE,
    number_of,
    numbered,
    socket_pair,
    text_of_numbered,
)
from edgeinfer.device.runtime.delegates.worker.shared_tensors import create_memory, map_tensors
from edgeinfer.device.runtime.runner import RuntimeName

_WORKER = "edgeinfer.device.runtime.delegates.worker.main"

_KILL_LIMIT_S = 5.0
"""How long a killed worker is waited for: one that a driver holds in the kernel does not end."""

_LOG_BYTES = 4000
"""How much of what a worker wrote on stderr is looked at."""


@dataclass(frozen=True, kw_only=True)
class WorkerJob:
    """What a worker is to load.

    Attributes:
        delegate: the delegate.
        runtime: which runtime loads it.
        model: a descriptor of the model's bytes; None to load the delegate alone.
        subject: the model's name, for errors.
        threads: interpreter threads, for what the delegate leaves to the CPU.
    """

    delegate: DelegateSpec
    runtime: RuntimeName
    model: int | None
    subject: str
    threads: int = 1

    def to_message(self) -> bytes:
        """Return what the worker is sent."""
        document = {
            "library": self.delegate.library,
            "options": self.delegate.options,
            "runtime": self.runtime,
            "subject": self.subject,
            "threads": self.threads,
        }
        return JOB + json.dumps(document).encode()


Stage = Literal["start", "runtime", "delegate", "model", "first run"]
"""What a worker was about when it failed to start."""

How = Literal["refused", "died", "hung"]


class WorkerStartError(Exception):
    """A worker did not come up.

    Attributes:
        stage: what it was about.
        how: `refused` with an exception, `died`, or `hung` until it was killed.
        kind: the exception's class; empty unless it refused.
        text: the exception's text, or how it died.
        version: the runtime's; empty where that was not loaded.
        log: the last lines that it wrote on stderr.
    """

    def __init__(
        self, *, stage: Stage, how: How, kind: str, text: str, version: str, log: str
    ) -> None:
        self.stage = stage
        self.how = how
        self.kind = kind
        self.text = text
        self.version = version
        self.log = log
        super().__init__(f"{how} at {stage}: {kind} {text}".strip())


class WorkerLostError(Exception):
    """A worker gave no answer: it `died`, `hung`, or `failed` with an error; and how, in words."""

    def __init__(self, how: Literal["died", "hung", "failed"], text: str) -> None:
        self.how = how
        self.text = text
        super().__init__(text)


class WorkerProcess(Closing):
    """A process with a delegate and, unless that is only tried, a model; to be loaded first.

    The thread that makes it must live as long as it: the kernel ends the process with that
    thread.

    Args:
        job: what to load.

    Raises:
        OSError: no process can be started.

    Attributes:
        version: the runtime's.
        kernels: the kernel family that computes what the delegate leaves.
        inputs: specs of the inputs.
        outputs: specs of the outputs.
    """

    def __init__(self, job: WorkerJob) -> None:
        self._job = job
        self.version = ""
        self.kernels: KernelFamily = "builtin"
        self.inputs: tuple[TensorSpec, ...] = ()
        self.outputs: tuple[TensorSpec, ...] = ()
        self._stage: Stage = "start"
        self._runs = 0
        # The worker's stderr goes to nameless memory: what it says while it loads may be the cause.
        self._log = os.memfd_create("edgeinfer-worker-log", os.MFD_CLOEXEC)
        self._socket, theirs = socket_pair()
        try:
            with theirs:
                self._process = self._start(theirs.fileno())
        except BaseException:
            self._socket.close()
            os.close(self._log)
            raise

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def load(self, *, limit_s: float) -> None:
        """Have it load delegate and model.

        Args:
            limit_s: how long starting and loading may take.

        Raises:
            WorkerStartError: it did not start; it has ended again.
        """
        try:
            self._load(limit_s)
        except BaseException:
            self.end()
            raise
        finally:
            os.close(self._log)

    def invoke(
        self, tensors: Sequence[NDArray[Any]], *, limit_s: float
    ) -> list[NDArray[np.generic]]:
        """Run the model once.

        Args:
            tensors: one for each input, of its shape and dtype.
            limit_s: how long it may take.

        Returns:
            A copy of each output.

        Raises:
            WorkerLostError: it died, hung, or failed; do not use it again.
        """
        for shared, tensor in zip(self._shared_inputs, tensors, strict=True):
            np.copyto(shared, tensor)
        self._runs += 1
        try:
            self._socket.settimeout(limit_s)
            self._socket.send(numbered(RUN, self._runs))
            message = self._socket.recv(MAX_MESSAGE)
        except TimeoutError:
            raise WorkerLostError("hung", f"gave no answer within {limit_s:.3g} s") from None
        except OSError:
            message = b""  # it died before it was asked
        if message[:1] == DONE and number_of(message) == self._runs:
            return [output.copy() for output in self._shared_outputs]
        if message[:1] == FAILED:
            raise WorkerLostError("failed", text_of_numbered(message))
        raise WorkerLostError("died", self._death())

    def kill(self) -> None:
        """End the process, whatever it is about; any thread may."""
        self._process.kill()
        self._reap()

    def end(self) -> None:
        """End the process and release what it used."""
        self.kill()
        self._socket.close()

    def close(self) -> None:
        """Let the process end by itself, for a moment, and then end it."""
        self._socket.close()
        try:
            self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            self.kill()

    def _start(self, descriptor: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            python_command("-m", _WORKER, str(descriptor), str(os.getpid())),
            env=safe_environment(**_search_path()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            pass_fds=(descriptor,),
            # A separate group, which the terminal's Ctrl-C does not reach.
            start_new_session=True,
        )

    def _load(self, limit_s: float) -> None:
        job = self._job
        deadline = time.monotonic() + limit_s
        descriptors = [] if job.model is None else [job.model]
        try:
            socket.send_fds(self._socket, [job.to_message()], descriptors)
            while True:
                self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
                message = self._socket.recv(MAX_MESSAGE)
                if message[:1] != STAGE:
                    break
                self._note_stage(message[1:].decode())
        except TimeoutError:
            self._process.kill()
            raise self._failure("hung", f"within {limit_s:.3g} s") from None
        except OSError:
            message = b""
        if message[:1] == REFUSED:
            refusal = json.loads(message[1:])
            raise self._failure("refused", refusal["text"], kind=refusal["kind"])
        if message[:1] != READY:
            raise self._failure("died", self._death())
        if job.model is not None:
            self._share(json.loads(message[1:]))

    def _note_stage(self, text: str) -> None:
        stage, _, version = text.partition(" ")
        self._stage = cast("Stage", stage)
        self.version = version or self.version

    def _share(self, loaded: dict[str, Any]) -> None:
        """Make memory for the tensors, here and there."""
        self.kernels = loaded["kernels"]
        self.inputs = build(tuple[TensorSpec, ...], loaded["inputs"])
        self.outputs = build(tuple[TensorSpec, ...], loaded["outputs"])
        specs = [*self.inputs, *self.outputs]
        memory = create_memory(specs)
        try:
            tensors = map_tensors(memory, specs)
            with contextlib.suppress(OSError):  # it died: the first run tells
                socket.send_fds(self._socket, [MEMORY], [memory])
        finally:
            os.close(memory)
        self._shared_inputs = tensors[: len(self.inputs)]
        self._shared_outputs = tensors[len(self.inputs) :]

    def _failure(self, how: How, text: str, *, kind: str = "") -> WorkerStartError:
        log = os.pread(self._log, _LOG_BYTES, max(0, os.fstat(self._log).st_size - _LOG_BYTES))
        return WorkerStartError(
            stage=self._stage,
            how=how,
            kind=kind,
            text=text,
            version=self.version,
            log=log.decode(errors="replace").strip(),
        )

    def _death(self) -> str:
        """Return in words how the process ended."""
        code = self._reap()
        if code is None:
            return "stopped answering"
        if code >= 0:
            return f"ended with exit code {code}"
        return f"was ended by {signal_name(-code)}"

    def _reap(self) -> int | None:
        try:
            return self._process.wait(timeout=_KILL_LIMIT_S)
        except subprocess.TimeoutExpired:
            return None


def _search_path() -> dict[str, str]:
    """Return the loader's search path without its parts in the working folder.

    An empty part is that folder: `LD_LIBRARY_PATH=$UNSET:/opt/lib` begins with one.
    """
    named = os.environ.get("LD_LIBRARY_PATH")
    if named is None:
        return {}
    return {"LD_LIBRARY_PATH": ":".join(filter(os.path.isabs, named.split(":")))}
