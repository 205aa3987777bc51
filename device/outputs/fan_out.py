"""Several outputs at the same time, none of which waits for another."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from edgeinfer.device.core.closing import Closing
from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.core.signals import StopRequest
from edgeinfer.device.loop.results import Answer, LoopSummary
from edgeinfer.device.outputs.base import OutputGone
from edgeinfer.device.outputs.queue import QueuedOutput

DRAIN_S = 5.0
"""How long the end of the loop waits for outputs to take what waits for them, all together."""
SUMMARY_S = 1.0
"""How long it then waits for the summary to be taken."""


class Outputs(Closing):
    """A `Sink` that hands each answer to every output's queue.

    Args:
        outputs: ended and closed here.
        live: the source is live: outputs may fail and recover while the loop goes on. Of a file
            every frame counts: the loop ends when no output takes any more. See `raise_loss`.
        stop: requested when the user has closed the last output, a window.
    """

    def __init__(
        self, outputs: Sequence[QueuedOutput], *, live: bool, stop: StopRequest | None = None
    ) -> None:
        self._outputs = outputs
        self._live = live
        self._stop = stop
        self.summary: LoopSummary | None = None
        """The loop's summary with what each output did; None before the end."""

    def write(self, answer: Answer) -> None:
        """Hand an answer to every output.

        Raises:
            BrokenPipeError: the only output's reader has gone.
            StorageError: no output takes the answers of a file any more.
        """
        for output in self._outputs:
            output.put(answer, self._stop)
        self._check_that_one_is_left()

    def finish(self, summary: LoopSummary) -> None:
        """Wait for the outputs, for a bounded time, and give those of text the summary.

        Raises:
            BrokenPipeError: the only output's reader has gone.
        """
        deadline = time.monotonic() + DRAIN_S
        for output in self._outputs:
            if output.pictures:
                output.end()
        for output in self._outputs:
            if output.pictures:
                output.join(deadline, self._stop)
            else:
                output.drain(deadline, self._stop)
        reports = tuple(output.report() for output in self._outputs)
        self.summary = replace(summary, outputs=reports)
        for output in self._outputs:
            if not output.pictures:
                output.finish(self.summary)
                output.end()
        deadline = time.monotonic() + SUMMARY_S
        for output in self._outputs:
            output.join(deadline, self._stop)
        # Only now it is known whether the last files could be completed.
        reports = tuple(output.report() for output in self._outputs)
        self.summary = replace(summary, outputs=reports)
        self._check_that_one_is_left()

    def raise_loss(self) -> None:
        """Say at the end what was lost, unless the user stopped the loop.

        Raises:
            StorageError: an output did not take every answer of a file, or, of a live source, each
                of them fails.
        """
        if self.summary is None or (self._stop is not None and self._stop.requested):
            return
        reports = self.summary.outputs
        if self._live and not all(report.failure for report in reports):
            return
        for report in reports:
            if report.dropped or report.failure:
                lost = f"{report.dropped:,} of {report.written + report.dropped:,} answers"
                reason = f" ({report.failure})" if report.failure else ""
                raise StorageError(f"output {report.name}", got=f"did not take {lost}{reason}")

    def close(self) -> None:
        """End the outputs and wait for them, for a bounded time, unless `finish` did."""
        if self.summary is not None:
            return
        deadline = time.monotonic() + DRAIN_S
        for output in self._outputs:
            output.end()
        for output in self._outputs:
            output.join(deadline, self._stop)

    def _check_that_one_is_left(self) -> None:
        reasons = [output.gone for output in self._outputs]
        if self._outputs and None not in reasons:
            for reason in reasons:
                if reason is not None and not isinstance(reason, OutputGone):
                    raise reason
            if self._stop is not None:
                self._stop.requested = True
        elif not self._live:
            failures = [output.failure for output in self._outputs]
            if failures and failures[0] is not None and None not in failures:
                raise failures[0]
