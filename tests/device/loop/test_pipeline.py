"""Stages side by side: order, reuse of memory, rates, incomplete pictures, errors."""

from __future__ import annotations

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.device.cameras.base import MAX_DAMAGED, Camera
from edgeinfer.device.core.errors import CameraError, ModelError
from edgeinfer.device.loop.pipeline import Pipeline
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.loop.slot import EndOfItems
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.value.prediction import Value
from tests.support.waiting import PATIENCE_S, until

WHOLE = np.asarray(cv2.imencode(".jpg", np.full((16, 16, 3), 90, np.uint8))[1], np.uint8).reshape(
    -1
)
INCOMPLETE = np.zeros(50, np.uint8)


class Counter(Camera):
    """Frames whose first pixel tells their number."""

    description = "counter"

    def __init__(self, count: int, *, live: bool = False, pause_s: float = 0.0) -> None:
        self.live = live
        self.delivered = 0
        self._count = count
        self._pause_s = pause_s

    def picture(self, number: int) -> NDArray[np.uint8]:
        return np.full((2, 2, 3), number % 256, np.uint8)

    def read(self) -> Frame | None:
        if self.delivered == self._count:
            return None
        time.sleep(self._pause_s)
        self.delivered += 1
        pixels = self.picture(self.delivered - 1)
        return Frame(
            pixels=pixels,
            format="jpeg" if pixels.ndim == 1 else "rgb",
            sequence=self.delivered - 1,
            captured_ns=time.monotonic_ns(),
        )


class Echo:
    """Gives a frame's number back, through the tensor, after a pause that depends on it."""

    labels = ()
    region = None

    def __init__(self, pause_s: Callable[[int], float] = lambda number: 0.0) -> None:
        self._pause_s = pause_s
        self.tensors: set[int] = set()
        self.busy = 0
        self.most_busy = 0

    def prepare(
        self, frame: Frame, *, out: NDArray[np.generic] | None = None
    ) -> NDArray[np.generic]:
        tensor = np.empty((1, 2, 2, 3), np.uint8) if out is None else out
        tensor[0] = frame.rgb() if frame.format == "rgb" else frame.rgb()[:2, :2]
        return tensor

    def infer(self, tensor: NDArray[Any]) -> Prediction:
        self.tensors.add(tensor.ctypes.data)
        number = int(tensor[0, 0, 0, 0])
        time.sleep(self._pause_s(number))
        # A buffer that was refilled while it was in use would show another number.
        assert int(tensor[0, 0, 0, 0]) == number
        return Value(value=number, unit="")


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    yield
    assert [t.name for t in threading.enumerate() if t.name.startswith("edgeinfer-")] == []


def drain(pipeline: Pipeline, got: list[Answer], limit: int | None = None) -> None:
    """Put answers into `got`, up to a limit or until an error."""
    while limit is None or len(got) < limit:
        answer = pipeline.next(PATIENCE_S)
        assert answer is not None
        got.append(answer)


def answers(pipeline: Pipeline, limit: int | None = None) -> list[Answer]:
    got: list[Answer] = []
    try:
        drain(pipeline, got, limit)
    except EndOfItems:
        pass
    finally:
        pipeline.close()
    return got


@pytest.mark.parametrize("parallel", [1, 2, 3])
def test_every_frame_is_answered_once_and_in_order(parallel: int) -> None:
    # The first frames wait for each other: one model can not have answered all of them before the
    # others begin.
    together = threading.Barrier(parallel, timeout=PATIENCE_S)

    def pause_s(number: int) -> float:
        if number < parallel:
            together.wait()
        return 0.002 * (number * 7 % 5)

    models = [Echo(pause_s) for _ in range(parallel)]
    got = answers(Pipeline(Counter(60), models))
    assert [answer.frame.sequence for answer in got] == list(range(60))
    assert [answer.prediction for answer in got] == [Value(value=i, unit="") for i in range(60)]
    assert all(model.tensors for model in models), "some model was never asked"


@pytest.mark.parametrize("parallel", [1, 2, 3])
def test_tensors_live_in_a_few_buffers(parallel: int) -> None:
    models = [Echo(lambda number: 0.001) for _ in range(parallel)]
    answers(Pipeline(Counter(60), models))
    assert len(set().union(*(model.tensors for model in models))) <= 3 * parallel + 1


@pytest.mark.parametrize("parallel", [1, 2])
def test_a_live_source_is_never_held_up_and_answers_are_fresh(parallel: int) -> None:
    camera = Counter(1 << 30, live=True, pause_s=0.002)
    got: list[Answer] = []

    def pause_s(number: int) -> float:
        # For as long as the source needs for eight more, however busy the machine is.
        seen = camera.delivered
        until(lambda: camera.delivered >= seen + 8 or len(got) == 10)
        return 0.0

    pipeline = Pipeline(camera, [Echo(pause_s) for _ in range(parallel)])
    drain(pipeline, got, 10)
    pipeline.close()
    sequences = [answer.frame.sequence for answer in got]
    assert sequences == sorted(set(sequences))
    # Most are: a thread that is kept from the processor while it prepares a frame has an old one.
    assert statistics.median(b - a for a, b in itertools.pairwise(sequences[1::parallel])) > 2
    waiting = 4 + 4 * parallel
    assert 0 <= camera.delivered - len(got) - pipeline.dropped <= waiting


def test_every_nth_frame() -> None:
    got = answers(Pipeline(Counter(20), [Echo()], every=6))
    assert [answer.frame.sequence for answer in got] == [0, 6, 12, 18]


def test_no_more_than_the_wanted_rate() -> None:
    start = time.monotonic()
    got = answers(Pipeline(Counter(1 << 30, live=True, pause_s=0.001), [Echo()], max_fps=40), 9)
    # Eight intervals at least lie between the first and the last of nine.
    assert time.monotonic() - start >= 7 / 40
    assert len(got) == 9


