"""Reading `.tflite` files: equal to TensorFlow Lite's own reader, and safe on damaged ones."""

from __future__ import annotations

import functools
import struct
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.tflite.builtin_ops import BUILTIN_OPS
from edgeinfer.device.tflite.model import ELEMENT_BITS, Tensor, TfliteModel
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.tflite_examples import (
    Number,
    Numbers,
    TableNode,
    dense_model,
    encode,
    graph,
    operator,
    operator_code,
    tensor,
)

SAMPLES = (
    "coral/split_concat.tflite",
    "coral/tf2_mobilenet_v2_1.0_224_ptq.tflite",
    "coral/posenet_mobilenet_v1_075_353_481_16_quant_decoder_edgetpu.tflite",
    "coral/mobilenet_v1_0.25_128_quant.tflite",
    "mlperf_tiny/pretrainedResnet.tflite",
    "mlperf_tiny/pretrainedResnet_quant.tflite",
)


def read(model: TableNode) -> TfliteModel:
    return read_tflite(encode(model), subject="example.tflite")


@pytest.fixture(scope="module")
def schema() -> ModuleType:
    """TensorFlow Lite's generated schema classes; they need the flatbuffers package."""
    pytest.importorskip("flatbuffers", reason="the generated schema needs flatbuffers")
    module: ModuleType = pytest.importorskip("ai_edge_litert.schema_py_generated")
    return module


def test_the_example() -> None:
    model = read(dense_model())
    assert model.description == "a dense layer"
    assert [tensor.spec() for tensor in model.inputs] == [
        TensorSpec(name="image", shape=(1, 4), dtype="int8", scale=0.5, zero_point=-1)
    ]
    assert [tensor.spec() for tensor in model.outputs] == [
        TensorSpec(name="scores", shape=(1, 2), dtype="int8", scale=1.0)
    ]
    assert model.op_counts == {("FULLY_CONNECTED", 4): 1}
    assert (model.parameters, model.constant_bytes) == (10, 16)
    assert model.fully_integer
    assert model.custom_ops == ()
    assert [(item.name, bytes(item.data)) for item in model.metadata] == [
        ("min_runtime_version", b"1.5.0")
    ]
    assert model.signatures[0].inputs == (("x", 0),)


def test_op_and_dtype_numbers_are_the_schemas(schema: ModuleType) -> None:
    ours = {name: number for number, name in enumerate(BUILTIN_OPS)}
    theirs = {k: v for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)}
    assert ours.items() <= theirs.items()
    dtypes = {name.upper(): number for number, name in enumerate(ELEMENT_BITS)}
    known = {k: v for k, v in vars(schema.TensorType).items() if isinstance(v, int)}
    assert known.items() <= dtypes.items()


@pytest.mark.slow
def test_op_numbers_are_tensorflows() -> None:
    """Slow for TensorFlow's import alone."""
    pytest.importorskip("tensorflow", reason="needs the host extra")
    from tensorflow.lite.python import schema_py_generated

    operators = vars(schema_py_generated.BuiltinOperator)
    assert {name: operators.get(name) for name in BUILTIN_OPS} == {
        name: number for number, name in enumerate(BUILTIN_OPS)
    }


@pytest.mark.parametrize("name", SAMPLES)
def test_real_models_read_as_with_the_generated_schema(
    name: str, schema: ModuleType, shared_data: Path
) -> None:
    data = (shared_data / name).read_bytes()
    ours = read_tflite(data, subject=name)
    theirs = schema.ModelT.InitFromPackedBuf(data)
    assert ours.description == (theirs.description or b"").decode()
    assert [item.name.encode() for item in ours.metadata] == [
        item.name for item in theirs.metadata or []
    ]
    for mine, its in zip(ours.subgraphs, theirs.subgraphs, strict=True):
        assert (mine.inputs, mine.outputs) == (tuple(its.inputs), tuple(its.outputs))
        for tensor_, wanted in zip(mine.tensors, its.tensors, strict=True):
            assert tensor_.name.encode() == wanted.name
            assert list(tensor_.shape) == ([] if wanted.shape is None else list(wanted.shape))
            assert list(ELEMENT_BITS).index(tensor_.dtype) == wanted.type
            content = theirs.buffers[wanted.buffer].data
            assert bytes(tensor_.data) == (b"" if content is None else bytes(content))
            scales = wanted.quantization and wanted.quantization.scale
            if scales is None or not len(scales):
                assert tensor_.quantization is None
            else:
                assert tensor_.quantization is not None
                assert np.array_equal(tensor_.quantization.scales, scales)
                assert np.array_equal(
                    tensor_.quantization.zero_points, wanted.quantization.zeroPoint
                )
        for step, wanted in zip(mine.operators, its.operators, strict=True):
            code = theirs.operatorCodes[wanted.opcodeIndex]
            number = max(code.builtinCode, code.deprecatedBuiltinCode)
            name_ = code.customCode.decode() if step.custom else BUILTIN_OPS[number]
            assert (step.op, step.version) == (name_, code.version)
            assert step.inputs == tuple(wanted.inputs)
            assert step.outputs == tuple(wanted.outputs)


