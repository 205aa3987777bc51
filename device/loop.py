"""The camera loop: one thread captures, the calling one answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Protocol

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.errors import EdgeinferError
from edgeinfer.device.histogram import DurationHistogram
from edgeinfer.device.results import Answer, LoopSummary, Sink
from edgeinfer.device.signals import StopRequest
from edgeinfer.device.slot import EndOfFrames, FrameSlot
from edgeinfer.device.types import Classification, Pixels, Prediction

POLL_S = 0.1
"""How often a loop that waits for a frame looks whether it should stop."""
READ_LIMIT_S = 15.0
"""How long a camera's last read may take before the loop gives up waiting for it."""


class Predictor(Protocol):
    """What the loop needs of a model; `edgeinfer.device.model.Model` is one."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes; empty for a model of values."""
        ...

    def predict(self, pixels: Pixels) -> Prediction:
        """Return the prediction for a frame: (H, W, 3) uint8 RGB."""
        ...


def run_loop(
    camera: Camera,
    model: Predictor,
    sinks: Sequence[Sink],
    *,
    max_frames: int | None = None,
    max_seconds: float | None = None,
    stop: StopRequest | None = None,
) -> LoopSummary:
    """Answer a source's frames until it ends or a limit is reached, then give the summary.

    From a live camera only the newest frame waits, older ones are dropped and counted; another
    source waits for the model, and no frame is lost. The caller opens and closes camera and model.

    Args:
        camera: where frames come from; read by another thread.
        model: what answers.
        sinks: where the answers go, and at the end the summary.
        max_frames: end after so many answers.
        max_seconds: end after this time.
        stop: ends the loop when requested; the frame in hand is still answered.

    Raises:
        EdgeinferError: the source, the model or a sink failed. What the source delivered before
            is answered, and the summary is given all the same.
        BrokenPipeError: the reader of a sink has gone.
    """
    slot = FrameSlot(keep_newest=camera.live)
    tally = _Tally(model.labels)
    capture = threading.Thread(
        target=_capture, args=(camera, slot), name="edgeinfer-capture", daemon=True
    )
    start = time.monotonic()
    deadline = None if max_seconds is None else start + max_seconds
    capture.start()
    failure: EdgeinferError | None = None
    try:
        while not (
            (stop is not None and stop.requested)
            or (max_frames is not None and tally.frames >= max_frames)
            or (deadline is not None and time.monotonic() >= deadline)
        ):
            frame = slot.take(POLL_S)
            if frame is None:
                continue
            prediction = model.predict(frame.pixels)
            age_ms = (time.monotonic_ns() - frame.captured_ns) / 1e6
            answer = Answer(frame=frame, prediction=prediction, age_ms=age_ms)
            tally.add(answer)
            for sink in sinks:
                sink.write(answer)
    except EndOfFrames:
        pass
    except EdgeinferError as error:
        failure = error
    finally:
        seconds = time.monotonic() - start
        slot.close()
        capture.join(READ_LIMIT_S)
    summary = tally.summary(seconds, slot.dropped, camera.skipped_files)
    for sink in sinks:
        sink.finish(summary)
    if failure is not None:
        raise failure
    return summary


def _capture(camera: Camera, slot: FrameSlot) -> None:
    """Move frames from the camera into the slot until one of them has enough."""
    try:
        while (frame := camera.read()) is not None:
            if not slot.put(frame):
                return
    except Exception as error:
        slot.end(error)  # raised again in the thread that answers
    else:
        slot.end()


class _Tally:
    """Counts the answers."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = frozenset(labels)
        self._ages = DurationHistogram()
        self.frames = 0
        self._labelled = 0
        self._correct = 0

    def add(self, answer: Answer) -> None:
        self.frames += 1
        self._ages.add(answer.age_ms)
        # A folder's name that is no class of this model says nothing about its answers.
        if answer.frame.label in self._labels and isinstance(answer.prediction, Classification):
            self._labelled += 1
            self._correct += answer.prediction.label == answer.frame.label

    def summary(self, seconds: float, dropped: int, skipped_files: int) -> LoopSummary:
        return LoopSummary(
            frames=self.frames,
            dropped=dropped,
            seconds=seconds,
            age_p50_ms=self._ages.percentile(50),
            age_p99_ms=self._ages.percentile(99),
            labelled_frames=self._labelled,
            correct_frames=self._correct,
            skipped_files=skipped_files,
        )
