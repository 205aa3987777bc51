"""What is quantized and how: layers kept in float32, dense layers with one scale."""

from __future__ import annotations

import importlib
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import pytest

from edgeinfer.converters.quantize.calibration import activation_histograms, choose_ranges
from edgeinfer.converters.quantize.litert import quantize_int8
from edgeinfer.device.tflite.model import Subgraph
from edgeinfer.device.tflite.reader import read_tflite
from tests.converters.float_models import STURDY, classifier
from tests.converters.keras_models import SPEC, pictures, uneven_float
from tests.device.tflite_examples import encode, relu_model

pytestmark = pytest.mark.slow


@lru_cache
def ranges() -> dict[str, tuple[float, float]]:
    return choose_ranges(activation_histograms(uneven_float(), SPEC, pictures), "min-max")


def graph_of(content: bytes) -> Subgraph:
    return read_tflite(content, subject="the test's").subgraphs[0]


def weights_dtype(graph: Subgraph, result: str) -> str:
    operator = next(
        op for op in graph.operators if any(graph.tensors[i].name == result for i in op.outputs)
    )
    return graph.tensors[operator.inputs[1]].dtype


def test_a_layer_is_kept_and_the_others_are_not() -> None:
    before = graph_of(uneven_float())
    results = [
        before.tensors[op.outputs[0]].name
        for op in before.operators
        if op.op in ("CONV_2D", "DEPTHWISE_CONV_2D")
    ]
    kept = results[1]
    after = graph_of(quantize_int8(uneven_float(), ranges(), subject="uneven", keep_float=[kept]))
    assert weights_dtype(after, kept) == "float32"
    assert {weights_dtype(after, name) for name in results if name != kept} == {"int8"}
    assert after.tensors[after.inputs[0]].dtype == "int8"


@pytest.mark.parametrize(("per_tensor", "scales"), [(True, 1), (False, 3)])
def test_a_dense_layer_gets_one_scale_where_asked(per_tensor: bool, scales: int) -> None:
    content = quantize_int8(uneven_float(), ranges(), subject="uneven", per_tensor_dense=per_tensor)
    graph = graph_of(content)
    dense = next(op for op in graph.operators if op.op == "FULLY_CONNECTED")
    quantization = graph.tensors[dense.inputs[1]].quantization
    assert quantization is not None
    assert len(quantization.scales) == scales
    assert all(t.dtype != "float32" for t in graph.tensors)


LAYERS = 150
"""Enough for ai-edge-quantizer to show a progress bar."""

QUANTIZE = f"""
import logging, sys, threading, warnings
from pathlib import Path
from edgeinfer.converters.quantize.litert import quantize_int8

logging.basicConfig(format="%(message)s")
warnings.simplefilter("always")
warnings.formatwarning = lambda message, *place: f"{{message}}\\n"
sys.setswitchinterval(1e-5)
model = Path(sys.argv[1]).read_bytes()
ranges = {{f"x{{index}}": (0.0, 1.0) for index in range({LAYERS} + 1)}}
started, done, written = threading.Event(), threading.Event(), 0

def say():
    global written
    while written < 2000 or not done.is_set():
        print(f"out {{written}}", flush=True)
        line = f"line {{written}}"
        if written % 3 == 0:
            print(line, file=sys.stderr)
        elif written % 3 == 1:
            logging.warning(line)
        else:
            warnings.warn(line)
        written += 1
        started.set()

saying = threading.Thread(target=say)
saying.start()
started.wait()
for _ in range(8):
    quantize_int8(model, ranges, subject="relu")
done.set()
saying.join()
print("end", file=sys.stderr)
print(written)
"""


def test_other_output_appears_while_it_quantizes_and_its_own_does_not(tmp_path: Path) -> None:
    path = tmp_path / "relu.tflite"
    path.write_bytes(encode(relu_model(LAYERS)))
    command = [sys.executable, "-c", QUANTIZE, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *out, written = done.stdout.splitlines()
    assert out == [f"out {number}" for number in range(int(written))]
    lines = [f"line {number}" for number in range(int(written))]
    assert done.stderr.splitlines() == [*lines, "end"]


def test_an_old_file_is_quantized_as_one_of_today() -> None:
    """Before TensorFlow 2.4 each operator had its code in another field, and no signature."""
    today = classifier(*STURDY)
    tools = importlib.import_module("ai_edge_litert.tools.flatbuffer_utils")
    read = tools.read_model_from_bytearray(bytearray(today))
    for code in read.operatorCodes:
        assert code.deprecatedBuiltinCode == code.builtinCode > 0
        code.builtinCode = 0
    before = bytes(tools.convert_object_to_bytearray(read))
    graph = read_tflite(before, subject="it").subgraphs[0]
    ranges = {tensor.name: (-1.0, 1.0) for tensor in graph.tensors if not len(tensor.data)}
    small = [
        read_tflite(quantize_int8(model, ranges, subject="it"), subject="it")
        for model in (today, before)
    ]
    assert small[0].op_counts == small[1].op_counts
    assert small[1].fully_integer
