"""Models that are replaced while frames are on their way."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeinfer.device.loop.model_set import CurrentModels, ModelSet
from edgeinfer.device.loop.pipeline import Pipeline
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.loop.slot import EndOfItems
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.value.prediction import Value
from tests.device.loop.test_pipeline import Counter
from tests.support.waiting import PATIENCE_S


class Sized:
    """Takes only tensors of one size and dtype, and tells its name and the frame's number."""

    region = None

    def __init__(self, name: str, size: int, dtype: type[np.generic]) -> None:
        self.labels = (name,)
        self.closed = False
        self._shape = (1, size, size, 1)
        self._dtype = dtype

    def prepare(
        self, frame: Frame, *, out: NDArray[np.generic] | None = None
    ) -> NDArray[np.generic]:
        tensor = np.empty(self._shape, self._dtype) if out is None else out
        self._check(tensor)
        tensor[...] = frame.pixels[0, 0, 0]
        return tensor

    def infer(self, tensor: NDArray[Any]) -> Prediction:
        assert not self.closed
        self._check(tensor)
        time.sleep(0.001)
        return Value(value=float(tensor[0, 0, 0, 0]), unit=self.labels[0])

    def _check(self, tensor: NDArray[Any]) -> None:
        assert tensor.shape == self._shape
        assert tensor.dtype == np.dtype(self._dtype)


def sized(name: str, parallel: int) -> list[Sized]:
    size, dtype = (2, np.uint8) if name == "small" else (5, np.float32)
    return [Sized(name, size, dtype) for _ in range(parallel)]


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("parallel", [1, 3])
def test_models_are_replaced_between_two_frames(parallel: int, live: bool) -> None:
    present = sized("small", parallel)
    # Of a live source frames are dropped, of which nobody knows how many.
    source = Counter(1 << 30 if live else 250, live=live, pause_s=0.002 if live else 0)
    pipeline = Pipeline(source, present)
    got: list[Answer] = []
    replaced = 0
    try:
        while True:
            answer = pipeline.next(PATIENCE_S)
            assert answer is not None
            got.append(answer)
            if len(got) == 110 and live:
                break
            if len(got) % 20 == 0:
                before, name = present, ("large" if replaced % 2 == 0 else "small")
                present = sized(name, parallel)
                idle = pipeline.replace_models(present)
                assert idle.wait(PATIENCE_S)
                for model in before:
                    model.closed = True
                replaced += 1
    except EndOfItems:
        pass
    finally:
        pipeline.close()
    sequences = [answer.frame.sequence for answer in got]
    assert sequences == sorted(set(sequences))
    if not live:
        assert sequences == list(range(250))
    for answer in got:  # each frame was answered by the models that prepared it
        assert isinstance(answer.prediction, Value)
        assert answer.prediction.value == answer.frame.sequence
    units = [answer.prediction.unit for answer in got if isinstance(answer.prediction, Value)]
    assert sum(a != b for a, b in itertools.pairwise(units)) == replaced > 3


def test_another_number_of_models_is_refused() -> None:
    with pytest.raises(ValueError, match="2 models in place of 1"):
        CurrentModels(sized("small", 1)).replace(sized("small", 2))


def test_models_that_no_frame_needs_are_idle_immediately() -> None:
    current = CurrentModels(sized("small", 1))
    assert current.replace(sized("large", 1)).is_set()


@given(st.lists(st.sampled_from(["take", "give back", "replace"]), max_size=60))
def test_a_set_is_idle_exactly_when_replaced_and_given_back(steps: list[str]) -> None:
    current = CurrentModels(sized("small", 1))
    held: list[ModelSet] = []
    replaced: list[tuple[ModelSet, threading.Event]] = []
    for step in steps:
        if step == "take":
            held.append(current.take())
        elif step == "give back" and held:
            current.give_back(held.pop(0))
        elif step == "replace":
            before = current.take()
            current.give_back(before)
            replaced.append((before, current.replace(sized("small", 1))))
        for models, idle in replaced:
            assert idle.is_set() == (models not in held)
