"""The loop with small real sources and models; `edgeinfer run` is tested in cli/test_run.py."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.files.folder import FolderCamera
from edgeinfer.device.cameras.files.video import VideoCamera
from edgeinfer.device.core.errors import CameraError, ModelError, StorageError
from edgeinfer.device.core.signals import StopRequest
from edgeinfer.device.loop.results import Answer, LoopSummary
from edgeinfer.device.loop.run_loop import run_loop
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.prediction import Prediction
from tests.support.waiting import PATIENCE_S, until


class Brightness:
    """Tells dark pictures from bright ones."""

    labels = ("dark", "bright")
    region = None

    def __init__(self, *, seconds: float = 0.0) -> None:
        self._seconds = seconds

    def prepare(
        self, frame: Frame, *, out: NDArray[np.generic] | None = None
    ) -> NDArray[np.generic]:
        return frame.rgb()

    def infer(self, tensor: NDArray[Any]) -> Prediction:
        time.sleep(self._seconds)
        bright = float(tensor.mean()) / 255
        return Classification(labels=self.labels, probabilities=np.array([1 - bright, bright]))


class Ticker(Camera):
    """A live source that delivers as fast as it is read, up to one frame a millisecond."""

    live = True
    description = "ticker"

    def __init__(self, *, count: int = 1_000_000, error: Exception | None = None) -> None:
        self.delivered = 0
        self._count = count
        self._error = error

    def read(self) -> Frame | None:
        if self.delivered == self._count:
            if self._error is not None:
                raise self._error
            return None
        time.sleep(0.001)
        self.delivered += 1
        return Frame(
            pixels=np.zeros((4, 4, 3), dtype=np.uint8),
            sequence=self.delivered - 1,
            captured_ns=time.monotonic_ns(),
        )


class Listing:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.summaries: list[LoopSummary] = []

    def write(self, answer: Answer) -> None:
        self.answers.append(answer)

    def finish(self, summary: LoopSummary) -> None:
        self.summaries.append(summary)


class FullDisk(Listing):
    def write(self, answer: Answer) -> None:
        super().write(answer)
        raise StorageError("output", got="cannot be written (no space left on device)")


@pytest.fixture(autouse=True)
def no_thread_stays() -> object:
    yield
    assert [t.name for t in threading.enumerate() if t.name.startswith("edgeinfer-")] == []


def test_folder_loses_no_frame_and_accuracy_is_counted(class_folder: Path) -> None:
    sink = Listing()
    (class_folder / "bright" / "1.png").write_bytes(b"no image")
    (class_folder / "dark" / "0.png").rename(class_folder / "bright" / "really-dark.png")
    with FolderCamera(class_folder) as camera:
        summary = run_loop(camera, Brightness(seconds=0.01), [sink])
    assert [answer.frame.sequence for answer in sink.answers] == list(range(5))
    assert sink.summaries == [summary]
    assert (summary.frames, summary.dropped, summary.unreadable) == (5, 0, 1)
    assert (summary.labelled_frames, summary.correct_frames) == (5, 4)
    assert summary.accuracy == 0.8


def test_classes_that_the_model_lacks_are_not_counted(class_folder: Path) -> None:
    (class_folder / "bright").rename(class_folder / "holidays")
    with FolderCamera(class_folder) as camera:
        summary = run_loop(camera, Brightness(), [])
    assert (summary.frames, summary.labelled_frames, summary.accuracy) == (6, 3, 1.0)


def test_slow_model_gets_every_frame_of_a_file(video: Path) -> None:
    sink = Listing()
    with VideoCamera(video) as camera:
        summary = run_loop(camera, Brightness(seconds=0.02), [sink])
    assert [answer.frame.sequence for answer in sink.answers] == list(range(12))
    assert summary.dropped == 0
    assert summary.accuracy is None


def test_slow_model_gets_the_newest_frames_of_a_live_source() -> None:
    sink, camera = Listing(), Ticker()

    class Slow(Brightness):
        def infer(self, tensor: NDArray[Any]) -> Prediction:
            # For as long as the source needs for eight more, however busy the machine is.
            seen = camera.delivered
            until(lambda: camera.delivered >= seen + 8 or len(sink.answers) == 10)
            return super().infer(tensor)

    summary = run_loop(camera, Slow(seconds=0.03), [sink], max_frames=10)
    assert summary.frames == 10
    sequences = [answer.frame.sequence for answer in sink.answers]
    skipped = [after - before for before, after in itertools.pairwise(sequences)]
    assert min(skipped) > 1  # the source is many times as fast as the model
    # Every delivered frame was answered, dropped, or waiting when the loop ended.
    assert 0 <= camera.delivered - summary.frames - summary.dropped <= 8
    assert all(answer.age_ms >= 30 for answer in sink.answers)
    assert summary.age_p50_ms is not None
    assert summary.age_p99_ms is not None
    assert 29 < summary.age_p50_ms <= summary.age_p99_ms


def test_real_time_file_drops(video: Path) -> None:
    with VideoCamera(video, realtime=True) as camera:
        summary = run_loop(camera, Brightness(seconds=0.2), [])
    assert summary.dropped > 0
    assert summary.frames + summary.dropped == 12


def test_max_seconds_ends_it_even_without_a_frame() -> None:
    release = threading.Event()

    class Silent(Ticker):
        def read(self) -> Frame | None:
            release.wait(0.5)
            return None

    summary = run_loop(Silent(), Brightness(), [], max_seconds=0.2)
    assert summary.frames == 0
    assert (summary.age_p50_ms, summary.age_p99_ms, summary.accuracy) == (None, None, None)


def test_stop_request_finishes_the_frames_that_are_being_processed() -> None:
    stop = StopRequest()
    begun = 0

    class Asking(Brightness):
        def infer(self, tensor: NDArray[Any]) -> Prediction:
            nonlocal begun
            begun += 1
            stop.requested = True
            return super().infer(tensor)

    sink = Listing()
    summary = run_loop(Ticker(), Asking(seconds=0.3), [sink], stop=stop)
    # That one, and at most those that waited: a tensor and a frame.
    assert begun == summary.frames == len(sink.answers) <= 3


def test_stop_request_does_not_wait_for_an_answer_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edgeinfer.device.loop.run_loop.DRAIN_S", 0.2)
    monkeypatch.setattr("edgeinfer.device.loop.pipeline.READ_LIMIT_S", 0.2)
    stop, release = StopRequest(), threading.Event()

    class Hanging(Brightness):
        def infer(self, tensor: NDArray[Any]) -> Prediction:
            stop.requested = True
            release.wait(PATIENCE_S)
            return super().infer(tensor)

    sink = Listing()
    summary = run_loop(Ticker(), Hanging(), [sink], stop=stop)
    assert sink.summaries == [summary]
    assert summary.frames == 0
    release.set()
    for thread in threading.enumerate():
        if thread.name.startswith("edgeinfer-"):
            thread.join(PATIENCE_S)


def test_error_of_the_source_comes_with_the_summary_of_what_was_done() -> None:
    sink = Listing()
    camera = Ticker(count=20, error=CameraError("/dev/video0", got="stopped delivering pictures"))
    with pytest.raises(CameraError, match="stopped delivering"):
        run_loop(camera, Brightness(), [sink])
    assert sink.summaries[0].frames == len(sink.answers) > 0


def test_defect_in_a_source_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        run_loop(Ticker(count=1, error=ZeroDivisionError()), Brightness(), [])


def test_error_of_the_model_ends_it() -> None:
    class Failing(Brightness):
        def infer(self, tensor: NDArray[Any]) -> Prediction:
            raise ModelError("inference", got="failed")

    sink = Listing()
    with pytest.raises(ModelError):
        run_loop(Ticker(), Failing(), [sink])
    assert sink.summaries[0].frames == 0


def test_error_of_a_sink_ends_it() -> None:
    sink = FullDisk()
    with pytest.raises(StorageError, match="no space"):
        run_loop(Ticker(), Brightness(), [sink])
    assert len(sink.answers) == 1


def test_summary_as_json_and_text() -> None:
    summary = LoopSummary(
        frames=1200,
        dropped=3,
        seconds=40.0,
        age_p50_ms=4.25,
        age_p99_ms=9.5,
        labelled_frames=1000,
        correct_frames=915,
        unreadable=2,
    )
    assert summary.to_json() == {
        "frames": 1200,
        "dropped": 3,
        "seconds": 40.0,
        "fps": 30.0,
        "age_p50_ms": 4.25,
        "age_p99_ms": 9.5,
        "accuracy": 0.915,
        "labelled_frames": 1000,
        "unreadable": 2,
        "outputs": [],
    }
    assert str(summary) == (
        "1,200 frames in 40.0 s, 30.0 frames/s, 3 dropped, "
        "capture to result 4.2 ms (p99 9.5 ms), 2 unreadable skipped\n"
        "91.5% of 1,000 labelled frames answered right"
    )