def test_the_rate_can_be_changed_at_any_time() -> None:
    pipeline = Pipeline(Counter(1 << 30, live=True, pause_s=0.001), [Echo()], max_fps=0.01)
    assert pipeline.next(PATIENCE_S) is not None
    assert pipeline.next(0.2) is None  # the next one is due in 100 s
    pipeline.max_fps = 40
    start = time.monotonic()
    got: list[Answer] = []
    drain(pipeline, got, 9)
    assert time.monotonic() - start >= 7 / 40
    pipeline.max_fps = 0.01
    # Those whose turn it was already: no more than there are buffers.
    late = list(itertools.takewhile(bool, (pipeline.next(0.3) for _ in range(10))))
    assert len(late) <= 4
    pipeline.max_fps = None
    drain(pipeline, got, len(got) + 50)  # by the old rate they would take more than an hour
    assert pipeline.max_fps is None
    pipeline.close()


@pytest.mark.parametrize("parallel", [1, 2])
@pytest.mark.parametrize("live", [True, False])
def test_finishing_answers_the_frames_on_their_way_and_reads_no_others(
    parallel: int, live: bool
) -> None:
    camera = Counter(1 << 30, live=live, pause_s=0.002)
    pipeline = Pipeline(camera, [Echo(lambda number: 0.03) for _ in range(parallel)])
    got: list[Answer] = []
    drain(pipeline, got, 3)
    pipeline.finish()
    delivered = camera.delivered
    with pytest.raises(EndOfItems):
        drain(pipeline, got)
    pipeline.close()
    assert camera.delivered <= delivered + 1  # the one that was being read
    if not live:  # those between: read, but not yet handed over
        assert [answer.frame.sequence for answer in got] == list(range(len(got)))
        assert len(got) >= delivered - 2
    else:
        assert delivered - len(got) - pipeline.dropped <= 2


def test_finishing_does_not_wait_for_the_next_turn() -> None:
    pipeline = Pipeline(Counter(1 << 30, live=True, pause_s=0.002), [Echo()], max_fps=0.01)
    assert pipeline.next(PATIENCE_S) is not None
    pipeline.finish()
    with pytest.raises(EndOfItems):
        drain(pipeline, [])
    pipeline.close()


def test_a_camera_that_hangs_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeinfer.device.loop.pipeline.READ_LIMIT_S", 0.2)
    hangs, release = threading.Event(), threading.Event()

    class Hanging(Counter):
        def read(self) -> Frame | None:
            if self.delivered == 5:
                hangs.set()
                release.wait(PATIENCE_S)
            return super().read()

    camera = Hanging(6, live=True)
    pipeline = Pipeline(camera, [Echo()])
    assert hangs.wait(PATIENCE_S)
    pipeline.finish()
    with pytest.raises(EndOfItems):
        drain(pipeline, [])
    pipeline.close()
    assert camera.abandoned
    monkeypatch.undo()  # a thread that waits for the processor is not a camera that hangs
    release.set()
    pipeline.close()


class Jpegs(Counter):
    """Frames that are JPEGs, some of them incomplete."""

    def __init__(self, count: int, incomplete: Callable[[int], bool]) -> None:
        super().__init__(count)
        self._incomplete = incomplete

    def picture(self, number: int) -> NDArray[np.uint8]:
        return INCOMPLETE if self._incomplete(number) else WHOLE


def test_incomplete_pictures_are_skipped_and_counted() -> None:
    pipeline = Pipeline(Jpegs(30, lambda number: number % 3 == 1), [Echo()])
    got = answers(pipeline)
    assert [answer.frame.sequence for answer in got] == [n for n in range(30) if n % 3 != 1]
    assert pipeline.damaged == 10


def test_only_incomplete_pictures_is_an_error() -> None:
    pipeline = Pipeline(Jpegs(100, lambda number: number > 4), [Echo()])
    got: list[Answer] = []
    with pytest.raises(CameraError, match=f"{MAX_DAMAGED} damaged pictures in a row"):
        drain(pipeline, got)
    pipeline.close()
    assert len(got) == 5


@pytest.mark.parametrize("parallel", [1, 2])
def test_an_error_of_the_model_comes_after_the_answers_before_it(parallel: int) -> None:
    class Failing(Echo):
        def infer(self, tensor: NDArray[Any]) -> Prediction:
            if int(tensor[0, 0, 0, 0]) == 7:
                raise ModelError("inference", got="failed")
            return super().infer(tensor)

    pipeline = Pipeline(Counter(50), [Failing() for _ in range(parallel)])
    got: list[Answer] = []
    with pytest.raises(ModelError, match="failed"):
        drain(pipeline, got)
    pipeline.close()
    assert [answer.frame.sequence for answer in got] == list(range(7))


@pytest.mark.parametrize("parallel", [1, 2])
def test_a_defect_in_preparing_is_not_hidden(parallel: int) -> None:
    class Failing(Echo):
        def prepare(
            self, frame: Frame, *, out: NDArray[np.generic] | None = None
        ) -> NDArray[np.generic]:
            raise ZeroDivisionError

    pipeline = Pipeline(Counter(50), [Failing() for _ in range(parallel)])
    with pytest.raises(ZeroDivisionError):
        pipeline.next(PATIENCE_S)
    pipeline.close()


@pytest.mark.parametrize("parallel", [1, 3])
def test_closing_in_mid_stream_ends_every_thread(parallel: int) -> None:
    pipeline = Pipeline(Counter(1 << 30), [Echo() for _ in range(parallel)])
    assert pipeline.next(PATIENCE_S) is not None
    pipeline.close()
