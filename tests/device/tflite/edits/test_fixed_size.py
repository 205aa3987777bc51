"""An input of any size gets one: as the runtimes' own `resize_tensor_input` does."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.runtime.runner import _MODULES, Runner, installed_runtimes
from edgeinfer.device.tflite.edits.fixed_size import with_bounds, with_input_shape
from edgeinfer.device.tflite.flatbuffer import FlatBuffer
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.tflite.graph_examples import any_size
from tests.device.tflite_examples import dense_model, encode


@pytest.mark.parametrize("runtime", installed_runtimes())
@pytest.mark.parametrize("shape", [(1, 5, 7, 3), (1, 40, 1, 3)])
def test_it_answers_as_the_runtime_resizes(runtime: Any, shape: tuple[int, ...]) -> None:
    model = any_size()
    picture = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    module = importlib.import_module(_MODULES[runtime])
    resized = module.Interpreter(model_content=model)
    resized.resize_tensor_input(0, shape)
    resized.allocate_tensors()
    resized.set_tensor(0, picture)
    resized.invoke()
    fixed = Runner(with_input_shape(model, shape, subject="x"), subject="x", runtime=runtime)
    assert fixed.inputs[0].shape == shape
    (answer,) = fixed.invoke([picture])
    np.testing.assert_array_equal(answer, resized.get_tensor(3))


@settings(max_examples=50, deadline=None)
@given(shape=st.tuples(*[st.integers(1, 100)] * 4))
def test_only_the_shape_of_the_input_changes(shape: tuple[int, ...]) -> None:
    before = any_size()
    fixed = with_input_shape(before, shape, subject="x")
    assert len(fixed) == len(before)
    tensors = read_tflite(fixed, subject="x").subgraphs[0].tensors
    assert tensors[0].shape == tensors[0].shape_signature == shape
    assert tensors[1:] == read_tflite(before, subject="x").subgraphs[0].tensors[1:]


def test_a_shape_that_tensors_share_is_not_changed() -> None:
    model = any_size()
    tables = FlatBuffer(model).root().tables(2)[0].tables(0)
    # Offsets lead forward only: the input takes the list of the tensor behind it.
    place, shared = tables[0].offset_place(0), tables[1].offset_place(0)
    assert place is not None
    assert shared is not None
    changed = bytearray(model)
    changed[place[0] : place[0] + 4] = (shared[1] - place[0]).to_bytes(4, "little")
    with pytest.raises(ModelError, match="shares the shape of its input with other tensors"):
        with_input_shape(bytes(changed), (1, 5, 7, 3), subject="x")


def test_another_number_of_axes_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 4 axes"):
        with_input_shape(any_size(), (1, 5, 7), subject="x")


def test_bounds_take_the_size_of_the_input() -> None:
    fixed = read_tflite(with_input_shape(any_size(), (1, 50, 70, 3), subject="x"), subject="x")
    bounded = with_bounds(fixed)
    shapes = [tensor.shape for tensor in bounded.subgraphs[0].tensors]
    assert shapes == [(1, 50, 70, 3), (1, 70, 50, 3), (2,), (1, 3)]
    usual = read_tflite(encode(dense_model()), subject="x")
    assert with_bounds(usual) is usual
