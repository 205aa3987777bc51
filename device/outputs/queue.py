"""An output on a separate thread: slow, blocked, failing or dead, it never blocks the loop."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Literal

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.core.signals import StopRequest
from edgeinfer.device.loop.results import Answer, LoopSummary, OutputReport
from edgeinfer.device.outputs.base import Output, OutputGone

_LOG = logging.getLogger(__name__)

FIRST_RETRY_S = 1.0
LAST_RETRY_S = 60.0
"""How long a failed output is left alone, doubled from the first to the last."""

TELL_EVERY_S = 60.0
"""An output that fails and recovers in turn is not reported more often."""

POLL_S = 0.1
"""How often a source that waits for room looks whether it should stop."""

STUCK_S = 2.0
"""An output of text that takes not one answer in this time is not waited for at the end."""

FOREVER = float("inf")

Overflow = Literal["drop-oldest", "drop-newest"]


class QueuedOutput:
    """Drives an output from a bounded queue.

    Args:
        name: the output as the user named it.
        output: closed by its thread when everything was taken.
        capacity: how many answers wait.
        overflow: which one goes when they are too many; all are counted.
        patience_s: how long the source waits for an output that takes nothing before answers are
            dropped. 0 for live sources, which cannot wait; files lose nothing to an output that is
            only slow.
        pictures: hand over the pictures too; text does without, and a queue of it stays small.
        samples: it is meant to take some of the answers only, and not called slow for it.
    """

    def __init__(
        self,
        name: str,
        output: Output,
        *,
        capacity: int = 64,
        overflow: Overflow = "drop-oldest",
        patience_s: float = 0.0,
        pictures: bool = False,
        samples: bool = False,
    ) -> None:
        self.name = name
        self.pictures = pictures
        self.patience_s = patience_s
        self.gone: BaseException | None = None
        """Why nothing will ever be taken again; None while something may be."""
        self.failure: EdgeinferError | None = None
        """Why the last answer was not taken; None when it was."""
        self._output = output
        self._capacity = capacity
        self._overflow = overflow
        self._changed = threading.Condition()
        self._items: deque[Answer | LoopSummary] = deque()
        self._busy = False
        self._ended = False
        self._took_at = time.monotonic()
        self._written = 0
        self._dropped = 0
        self._told_slow = samples
        self._told_failure_at = float("-inf")
        self._telling = False
        self._retry_s = FIRST_RETRY_S
        self._retry_at = float("-inf")
        # A daemon: one that hangs in a dead network's file system must not keep the program.
        self._thread = threading.Thread(target=self._work, name=f"edgeinfer-{name}", daemon=True)
        self._thread.start()

    def put(self, answer: Answer, stop: StopRequest | None = None) -> None:
        """Hand over an answer; never waits longer than `patience_s`, and never after `stop`."""
        if not self.pictures:
            answer = answer.without_picture()
        with self._changed:
            self._wait_for_room(stop)
            full = len(self._items) >= self._capacity
            if self.gone is not None or (full and self._overflow == "drop-newest"):
                self._dropped += 1
            else:
                if full:
                    self._items.popleft()
                    self._dropped += 1
                self._items.append(answer)
                self._changed.notify_all()
        stopping = stop is not None and stop.requested
        if full and not (self._told_slow or stopping or self.gone is not None):
            self._told_slow = True
            _LOG.warning("output %s: takes answers too slowly; some are dropped", self.name)

    def drain(self, deadline: float, stop: StopRequest | None = None) -> bool:
        """Wait until everything was taken; False when that is not so by `deadline`, monotonic."""
        with self._changed:
            while self._items or self._busy:
                until = self._until(min(deadline, self._took_at + STUCK_S), stop)
                if time.monotonic() >= until or self.gone is not None:
                    return False
                self._changed.wait(POLL_S)
        return True

    def finish(self, summary: LoopSummary) -> None:
        """Hand over the summary, behind the last answer, whether there is room or not."""
        with self._changed:
            self._items.append(summary)
            self._changed.notify_all()

    def end(self) -> None:
        """Say that nothing follows: the output is closed when everything was taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def join(self, deadline: float, stop: StopRequest | None = None) -> bool:
        """Wait until it is closed, after `end`; False when it is not by `deadline`, monotonic."""
        while self._thread.is_alive():
            if time.monotonic() >= self._until(deadline, stop):
                return False
            self._thread.join(POLL_S)
        return True

    def report(self) -> OutputReport:
        """Return what it did so far; what still waits counts as dropped."""
        with self._changed:
            waiting = sum(isinstance(item, Answer) for item in self._items) + self._busy
            failure = self.failure or self.gone
            text = None if failure is None else str(failure)
            if text is None and waiting:
                text = "no longer takes answers"
            return OutputReport(
                name=self.name,
                written=self._written,
                dropped=self._dropped + waiting,
                failure=text,
            )

    def _until(self, deadline: float, stop: StopRequest | None) -> float:
        """Return when to give up: a reader of a file's answers may take them when it likes."""
        if self.patience_s == FOREVER and (stop is None or not stop.requested):
            return FOREVER
        return deadline

    def _wait_for_room(self, stop: StopRequest | None) -> None:
        while (
            len(self._items) >= self._capacity
            and self.gone is None
            and time.monotonic() < self._took_at + self.patience_s
            and not (stop is not None and stop.requested)
        ):
            self._changed.wait(POLL_S)

    def _work(self) -> None:
        while (item := self._take()) is not None:
            self._handle(item)
            del item  # its frame's memory may be used again
        try:
            self._output.close()
        except EdgeinferError as error:
            self._failed(error)
        except Exception as error:
            self._broke(error)

    def _take(self) -> Answer | LoopSummary | None:
        """Wait for the next item; None when nothing follows."""
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            while not self._items and not self._ended:
                self._changed.wait()
            if not self._items:
                return None
            item = self._items.popleft()
            self._busy = isinstance(item, Answer)
            self._took_at = time.monotonic()
            self._changed.notify_all()
            return item

    def _handle(self, item: Answer | LoopSummary) -> None:
        answer = isinstance(item, Answer)
        if self.gone is not None or (answer and time.monotonic() < self._retry_at):
            self._count(written=0, dropped=int(answer))
            return
        self._output.dropped = self._dropped
        try:
            if isinstance(item, Answer):
                self._output.write(item)
            else:
                self._output.finish(item)
        except (OutputGone, BrokenPipeError) as error:
            self.gone = error
        except EdgeinferError as error:
            self._failed(error)
        except Exception as error:
            self._broke(error)
        else:
            if answer:
                self._count(written=1, dropped=0)
                self._worked()
            return
        self._count(written=0, dropped=int(answer))

    def _count(self, *, written: int, dropped: int) -> None:
        with self._changed:
            self._written += written
            self._dropped += dropped

    def _failed(self, error: EdgeinferError) -> None:
        now = time.monotonic()
        if self.failure is None and now >= self._told_failure_at + TELL_EVERY_S:
            self._told_failure_at, self._telling = now, True
            _LOG.warning("output %s: %s; the loop goes on and tries again", self.name, error)
        self.failure = error
        self._retry_at = now + self._retry_s
        self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)

    def _worked(self) -> None:
        if self.failure is None:
            return
        self.failure = None
        self._retry_s = FIRST_RETRY_S
        if self._telling:
            self._telling = False
            _LOG.warning(
                "output %s: works again; %s answers dropped so far", self.name, f"{self._dropped:,}"
            )

    def _broke(self, error: Exception) -> None:
        """A defect in edgeinfer's own code for one output must not end a loop that others read."""
        self.gone = error
        _LOG.warning(
            "output %s: a defect in edgeinfer (%s: %s); the loop goes on without it",
            self.name,
            type(error).__name__,
            error,
        )
