"""Predictions for what a camera sees, as a Python iterator."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakSet

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.open import is_device, needs_model, open_camera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.cameras.recovery.open_early import CameraAhead
from edgeinfer.device.core.closing import Closing
from edgeinfer.device.core.errors import CameraError, ModelError, UsageError
from edgeinfer.device.core.paths import AnyPath, file_path
from edgeinfer.device.loop.pipeline import Pipeline
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.loop.slot import EndOfItems
from edgeinfer.device.loop.smoothing import require_smooth
from edgeinfer.device.models.input_size import model_input_size
from edgeinfer.device.models.model import Model, open_models
from edgeinfer.device.runtime.open_options import OpenOptions, checked_options
from edgeinfer.device.tasks.prediction import Prediction

_POLL_S = 0.1
"""How often Ctrl-C is looked for while no answer comes."""
_OPEN: WeakSet[Stream] = WeakSet()


class Stream(Closing):
    """A camera and what answers it. Iterating gives predictions; `answers` their frames as well.

    Examples:
        >>> with edgeinfer.open("photos.edgebundle", camera="clip.mp4") as stream:
        ...     for answer in stream.answers():
        ...         print(answer.frame.sequence, answer.prediction.text(), answer.age_ms)

    It can be read once; at the end of the source, when the loop is left, or on `close`,
    the camera is released.

    Attributes:
        camera: the source.
        models: what answers; several when frames are answered side by side.
    """

    def __init__(
        self,
        camera: Camera,
        models: Sequence[Model],
        *,
        every: int = 1,
        max_fps: float | None = None,
        smooth: int = 1,
    ) -> None:
        self.camera = camera
        self.models = models
        self._every = every
        self._max_fps = max_fps
        self._smooth = smooth
        self._pipeline: Pipeline | None = None
        self._closed = False
        _OPEN.add(self)

    def __iter__(self) -> Iterator[Prediction]:
        """Yield the prediction for each frame.

        Raises:
            CameraError: the stream is closed or was read already, or the camera failed.
            EdgeinferError: the model failed.
        """
        for answer in self.answers():
            yield answer.prediction

    def answers(self) -> Iterator[Answer]:
        """Yield for each frame the prediction, the frame, and how old the answer is.

        Raises:
            CameraError: the stream is closed or was read already, or the camera failed.
            EdgeinferError: the model failed.
        """
        if self._closed or self._pipeline is not None:
            raise CameraError(
                "stream",
                got="is closed" if self._closed else "is being read already",
                next_step="open another one with edgeinfer.open(...)",
            )
        self._pipeline = Pipeline(
            self.camera,
            self.models,
            every=self._every,
            max_fps=self._max_fps,
            smooth=self._smooth,
        )
        try:
            while True:
                answer = self._pipeline.next(_POLL_S)
                if answer is not None:
                    yield answer
        except EndOfItems:
            return
        finally:
            self.close()

    @property
    def dropped(self) -> int:
        """Frames of a live source that a newer one replaced before they were answered."""
        return 0 if self._pipeline is None else self._pipeline.dropped

    def close(self) -> None:
        """Stop, and release camera and models; closing twice is harmless."""
        self._closed = True
        if self._pipeline is not None:
            self._pipeline.close()
        if not self.camera.abandoned:
            self.camera.close()
        for model in self.models:
            model.close()


@atexit.register
def _close_all() -> None:
    """Close what a script left open: a thread that Python ends in C++ code aborts the process."""
    for stream in list(_OPEN):
        stream.close()


def open_stream(
    model: AnyPath,
    options: OpenOptions | None = None,
    *,
    camera: AnyPath | int = "",
    every: int = 1,
    max_fps: float | None = None,
    smooth: int = 1,
    parallel: int = 1,
    realtime: bool = False,
    fps: float = 30.0,
    seed: int = 0,
    camera_options: CameraOptions | None = None,
) -> Stream:
    """Open a model and a camera; `edgeinfer.open` is this function.

    Examples:
        >>> for prediction in edgeinfer.open("photos.edgebundle", camera="/dev/video0"):
        ...     print(prediction.text())

    Args:
        model: a `.edgebundle`, or the `.tflite` of an image classifier.
        options: how the model is opened; None takes the best that is there.
        camera: a number, a device such as "/dev/video0", a video file, a folder of images,
            "simulated" or "simulated:FOLDER"; by default the first camera found.
        every: answer each frame whose number is a multiple of this.
        max_fps: answer at most so many frames a second.
        smooth: over how many answers each one is smoothed, as its task does it: 1 to 1,000.
        parallel: answer so many frames side by side, for throughput.
        realtime: play files at their own rate, as if they were live.
        fps: the rate of the simulated camera, and of a folder under `realtime`.
        seed: the simulated camera's.
        camera_options: a camera's mode and controls; by default the smallest mode that covers the
            model's input.

    Raises:
        EdgeinferError: the model or the camera cannot be opened.
        UsageError: a number is impossible.
    """
    model = file_path(model, error=ModelError, expected="the path of a model file")
    options = checked_options(options)
    if options.threads is None:
        from edgeinfer.boards.here import threads_here

        options = replace(options, threads=threads_here())
    _require_numbers(every=every, parallel=parallel, max_fps=max_fps, fps=fps)
    source = _source(camera)
    chosen = camera_options if camera_options is not None else CameraOptions()
    source_options: dict[str, Any] = {"fps": fps, "seed": seed, "realtime": realtime}
    source_options["options"] = chosen
    ahead = None
    if not needs_model(source):
        if is_device(source) and chosen.covers is None:
            source_options["options"] = replace(chosen, covers=model_input_size(model))
        ahead = CameraAhead(partial(open_camera, source, **source_options))
    try:
        models = open_models(model, parallel, options)
    except BaseException:
        if ahead is not None:
            ahead.abandon()
        raise
    try:
        require_smooth(models[0].task, smooth)
        opened = (
            ahead.take()
            if ahead is not None
            else open_camera(
                source,
                pictures=models[0].golden_frames,
                spec=models[0].preprocessor.spec,
                **source_options,
            )
        )
    except BaseException:
        if ahead is not None:
            ahead.abandon()
        for answering in models:
            answering.close()
        raise
    return Stream(opened, models, every=every, max_fps=max_fps, smooth=smooth)


def _source(camera: AnyPath | int) -> str:
    """Return a camera's name as text; callers without a type checker may give anything."""
    if isinstance(camera, int):
        return str(camera)
    if isinstance(camera, (str, os.PathLike)):
        return os.fspath(camera)
    raise CameraError(
        "camera",
        got="is None" if camera is None else f"is of type {type(camera).__name__}",
        expected='a number, a device such as "/dev/video0", a URL, a file or a folder',
        next_step="leave it out to take the first camera",
    )


def _require_numbers(*, every: int, parallel: int, max_fps: float | None, fps: float) -> None:
    """Refuse numbers that would stop the loop."""
    for name, count in (("every", every), ("parallel", parallel)):
        if count < 1:
            raise UsageError(name, got=f"is {count}", expected="1 or more")
    for name, rate in (("max_fps", max_fps), ("fps", fps)):
        if rate is not None and not 0 < rate < float("inf"):
            raise UsageError(name, got=f"is {rate}", expected="frames a second, above 0")
