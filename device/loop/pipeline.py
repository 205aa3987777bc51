"""Capture, preprocessing and inference side by side.

    camera -> [frames] -> prepare -> [tensors] -> infer, on a thread or several -> in frame order

OpenCV, the native kernels and the runtimes release Python's global lock, so the stages overlap on
as many cores. Between them waits the newest item of a live source, or a bounded number of a file's.
Tensors live in a few buffers that are used again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import NDArray

from edgeinfer.device.cameras.base import DAMAGED_IN_A_ROW, MAX_DAMAGED, Camera, too_many_damaged
from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.loop.model_set import CurrentModels, ModelSet, Predictor
from edgeinfer.device.loop.pace import Pace
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.loop.slot import EndOfItems, Slot
from edgeinfer.device.loop.smoothing import Smoother
from edgeinfer.device.loop.timed_queue import TimedQueue
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.region import is_too_small

if TYPE_CHECKING:
    from edgeinfer.device.loop.following.follower import Follow

READ_LIMIT_S = 8.0
"""How long the stages may take to end, a camera's last read above all; V4L2 waits 5 s for one."""
INTERRUPT_AGAIN_S = 0.05
"""How soon a camera whose read has not ended is interrupted again."""


class _Buffer(NamedTuple):
    """A tensor, and the models whose shape and dtype it has."""

    tensor: NDArray[Any]
    models: ModelSet


class _Prepared(NamedTuple):
    frame: Frame
    buffer: _Buffer


class _Result(NamedTuple):
    """What inference gives: an answer or the error that ended it."""

    answer: Answer | None
    buffer: _Buffer | None = None
    error: BaseException | None = None


