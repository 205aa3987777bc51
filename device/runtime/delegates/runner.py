"""DelegateRunner: a model on a delegate, which may crash and hang without taking the loop along."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.core.closing import Closing
from edgeinfer.device.runtime.delegates.cpu_fallback import Substitute
from edgeinfer.device.runtime.delegates.spec import DelegateSpec
from edgeinfer.device.runtime.delegates.worker.counts import DelegateCounts
from edgeinfer.device.runtime.delegates.worker.process import WorkerJob, WorkerLostError
from edgeinfer.device.runtime.delegates.worker.restart_policy import WorkerPolicy
from edgeinfer.device.runtime.delegates.worker.supervisor import Supervisor
from edgeinfer.device.runtime.runner import ModelRunner, RuntimeName, choose_runtime
from edgeinfer.device.tflite.reader import read_tflite


class DelegateRunner(Closing):
    """A model loaded with a delegate in a worker process. Threads may share it: they take turns.

    A run that hangs or fails ends its worker. The frame is then answered by the CPU variant
    where there is one, while a new worker starts; otherwise the run waits for that one
    and is repeated. After too many failures the CPU variant takes over for good. No answer is ever
    another run's: each worker has its own memory, and is not asked again after a failure.

    Args:
        model: the `.tflite` file's bytes.
        delegate: the delegate.
        subject: the file's name, for errors.
        threads: interpreter threads, for what the delegate leaves to the CPU.
        runtime: which runtime; None takes the preferred one.
        open_substitute: opens the CPU variant when it is first needed; None without one, and where
            the delegate is required.
        policy: deadlines and restarts.

    Raises:
        ModelError: the bytes are not a model.
        DelegateError: the delegate does not load, or not this model; with the cause and what helps.
        MissingExtraError: no runtime is installed.

    Attributes:
        delegate: the delegate.
        runtime: the runtime in use.
        version: its version.
        kernels: the kernel family that computes what the delegate leaves.
        inputs: specs of the inputs.
        outputs: specs of the outputs.
        graph: what the model contains.
        note: empty.
    """

    note = ""

    def __init__(
        self,
        model: bytes,
        delegate: DelegateSpec,
        *,
        subject: str,
        threads: int = 1,
        runtime: RuntimeName | None = None,
        open_substitute: Callable[[], ModelRunner] | None = None,
        policy: WorkerPolicy | None = None,
    ) -> None:
        self.delegate = delegate
        self.graph = read_tflite(model, subject=subject)
        self.runtime: RuntimeName = choose_runtime(runtime)
        self._open_substitute = open_substitute
        self._substitute: Substitute | None = None
        self._in_a_run = threading.Lock()
        self._opening = threading.Lock()
        self._model = _in_memory(model)
        job = WorkerJob(
            delegate=delegate,
            runtime=self.runtime,
            model=self._model,
            subject=subject,
            threads=threads,
        )
        self._supervisor = Supervisor(
            job,
            policy or WorkerPolicy(),
            meanwhile="the CPU answers until then" if open_substitute else "",
            in_the_end="the CPU takes over" if open_substitute else "it is given up",
        )
        try:
            worker = self._supervisor.first_worker()
        except BaseException:
            self.close()
            raise
        self.version = worker.version
        self.kernels = worker.kernels
        self.inputs = worker.inputs
        self.outputs = worker.outputs

    @property
    def description(self) -> str:
        """Runtime, version, kernels and delegate on one line."""
        text = f"{self.runtime} {self.version} ({self.kernels})"
        if self._supervisor.given_up:
            return f"{text}; {self.delegate} was given up"
        return f"{text} with {self.delegate} in a worker process"

    @property
    def counts(self) -> DelegateCounts:
        """What happened so far."""
        return self._supervisor.counts

    @property
    def worker_pid(self) -> int | None:
        """The present worker's process number; None while there is none."""
        worker = self._supervisor.worker
        return None if worker is None else worker.pid

    def invoke(self, tensors: Sequence[NDArray[Any]]) -> list[NDArray[np.generic]]:
        """Run the model once.

        Args:
            tensors: one for each input, of its shape and dtype.

        Returns:
            A copy of each output.

        Raises:
            DelegateError: the delegate was lost and nothing can take its place, or this was closed.
            ModelError: the CPU variant failed.
        """
        supervisor = self._supervisor
        while True:
            with self._in_a_run:
                worker = supervisor.worker
                if worker is not None:
                    start = time.monotonic()
                    try:
                        outputs = worker.invoke(tensors, limit_s=supervisor.deadline.seconds)
                    except WorkerLostError as loss:
                        supervisor.lose(worker, loss)
                    else:
                        supervisor.deadline.learn(time.monotonic() - start)
                        return outputs
            if self._open_substitute is not None:
                return self._answer_instead(tensors)
            supervisor.wait()

    def pause(self) -> None:
        """Release the accelerator, which one model at a time may use; any thread may.

        Until `resume`, the CPU variant answers; where there is none, runs wait.
        """
        with self._in_a_run:
            self._supervisor.pause()

    def resume(self) -> None:
        """Take the accelerator again."""
        self._supervisor.resume()

    def close(self) -> None:
        """End the worker."""
        self._supervisor.close()
        if self._model >= 0:
            os.close(self._model)
            self._model = -1

    def _answer_instead(self, tensors: Sequence[NDArray[Any]]) -> list[NDArray[np.generic]]:
        with self._opening:
            if self._substitute is None:
                assert self._open_substitute is not None
                self._substitute = Substitute(self._open_substitute(), self.inputs, self.outputs)
        outputs = self._substitute.invoke(tensors)
        self._supervisor.count(substituted=1)
        return outputs


def _in_memory(content: bytes) -> int:
    """Return the descriptor of nameless memory that holds `content`, for workers to read."""
    memory = os.memfd_create("edgeinfer-model", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(memory), "wb") as stream:
            stream.write(content)
    except BaseException:
        os.close(memory)
        raise
    return memory
