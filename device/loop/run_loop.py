"""The camera loop: a pipeline's answers go to sinks, and at the end their summary."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.core.signals import StopRequest
from edgeinfer.device.loop.duration_histogram import DurationHistogram
from edgeinfer.device.loop.model_set import Predictor
from edgeinfer.device.loop.pipeline import Pipeline
from edgeinfer.device.loop.results import Answer, LoopSummary, Sink
from edgeinfer.device.loop.slot import EndOfItems

if TYPE_CHECKING:
    from edgeinfer.device.loop.following.follower import Follow

POLL_S = 0.1
"""How often a loop that waits for an answer looks whether it should stop."""
DRAIN_S = 5.0
"""How long the frames that are on their way may take when the loop is asked to stop."""


class Watch:
    """Looks after a loop from its own thread; this one does nothing."""

    def started(self, pipeline: Pipeline) -> None:
        """Learn what answers, before the first answer."""

    def look(self) -> None:
        """See to what is due; called after each answer, and every `POLL_S` without one."""

    def answered(self) -> None:
        """Learn of an answer that every sink took."""

    def stopping(self) -> None:
        """Learn that frames are no longer taken."""

    def ended(self) -> None:
        """Learn that the pipeline is closed."""


def run_loop(
    camera: Camera,
    models: Predictor | Sequence[Predictor],
    sinks: Sequence[Sink],
    *,
    every: int = 1,
    max_fps: float | None = None,
    smooth: int = 1,
    follow: Follow | None = None,
    max_frames: int | None = None,
    max_seconds: float | None = None,
    stop: StopRequest | None = None,
    watch: Watch | None = None,
) -> LoopSummary:
    """Answer a source's frames until it ends or a limit is reached, then give the summary.

    From a live camera only the newest frame waits, older ones are dropped and counted; another
    source waits for the model, and no frame is lost. The caller opens and closes camera and models.

    Args:
        camera: where frames come from; read by another thread.
        models: what answers; several of the same answer as many frames side by side.
        sinks: where the answers go, in the order of the frames, and at the end the summary.
        every: answer each frame whose number is a multiple of this.
        max_fps: answer at most this many frames a second.
        smooth: over how many answers each one is smoothed.
        follow: how objects are followed from frame to frame; None does not.
        max_frames: end after this many answers.
        max_seconds: end after this time.
        stop: ends the loop when requested; the few frames that are on their way are still answered,
            within `DRAIN_S`.
        watch: looks after the loop.

    Raises:
        EdgeinferError: the source, the model or a sink failed. What the source delivered before
            is answered, and the summary is given all the same.
        BrokenPipeError: the reader of a sink has gone.
    """
    models = models if isinstance(models, Sequence) else [models]
    tally = _Tally()
    watch = Watch() if watch is None else watch
    start = time.monotonic()
    deadline = float("inf") if max_seconds is None else start + max_seconds
    draining = False
    pipeline = Pipeline(camera, models, every=every, max_fps=max_fps, smooth=smooth, follow=follow)
    failure: EdgeinferError | None = None
    try:
        watch.started(pipeline)
        while (max_frames is None or tally.frames < max_frames) and time.monotonic() < deadline:
            if stop is not None and stop.requested and not draining:
                draining = True
                pipeline.finish()
                watch.stopping()
                deadline = min(deadline, time.monotonic() + DRAIN_S)
            watch.look()
            answer = pipeline.next(POLL_S)
            if answer is None:
                continue
            tally.add(answer)
            for sink in sinks:
                sink.write(answer)
            watch.answered()
            del answer  # its frame's memory may be used again
    except EndOfItems:
        pass
    except EdgeinferError as error:
        failure = error
    finally:
        seconds = time.monotonic() - start
        pipeline.close()
        watch.ended()
    summary = tally.summary(seconds, pipeline.dropped, camera.skipped_files + pipeline.damaged)
    for sink in sinks:
        sink.finish(summary)
    if failure is not None:
        raise failure
    return summary


class _Tally:
    """Counts the answers."""

    def __init__(self) -> None:
        self._ages = DurationHistogram()
        self.frames = 0
        self._labelled = 0
        self._correct = 0

    def add(self, answer: Answer) -> None:
        self.frames += 1
        self._ages.add(answer.age_ms)
        truth = answer.frame.label
        # A folder's name that is not a class of this model says nothing about its answers.
        right = None if truth is None else answer.prediction.is_right(truth)
        if right is not None:
            self._labelled += 1
            self._correct += right

    def summary(self, seconds: float, dropped: int, unreadable: int) -> LoopSummary:
        return LoopSummary(
            frames=self.frames,
            dropped=dropped,
            seconds=seconds,
            age_p50_ms=self._ages.percentile(50),
            age_p99_ms=self._ages.percentile(99),
            labelled_frames=self._labelled,
            correct_frames=self._correct,
            unreadable=unreadable,
        )
