"""Capture, preprocessing and inference side by side.

    camera -> [frames] -> prepare -> [tensors] -> infer, on a thread or several -> in frame order

OpenCV, the native kernels and the runtimes release Python's global lock, so the stages overlap on
as many cores. Between them waits the newest item of a live source, or a bounded number of a file's.
Tensors live in a few buffers that go round.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.cameras.base import MAX_TORN, TORN_IN_A_ROW, Camera, too_many_torn
from edgeinfer.device.errors import ImageError
from edgeinfer.device.results import Answer
from edgeinfer.device.slot import EndOfItems, Slot
from edgeinfer.device.types import Frame, Prediction

READ_LIMIT_S = 15.0
"""How long a camera's last read may take before the pipeline gives up waiting for it."""
INTERRUPT_AGAIN_S = 0.05
"""How soon a camera whose read has not ended is interrupted again."""


class Predictor(Protocol):
    """What the loop needs of a model; `edgeinfer.device.model.Model` is one."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes; empty for a model of values."""
        ...

    def prepare(
        self, frame: Frame, *, out: NDArray[np.generic] | None = None
    ) -> NDArray[np.generic]:
        """Return the input tensor for a frame, in `out` where that is given."""
        ...

    def infer(self, tensor: NDArray[np.generic]) -> Prediction:
        """Return the prediction for an input tensor."""
        ...


class _Prepared(NamedTuple):
    frame: Frame
    tensor: NDArray[Any]


class _Result(NamedTuple):
    """What inference gives: an answer or the error that ended it."""

    answer: Answer | None
    tensor: NDArray[Any] | None = None
    error: BaseException | None = None