@pytest.mark.parametrize(
    ("old", "new", "op"),
    [
        (19, 0, "RELU"),
        (19, 19, "RELU"),
        (127, 200, "STABLEHLO_WHILE"),
        (0, 4000, "UNKNOWN_4000"),
    ],
)
def test_the_operators_number_is_the_larger_field(old: int, new: int, op: str) -> None:
    model = dense_model()
    model[1] = [{0: Number("b", old), 3: Number("i", new)}]
    graph(model)[2], graph(model)[3] = Numbers("i", [0]), []
    code = read(model).operator_codes[0]
    assert (code.op, code.version) == (op, 1)


def test_several_graphs_custom_operators_and_shared_buffers() -> None:
    model = dense_model(extra_codes=[operator_code("CUSTOM", custom="edgetpu-custom-op")])
    second: TableNode = {
        0: [
            tensor("a", [2, 4], buffer=1),
            tensor("b", [1], "float32"),
        ],
        1: Numbers("i", []),
        2: Numbers("i", [1]),
        3: [operator([0, -1], [1], code=1)],
    }
    model[2] = [graph(model), second]
    read_back = read(model)
    assert [len(subgraph.operators) for subgraph in read_back.subgraphs] == [1, 1]
    assert read_back.custom_ops == ("edgetpu-custom-op",)
    assert read_back.parameters == 10, "a buffer that two tensors share counts once"
    assert not read_back.fully_integer


def test_sparse_tensors_may_hold_less_than_their_shape() -> None:
    model = dense_model()
    dimension: TableNode = {
        0: Number("b", 1),
        2: Number("B", 3),
        3: {0: b"\x00\x02"},
        4: Number("B", 1),
        5: {0: Numbers("i", [0, 1])},
    }
    graph(model)[0][1][6] = {0: Numbers("i", [0, 1]), 2: [{1: Number("i", 2)}, dimension]}
    buffers: Any = model[4]
    buffers[1] = {0: b"\x01\x02"}
    read_back = read(model)
    assert read_back.subgraphs[0].tensors[1].sparse
    assert read_back.parameters == 2 + 2


def test_what_a_tensor_spec_cannot_say_is_refused() -> None:
    image = Tensor(name="image", shape=(1, 4), dtype="complex64")
    with pytest.raises(ModelError, match="tensor 'image': dtype is complex64, expected one of"):
        image.spec()


def test_an_unknown_dtype_is_refused() -> None:
    model = dense_model()
    graph(model)[0][0][1] = Number("b", 120)
    with pytest.raises(ModelError, match="dtype has the unknown number 120"):
        read(model)


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\x1c\0\0\0TFL2" + bytes(40), b"PK\3\4" * 10])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match="x: is not a TensorFlow Lite model; choose"):
        read_tflite(data, subject="x")


def test_every_truncation_is_refused() -> None:
    data = encode(dense_model())
    for size in range(len(data)):
        with pytest.raises(ModelError):
            read_tflite(data[:size], subject="truncated")


def use(data: bytes) -> None:
    """Read hostile bytes, and whatever comes out of them."""
    try:
        model = read_tflite(data, subject="hostile")
    except ModelError:
        return
    assert model.parameters >= 0
    for tensor_ in (*model.inputs, *model.outputs):
        try:
            tensor_.spec()
        except ModelError:
            continue
    for subgraph in model.subgraphs:
        for step in subgraph.operators:
            assert all(-1 <= index < len(subgraph.tensors) for index in step.inputs)


@given(data=st.binary(max_size=400), valid_start=st.booleans())
def test_random_bytes_raise_only_model_errors(data: bytes, valid_start: bool) -> None:
    use(b"\x10\0\0\0TFL3" + data if valid_start else data)


WORDS = st.one_of(
    st.integers(0, 2**32 - 1), st.integers(0, 40), st.sampled_from([2**31, 2**31 - 1, 2**32 - 4])
)


@settings(max_examples=400)
@given(changes=st.lists(st.tuples(st.integers(0, 2**16), WORDS), min_size=1, max_size=4))
def test_damaged_examples_raise_only_model_errors(changes: list[tuple[int, int]]) -> None:
    data = bytearray(encode(dense_model()))
    for place, word in changes:
        struct.pack_into("<I", data, place % (len(data) // 4) * 4, word)
    use(bytes(data))


@pytest.mark.parametrize(
    "name", ["coral/split_concat.tflite", "mlperf_tiny/pretrainedResnet_quant.tflite"]
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 2**20), WORDS), min_size=1, max_size=3))
def test_damaged_real_models_raise_only_model_errors(
    name: str, shared_data: Path, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(_file(shared_data / name))
    # The tables are at the two ends of the file, the weights between them.
    for place, word in changes:
        position = place % 2000 - (0 if place % 3 else 8000)
        struct.pack_into("<I", data, position % (len(data) // 4) * 4, word)
    use(bytes(data))


@functools.cache
def _file(path: Path) -> bytes:
    return path.read_bytes()
