"""Predictions for what a camera sees, as a Python iterator."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
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

if TYPE_CHECKING:
    from edgeinfer.device.loop.following.follower import Follow

_POLL_S = 0.1
"""How often Ctrl-C is looked for while no answer comes."""
_OPEN: WeakSet[Stream] = WeakSet()


class Stream(Closing):
    """An open camera with its model, made by `edgeinfer.open`. Loop over it to get predictions.

    A `for` loop over the stream gives one `Prediction` for each frame; `answers` gives the frame
    and the age of the answer as well. A stream can be read only once. The camera and the model are
    closed when the source ends, when the loop ends, or by `close`; a `with` block calls `close`.

    Examples:
        >>> with edgeinfer.open("photos.edgebundle", camera="clip.mp4") as stream:
        ...     for answer in stream.answers():
        ...         print(answer.frame.sequence, answer.prediction.text(), answer.age_ms)
        0 cat 98.1% 12.4
        1 cat 97.9% 11.8

    Attributes:
        camera: the open camera; `camera.description` says which one it is, with its size and rate.
        models: the open models, one for each frame that is answered at the same time.
    """

    def __init__(
        self,
        camera: Camera,
        models: Sequence[Model],
        *,
        every: int = 1,
        max_fps: float | None = None,
        smooth: int = 1,
        follow: Follow | None = None,
    ) -> None:
        self.camera = camera
        self.models = models
        self._every = every
        self._max_fps = max_fps
        self._smooth = smooth
        self._follow = follow
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
        """Yield an `Answer` for each frame: the prediction, the frame, and the age of the answer.

        Raises:
            CameraError: the stream is closed or was read before, or the camera failed.
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
            follow=self._follow,
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
        """How many frames of a live camera were skipped: too old, or the model was not ready."""
        return 0 if self._pipeline is None else self._pipeline.dropped

    def close(self) -> None:
        """Stop, and close the camera and the models. A second call does nothing."""
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
    follow: Follow | None = None,
    parallel: int = 1,
    realtime: bool = False,
    fps: float | None = None,
    seed: int = 0,
    camera_options: CameraOptions | None = None,
) -> Stream:
    """Open a model and a camera, and return a `Stream` of predictions to loop over.

    Examples:
        >>> for prediction in edgeinfer.open("photos.edgebundle", camera="/dev/video0"):
        ...     print(prediction.text())
        cat 98.1%
        cat 97.9%

    Args:
        model: path of the model file: a `.edgebundle`, or a `.tflite` image model.
        options: how to open the model. By default the best variant of the bundle that works here,
            with the number of threads that suits the board.
        camera: where the frames come from: a camera's number, a device such as "/dev/video0",
            "picamera", a URL, a video file, a folder of images, "-" for JPEGs on standard input,
            "simulated" or "simulated:FOLDER". By default the first camera that is found.
        every: answer only every Nth frame of the camera: 2 answers every second frame. 1 answers
            all frames.
        max_fps: answer at most this many frames a second. By default there is no limit.
        smooth: smooth each answer over this many of the latest answers, 1 to 1,000. 1 does not
            smooth. Classes get the mean of their probabilities, values their median, objects
            must be found in more than half of these frames.
        follow: give the objects of a detector numbers that they keep from frame to frame, and count
            them at lines and in zones; the predictions are `FollowedDetections`. By default objects
            have no numbers.
        parallel: how many frames are answered at the same time, each by its own copy of the model.
            More give more frames a second, and need more cores and memory.
        realtime: play a video file at its own frame rate and skip frames that come too fast for
            the model, as a live camera would. By default every frame is answered.
        fps: frame rate of the simulated camera, of a folder with `realtime`, and of a URL that
            gives one picture for each request, in frames per second. By default 30, and 1 for such
            a URL.
        seed: random seed of the simulated camera.
        camera_options: image size, frame rate and other settings of the camera. By default the
            smallest image size of the camera that is not smaller than the model's input.

    Returns:
        The open stream. Loop over it to get the predictions.

    Raises:
        CameraError: the camera cannot be opened.
        ModelError: the model file is missing, or is not a model.
        BundleError: the bundle is damaged, or of a version that is not supported.
        DelegateError: `options` require an accelerator that does not work.
        UsageError: `every` or `parallel` is below 1, `max_fps` or `fps` is not above 0, or `smooth`
            or `follow` does not suit the model's task.
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
            source_options["options"] = replace(chosen, covers=model_input_size(model, options))
        ahead = CameraAhead(partial(open_camera, source, **source_options))
    try:
        models = open_models(model, parallel, options)
    except BaseException:
        if ahead is not None:
            ahead.abandon()
        raise
    try:
        require_smooth(models[0].task, smooth)
        if follow is not None:
            from edgeinfer.device.loop.following.follower import require_followed

            require_followed(models[0].task)
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
    return Stream(opened, models, every=every, max_fps=max_fps, smooth=smooth, follow=follow)


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


def _require_numbers(
    *, every: int, parallel: int, max_fps: float | None, fps: float | None
) -> None:
    """Refuse numbers that would stop the loop."""
    for name, count in (("every", every), ("parallel", parallel)):
        if count < 1:
            raise UsageError(name, got=f"is {count}", expected="1 or more")
    for name, rate in (("max_fps", max_fps), ("fps", fps)):
        if rate is not None and not 0 < rate < float("inf"):
            raise UsageError(name, got=f"is {rate}", expected="frames a second, above 0")