class Pipeline:
    """Answers a source's frames. The caller opens and closes camera and models.

    Args:
        camera: where frames come from; read by a thread of its own.
        models: what answers, all the same; with several, as many frames are answered side by side.
            The first one prepares the frames.
        every: answer each frame whose number is a multiple of this.
        max_fps: answer at most so many frames a second.
    """

    def __init__(
        self,
        camera: Camera,
        models: Sequence[Predictor],
        *,
        every: int = 1,
        max_fps: float | None = None,
    ) -> None:
        self._camera = camera
        self._models = models
        self._every = every
        self._interval_s = 0.0 if max_fps is None else 1.0 / max_fps
        self._closing = threading.Event()
        self._frames: Slot[Frame] = Slot(keep_newest=camera.live, capacity=2)
        # As many as there are models: they may all become free at once.
        waiting = 1 if camera.live else len(models)
        self._tensors: Slot[_Prepared] = Slot(
            keep_newest=camera.live,
            capacity=waiting,
            on_drop=lambda item: self._free.put(item.tensor),
        )
        # One being filled, those that wait, and of each model one in use and one whose answer was
        # not yet taken; None becomes a new array.
        self._free: SimpleQueue[NDArray[Any] | None] = SimpleQueue()
        for _ in range(1 + waiting + 2 * len(models)):
            self._free.put(None)
        self._results: SimpleQueue[tuple[int, _Result]] = SimpleQueue()
        self._early: dict[int, _Result] = {}
        self._turn = threading.Lock()
        self._taken = 0
        self._given = 0
        self.torn = 0
        """Pictures that could not be decoded and were passed over."""
        self._threads = [
            threading.Thread(target=work, args=arguments, name=f"edgeinfer-{name}", daemon=True)
            for name, work, arguments in self._stages()
        ]
        for thread in self._threads:
            thread.start()

    def _stages(self) -> list[tuple[str, Any, tuple[Any, ...]]]:
        return [
            ("capture", self._capture, ()),
            ("prepare", self._prepare, ()),
            *(("infer", self._infer, (model,)) for model in self._models),
        ]

    @property
    def dropped(self) -> int:
        """Frames of a live source that a newer one replaced before they were answered."""
        return self._frames.dropped + self._tensors.dropped

    def next(self, timeout_s: float) -> Answer | None:
        """Return the next answer, or None if there is none within `timeout_s`.

        Raises:
            EndOfItems: the source has ended and every frame was answered, or this was closed.
            EdgeinferError: the source or the model failed; the answers before it were given.
        """
        if self._closing.is_set():
            raise EndOfItems
        deadline = time.monotonic() + timeout_s
        while self._given not in self._early:
            try:
                index, result = self._results.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                return None
            self._early[index] = result
        result = self._early.pop(self._given)
        self._given += 1
        if result.error is not None:
            raise result.error
        # Only now, so that a slow reader or worker holds the others back: few answers wait.
        self._free.put(result.tensor)
        return result.answer

    def close(self) -> None:
        """Stop all stages and wait for them; a camera's last read may take a while."""
        self._closing.set()
        self._frames.close()
        self._tensors.close()
        self._free.put(None)  # for a stage that waits for a buffer
        self._end_capture()
        for thread in self._threads:
            thread.join(READ_LIMIT_S)

    def _end_capture(self) -> None:
        """Have the camera's last read end; it may be about to begin, so once is not enough."""
        capture, deadline = self._threads[0], time.monotonic() + READ_LIMIT_S
        while capture.is_alive() and time.monotonic() < deadline:
            self._camera.interrupt()
            capture.join(INTERRUPT_AGAIN_S)

    def _capture(self) -> None:
        """Move frames from the camera to the next stage until one of them has enough."""
        camera, index = self._camera, 0
        try:
            while not self._closing.is_set():
                if index % self._every:
                    if not camera.skip():
                        break
                else:
                    frame = camera.read()
                    if frame is None or not self._frames.put(frame):
                        break
                    del frame  # its memory may be used again
                index += 1
        except BaseException as error:
            self._frames.end(error)  # raised again in the thread that answers
        else:
            self._frames.end()

    def _prepare(self) -> None:
        """Turn frames into tensors."""
        model, torn, due_s = self._models[0], 0, time.monotonic()
        try:
            while True:
                tensor = self._free.get()
                if self._interval_s:
                    due_s = self._wait_until(due_s)
                while True:
                    frame = self._frames.take()
                    assert frame is not None
                    try:
                        tensor = model.prepare(frame, out=tensor)
                    except ImageError as error:
                        torn = self._count_torn(torn + 1, error)
                        continue
                    break
                torn = 0
                if not self._tensors.put(_Prepared(frame=frame, tensor=tensor)):
                    return
                del frame
        except EndOfItems:
            self._tensors.end()
        except BaseException as error:
            self._tensors.end(error)
            self._frames.close()

    def _count_torn(self, in_a_row: int, error: ImageError) -> int:
        self.torn += 1
        if in_a_row >= MAX_TORN:
            if self._camera.restart(TORN_IN_A_ROW):
                return 0
            raise too_many_torn(self._camera.description) from error
        return in_a_row

    def _wait_until(self, due_s: float) -> float:
        """Wait until it is time for the next frame; return when the one after it is due."""
        now_s = time.monotonic()
        if now_s < due_s:
            self._closing.wait(due_s - now_s)
            return due_s + self._interval_s
        # A loop that was late is not hurried afterwards.
        return max(due_s, now_s - self._interval_s) + self._interval_s

    def _infer(self, model: Predictor) -> None:
        """Answer frames, beside others who do; their order is that in which they were taken."""
        while True:
            try:
                with self._turn:
                    prepared = self._tensors.take()
                    index = self._taken
                    self._taken += 1
            except BaseException as error:
                # Each thread finds the end by itself; one message of it is enough.
                with self._turn:
                    index = self._taken
                    self._taken += 1
                self._results.put((index, _Result(answer=None, error=error)))
                return
            assert prepared is not None
            try:
                result = _Result(answer=_answer(model, prepared), tensor=prepared.tensor)
            except BaseException as error:
                result = _Result(answer=None, error=error)
            self._results.put((index, result))
            del prepared, result


def _answer(model: Predictor, prepared: _Prepared) -> Answer:
    prediction = model.infer(prepared.tensor)
    frame = prepared.frame
    age_ms = (time.monotonic_ns() - frame.captured_ns) / 1e6
    return Answer(frame=frame, prediction=prediction, age_ms=age_ms)
