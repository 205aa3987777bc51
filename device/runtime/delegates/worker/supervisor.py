"""The supervisor of a worker process: starts it, starts it again when it was lost, and gives up."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from dataclasses import replace

import numpy as np

from edgeinfer.device.core.errors import DelegateError
from edgeinfer.device.runtime.delegates.worker.counts import DelegateCounts
from edgeinfer.device.runtime.delegates.worker.explain import explain
from edgeinfer.device.runtime.delegates.worker.process import (
    WorkerJob,
    WorkerLostError,
    WorkerProcess,
    WorkerStartError,
)
from edgeinfer.device.runtime.delegates.worker.restart_policy import (
    Deadline,
    FailureLog,
    WorkerPolicy,
)

_LOG = logging.getLogger(__name__)

WARM_UP_RUNS = 3
"""Runs on zeros before a worker is handed a frame: the first one, in which parameters are
transferred and programs compiled, would delay a frame; the others set the deadline."""


class Supervisor:
    """Keeps one worker process going, from a separate thread.

    That thread alone starts workers, for they end with the thread that started them.

    Args:
        job: what workers load; the model's descriptor stays open until this is closed.
        policy: deadlines and restarts.
        meanwhile: what is said of the time without a worker, such as "the CPU answers until then".
        in_the_end: what is said when it is given up.

    Attributes:
        worker: the present one; None while there is none.
        deadline: how long a run may take.
        given_up: why no worker is started any more; empty while they are.
    """

    def __init__(
        self, job: WorkerJob, policy: WorkerPolicy, *, meanwhile: str, in_the_end: str
    ) -> None:
        self.worker: WorkerProcess | None = None
        self.deadline = Deadline(policy.deadline_s, first_s=policy.load_limit_s)
        self.given_up = ""
        self._job = job
        self._policy = policy
        self._meanwhile = meanwhile
        self._in_the_end = in_the_end
        self._failures = FailureLog(policy)
        self._counts = DelegateCounts()
        self._changed = threading.Condition()
        self._starting: WorkerProcess | None = None
        self._start_error: Exception | None = None
        self._closing = False
        self._paused = False
        self._lost_at_s: float | None = None
        self._thread = threading.Thread(target=self._keep, name="edgeinfer-delegate", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> DelegateCounts:
        """What happened so far."""
        with self._changed:
            return replace(self._counts, given_up=bool(self.given_up))

    def count(self, **more: int) -> None:
        """Add to the counts."""
        with self._changed:
            self._add(**more)

    def first_worker(self) -> WorkerProcess:
        """Wait for the first worker.

        Raises:
            DelegateError: it does not start; with the cause and what helps.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.worker or self._start_error)
        if self.worker is not None:
            return self.worker
        error, delegate = self._start_error, self._job.delegate
        if isinstance(error, WorkerStartError):
            raise explain(delegate, error, runtime=self._job.runtime) from error
        raise DelegateError(
            str(delegate), got=f"its worker process cannot be started ({error})"
        ) from error

    def wait(self) -> None:
        """Wait for the next worker.

        Raises:
            DelegateError: there will be none.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.worker or self.given_up or self._closing)
            if self.worker is not None and not self._closing:
                return
        raise DelegateError(
            str(self._job.delegate),
            got="was closed while it was in use" if self._closing else self.given_up,
            next_step="" if self._closing else "see `edgeinfer doctor`, or let the CPU take over",
        )

    def lose(self, worker: WorkerProcess, loss: WorkerLostError) -> None:
        """Release a worker that gave no answer, and start another while the caller goes on."""
        worker.end()
        with self._changed:
            self.worker = None
            now_s = time.monotonic()
            self._failures.add(now_s)
            if self._lost_at_s is None:
                self._lost_at_s = now_s
            self._add(**{loss.how: 1})
            # Reported first: what the other thread reports about the next worker comes after it.
            self._tell(f"{loss.text}{self._what_follows()}")
            self._give_up_after_too_many()
            self._changed.notify_all()

    def pause(self) -> None:
        """Release the accelerator, for another model to take it; no run may be under way."""
        with self._changed:
            self._paused = True
            worker, self.worker = self.worker, None
            self._changed.notify_all()
        if worker is not None:
            worker.close()

    def resume(self) -> None:
        """Take the accelerator again, after a pause."""
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def close(self) -> None:
        """End the worker, even one that is just being started."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            starting = self._starting
        if starting is not None:
            starting.kill()  # it may hang for as long as loading may take
        self._thread.join()

    def _add(self, **more: int) -> None:
        values = {name: getattr(self._counts, name) + value for name, value in more.items()}
        self._counts = replace(self._counts, **values)

    def _tell(self, text: str) -> None:
        with contextlib.suppress(Exception):  # the worker matters more than the report
            _LOG.warning("%s: %s", self._job.delegate, text)

    def _what_follows(self) -> str:
        if self._failures.too_many:
            return ""
        meanwhile = self._meanwhile and f"; {self._meanwhile}"
        return f"; restarting it in {self._failures.backoff_s:.3g} s{meanwhile}"

    def _give_up_after_too_many(self) -> None:
        if self._failures.too_many:
            times = "once" if self._failures.count == 1 else f"{self._failures.count} times"
            self.given_up = f"failed {times} within {self._policy.within_s:.0f} s"
            self._tell(f"{self.given_up}; {self._in_the_end}")

    # ---- the supervisor's own thread ----

    def _keep(self) -> None:
        """Start workers, one after another, until this is closed or too many have failed."""
        try:
            self._start_first()
            while self._wait_for_loss():
                self._restart()
        finally:
            with self._changed:
                worker, self.worker = self.worker, None
            if worker is not None:
                worker.close()

    def _start_first(self) -> None:
        try:
            worker = self._new_worker()
        except Exception as error:  # whatever it is, the user's thread waits for it
            with self._changed:
                self._start_error = error
                self._closing = True
                self._changed.notify_all()
            return
        self._hand_over(worker)

    def _wait_for_loss(self) -> bool:
        """Wait until there is no worker and there should be one; False at the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closing or (self.worker is None and not self._paused)
            )
            if self._closing:
                return False
            if self.given_up:
                return False
            return not self._changed.wait_for(lambda: self._closing, self._failures.backoff_s)

    def _restart(self) -> None:
        try:
            worker = self._new_worker()
        except Exception as error:  # this thread must go on
            text = str(error)
            if isinstance(error, WorkerStartError):
                text = explain(self._job.delegate, error, runtime=self._job.runtime).got
            with self._changed:
                if self._closing:
                    return
                self._failures.add(time.monotonic())
                self._add(not_started=1)
                self._tell(f"did not restart: {text}{self._what_follows()}")
                self._give_up_after_too_many()
                self._changed.notify_all()
            return
        with self._changed:
            if self._lost_at_s is not None:
                self._add(restarts=1)
                self._tell(f"back after {time.monotonic() - self._lost_at_s:.1f} s")
                self._lost_at_s = None
        self._hand_over(worker)

    def _new_worker(self) -> WorkerProcess:
        """Start a worker and warm it up.

        Raises:
            WorkerStartError: it did not come up, or not through its first runs.
            OSError: no process or no memory could be had.
        """
        worker = WorkerProcess(self._job)
        with self._changed:
            self._starting = worker
            closing = self._closing
        if closing:
            worker.kill()
        try:
            start = time.monotonic()
            worker.load(limit_s=self._policy.load_limit_s)
            spent_s = time.monotonic() - start
            self._warm_up(worker, max(self._policy.load_limit_s - spent_s, 0.1))
        finally:
            with self._changed:
                self._starting = None
        return worker

    def _warm_up(self, worker: WorkerProcess, limit_s: float) -> None:
        zeros = [np.zeros(spec.shape, spec.dtype) for spec in worker.inputs]
        try:
            for run in range(WARM_UP_RUNS):
                begin = time.monotonic()
                worker.invoke(zeros, limit_s=limit_s)
                if run > 0:
                    self.deadline.learn(time.monotonic() - begin)
        except WorkerLostError as loss:
            worker.end()
            raise WorkerStartError(
                stage="first run",
                how="refused" if loss.how == "failed" else loss.how,
                kind="",
                text=f"within {limit_s:.3g} s" if loss.how == "hung" else loss.text,
                version=worker.version,
                log="",
            ) from loss

    def _hand_over(self, worker: WorkerProcess) -> None:
        with self._changed:
            if not self._paused:
                self._failures.came_up(time.monotonic())
                self.worker = worker
                self._changed.notify_all()
                return
        worker.close()