class Pipeline:
    """Answers a source's frames. The caller opens and closes camera and models.

    Args:
        camera: where frames come from; read by a separate thread.
        models: what answers, all the same; with several, as many frames are answered side by side.
            The first one prepares the frames. `replace_models` replaces them.
        every: answer each frame whose number is a multiple of this.
        max_fps: answer at most this many frames a second; can be set again at any time.
        smooth: over how many answers each one is smoothed.
        follow: how objects are followed from frame to frame; None does not.
    """

    def __init__(
        self,
        camera: Camera,
        models: Sequence[Predictor],
        *,
        every: int = 1,
        max_fps: float | None = None,
        smooth: int = 1,
        follow: Follow | None = None,
    ) -> None:
        self._camera = camera
        self._smoothed = Smoother(smooth)
        self._followed: Callable[[Answer], Answer] | None = None
        if follow is not None:
            # Most loops do not: what it imports is left out of their start.
            from edgeinfer.device.loop.following.follower import Follower

            self._followed = Follower(follow, live=camera.live)
        self._models = CurrentModels(models)
        self._every = every
        self._pace = Pace(max_fps)
        self._ending = False
        self._closing = threading.Event()
        self._frames: Slot[Frame] = Slot(keep_newest=camera.live, capacity=2)
        # As many as there are models: they may all become free at the same time.
        waiting = 1 if camera.live else len(models)
        self._tensors: Slot[_Prepared] = Slot(
            keep_newest=camera.live,
            capacity=waiting,
            on_drop=lambda item: self._release(item.buffer),
        )
        # One being filled, those that wait, and of each model one in use and one whose answer was
        # not yet taken; None becomes a new array.
        self._free: SimpleQueue[_Buffer | None] = SimpleQueue()
        for _ in range(1 + waiting + 2 * len(models)):
            self._free.put(None)
        self._results: TimedQueue[tuple[int, _Result]] = TimedQueue()
        self._early: dict[int, _Result] = {}
        self._turn = threading.Lock()
        self._taken = 0
        self._given = 0
        self.damaged = 0
        """Pictures that could not be decoded and were skipped."""
        self._threads = [
            threading.Thread(target=work, args=arguments, name=f"edgeinfer-{name}", daemon=True)
            for name, work, arguments in self._stages(len(models))
        ]
        for thread in self._threads:
            thread.start()

    def _stages(self, models: int) -> list[tuple[str, Any, tuple[Any, ...]]]:
        return [
            ("capture", self._capture, ()),
            ("prepare", self._prepare, ()),
            *(("infer", self._infer, (index,)) for index in range(models)),
        ]

    @property
    def dropped(self) -> int:
        """Frames of a live source that were too old, or that a newer one replaced before they were
        answered."""
        return self._camera.dropped + self._frames.dropped + self._tensors.dropped

    @property
    def max_fps(self) -> float | None:
        """Frames a second that are answered at most; None for as many as there are."""
        return self._pace.max_fps

    @max_fps.setter
    def max_fps(self, max_fps: float | None) -> None:
        self._pace.max_fps = max_fps

    def replace_models(self, models: Sequence[Predictor]) -> threading.Event:
        """Answer the frames from now on with other models; no frame is lost, the order is kept.

        Returns:
            What is set as soon as the models before are no longer needed and may be closed.

        Raises:
            ValueError: there are more or fewer than before.
        """
        return self._models.replace(models)

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
                index, result = self._results.get(max(0.0, deadline - time.monotonic()))
            except Empty:
                return None
            self._early[index] = result
        result = self._early.pop(self._given)
        self._given += 1
        if result.error is not None:
            raise result.error
        # Only now, so that a slow reader or worker holds the others back: few answers wait.
        self._free.put(result.buffer)
        if result.answer is None:
            return None
        answer = self._smoothed(result.answer)
        return answer if self._followed is None else self._followed(answer)

    def finish(self) -> None:
        """Stop taking frames: those that are on their way are answered, then the end comes."""
        self._ending = True
        self._frames.end()
        self._pace.end()

    def close(self) -> None:
        """Stop all stages and wait for them, at most `READ_LIMIT_S`.

        A camera whose read does not return by then is marked `abandoned`: it must not be closed.
        """
        self._ending = True
        self._closing.set()
        self._pace.end()
        self._frames.close()
        self._tensors.close()
        self._free.put(None)  # for a stage that waits for a buffer
        deadline = time.monotonic() + READ_LIMIT_S
        self._end_capture(deadline)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if self._threads[0].is_alive():
            self._camera.abandoned = True

    def _end_capture(self, deadline: float) -> None:
        """Have the camera's last read end; it may be about to begin, so once is not enough."""
        capture = self._threads[0]
        while capture.is_alive() and time.monotonic() < deadline:
            self._camera.interrupt()
            capture.join(INTERRUPT_AGAIN_S)

    def _capture(self) -> None:
        """Move frames from the camera to the next stage until one of them has enough."""
        camera, index = self._camera, 0
        try:
            while not self._ending:
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
        try:
            while True:
                buffer = self._free.get()
                self._pace.wait()
                prepared = self._prepare_next(buffer)
                if not self._tensors.put(prepared):
                    return
                del buffer, prepared  # their memory may be used again
        except EndOfItems:
            self._tensors.end()
        except BaseException as error:
            self._tensors.end(error)
            self._frames.close()

    def _prepare_next(self, buffer: _Buffer | None) -> _Prepared:
        """Prepare the next whole picture for the models of that moment."""
        damaged = 0
        while True:
            frame = self._frames.take()
            assert frame is not None
            models = self._models.take()
            fits = buffer is not None and buffer.models is models
            try:
                tensor = models.models[0].prepare(
                    frame, out=buffer.tensor if buffer is not None and fits else None
                )
            except ImageError as error:
                self._models.give_back(models)
                if is_too_small(error):
                    raise  # whole, and the next ones are as small
                damaged = self._count_damaged(damaged + 1, error)
                continue
            return _Prepared(frame=frame, buffer=_Buffer(tensor=tensor, models=models))

    def _release(self, buffer: _Buffer) -> None:
        """Take back what a frame held that is not answered."""
        self._models.give_back(buffer.models)
        self._free.put(buffer)

    def _count_damaged(self, in_a_row: int, error: ImageError) -> int:
        self.damaged += 1
        if in_a_row >= MAX_DAMAGED:
            if self._camera.restart(DAMAGED_IN_A_ROW):
                return 0
            raise too_many_damaged(self._camera.description) from error
        return in_a_row

    def _infer(self, own: int) -> None:
        """Answer frames, while other threads do too; their order is that in which they were
        taken."""
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
            buffer = prepared.buffer
            try:
                answer = _answer(buffer.models.models[own], prepared)
                result = _Result(answer=answer, buffer=buffer)
                del answer
            except BaseException as error:
                result = _Result(answer=None, error=error)
            self._models.give_back(buffer.models)
            self._results.put((index, result))
            del prepared, buffer, result


def _answer(model: Predictor, prepared: _Prepared) -> Answer:
    frame = prepared.frame
    prediction = model.infer(prepared.buffer.tensor)
    if prediction.placing is not None:  # else a JPEG's size would be read for nothing
        prediction = prediction.in_frame(frame.size)
    age_ms = (time.monotonic_ns() - frame.captured_ns) / 1e6
    return Answer(frame=frame, prediction=prediction, age_ms=age_ms, region=model.region)
