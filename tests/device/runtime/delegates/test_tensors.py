"""Shared memory and conversion between variants' tensors."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.tensors import TensorDtype, TensorSpec
from edgeinfer.device.runtime.delegates.cpu_fallback import Substitute, convert_tensor
from edgeinfer.device.runtime.delegates.worker.shared_tensors import create_memory, map_tensors
from edgeinfer.device.runtime.runner import Runner
from tests.device.runtime.delegates.conftest import picture

DTYPES: list[TensorDtype] = ["uint8", "int8", "int16", "float32", "int64"]
shapes = st.lists(st.integers(1, 5), max_size=4).map(tuple)
specs = st.lists(
    st.builds(
        lambda shape, dtype: TensorSpec(name="t", shape=shape, dtype=dtype),
        shapes,
        st.sampled_from(DTYPES),
    ),
    max_size=6,
)


@given(specs)
def test_what_one_writes_the_other_reads(tensors: list[TensorSpec]) -> None:
    memory = create_memory(tensors)
    ours, theirs = map_tensors(memory, tensors), map_tensors(memory, tensors)
    os.close(memory)
    for number, (spec, tensor) in enumerate(zip(tensors, ours, strict=True)):
        assert (tensor.shape, tensor.dtype) == (spec.shape, np.dtype(spec.dtype))
        tensor[...] = number + 1
    for number, tensor in enumerate(theirs):
        assert (tensor == number + 1).all()


def test_nobody_shrinks_it() -> None:
    memory = create_memory([TensorSpec(name="t", shape=(100,), dtype="uint8")])
    with pytest.raises(PermissionError):
        os.ftruncate(memory, 0)
    os.close(memory)


INT8 = TensorSpec(name="t", shape=(1, 4), dtype="int8", scale=0.5, zero_point=-3)
FLOAT = TensorSpec(name="t", shape=(1, 4), dtype="float32")
UINT8 = TensorSpec(name="t", shape=(1, 4), dtype="uint8", scale=0.5, zero_point=125)


def test_equal_specs_pass_the_tensor_on() -> None:
    tensor = np.zeros((1, 4), np.int8)
    assert convert_tensor(tensor, INT8, INT8) is tensor


@given(st.lists(st.integers(-128, 127), min_size=4, max_size=4))
def test_there_and_back_is_the_same(values: list[int]) -> None:
    tensor = np.array([values], np.int8)
    real = convert_tensor(tensor, INT8, FLOAT)
    assert real.dtype == np.float32
    assert (real == (tensor.astype(float) + 3) * 0.5).all()
    assert (convert_tensor(real, FLOAT, INT8) == tensor).all()
    assert (convert_tensor(tensor, INT8, UINT8) == tensor.astype(int) + 128).all()


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=4, max_size=4))
def test_what_does_not_fit_becomes_the_nearest(values: list[float]) -> None:
    tensor = convert_tensor(np.array([values], np.float32), FLOAT, INT8)
    for got, value in zip(tensor[0].tolist(), values, strict=True):
        real = (got + 3) * 0.5
        assert abs(real - min(max(value, -62.5), 65.0)) <= 0.25


def test_a_substitute_of_another_dtype_answers_in_the_first_ones(cpu: Runner) -> None:
    source, output = cpu.inputs[0], cpu.outputs[0]
    real = [TensorSpec(name=t.name, shape=t.shape, dtype="float32") for t in (source, output)]
    substitute = Substitute(cpu, real[:1], real[1:])
    tensor = picture(0)
    answer = substitute.invoke([source.dequantize(tensor).astype(np.float32)])[0]
    assert answer.dtype == np.float32
    expected = output.dequantize(cpu.invoke([tensor])[0])
    assert abs(answer.astype(float) - expected).max() <= 1e-6 * abs(expected).max()
