"""What a runtime must not be handed is refused, each fault by its name."""

from __future__ import annotations

import pickle
import random
import struct
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.runtime.runner import installed_runtimes
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
    quantization,
    tensor,
)


def change_tensor(index: int, **changes: Any) -> Callable[[TableNode], None]:
    def change(model: TableNode) -> None:
        old = {"name": "t", "shape": [1, 4], "dtype": "int8"}
        graph(model)[0][index] = tensor(**(old | changes))

    return change


def change_graph(field: int, node: Any) -> Callable[[TableNode], None]:
    return lambda model: graph(model).update({field: node})


def change_model(field: int, node: Any) -> Callable[[TableNode], None]:
    return lambda model: model.update({field: node})


def convolution(model: TableNode, options: TableNode | None) -> None:
    """Make the model a convolution whose filters do not fit its input."""
    step = operator([0, 1], [2]) | ({} if options is None else {3: Number("B", 1), 4: options})
    tensors = [
        tensor("i", [1, 8, 8, 99]),
        tensor("f", [2, 1, 1, 4], buffer=1),
        tensor("o", [1, 8, 8, 2]),
    ]
    model[1] = [operator_code("CONV_2D")]
    model[2] = [{0: tensors, 1: Numbers("i", [0]), 2: Numbers("i", [2]), 3: [step]}]
    model[7] = []


FAULTS: dict[str, tuple[Callable[[TableNode], None], str]] = {
    "schema": (change_model(0, Number("I", 4)), "schema version is 4, expected 3"),
    "no graph": (change_model(2, []), "has no graph"),
    "input index": (change_graph(1, Numbers("i", [4])), "tensor 4 is none of 4"),
    "output index": (change_graph(2, Numbers("i", [-1])), "tensor -1 is none of 4"),
    "operator's input": (
        change_graph(3, [operator([0, 1, 99], [3])]),
        r"operator 0 \(FULLY_CONNECTED\): tensor 99 is none of 4",
    ),
    "weights left out": (
        change_graph(3, [operator([0, -1, 2], [3])]),
        "its data or weights are left out",
    ),
    "operator's output": (change_graph(3, [operator([0, 1, 2], [-2])]), "tensor -2 is none of 4"),
    "operator code": (
        change_graph(3, [operator([0], [3], code=7)]),
        "operator code 7 is none of 1",
    ),
    "writes a constant": (
        change_graph(3, [operator([0, 1], [2]), operator([0, 1, 2], [3])]),
        "output, tensor 2, is a constant",
    ),
    "reads its own output": (change_graph(3, [operator([3], [3])]), "nothing computes its input"),
    "output never computed": (change_graph(3, []), "nothing computes the graph's output"),
    "buffer index": (change_tensor(1, buffer=9), "tensor 't': buffer 9 is none of 4"),
    "buffer too small": (
        change_tensor(1, shape=[3, 4], buffer=1),
        r"int8 of shape \(3, 4\) takes 12 bytes, but its buffer has 8",
    ),
    "negative size": (change_tensor(0, shape=[1, -4]), "a size in its shape is negative"),
    "huge tensor": (change_tensor(0, shape=[2**31 - 1] * 8), "more than 2 GiB"),
    "unequal lists": (
        change_tensor(0, quantization=quantization([0.5], [])),
        "1 scales and 0 zero points",
    ),
    "scales do not fit": (
        change_tensor(1, shape=[2, 4], quantization=quantization([1.0] * 3, [0] * 3)),
        r"3 scales along axis 0 of shape \(2, 4\)",
    ),
    "axis": (
        change_tensor(1, shape=[2, 4], quantization=quantization([1.0] * 2, [0] * 2, axis=-5)),
        "axis -5",
    ),
    "scale": (change_tensor(0, quantization=quantization([float("nan")], [0])), "scale is nan"),
    "denormal scale": (
        change_tensor(0, quantization=quantization([1e-40], [0])),
        "scale is .*e-41",
    ),
    "signature's graph": (
        change_model(7, [{2: "s", 4: Number("I", 3)}]),
        "signature 's': graph 3 is none of 1",
    ),
    "signature's tensor": (
        change_model(7, [{2: "s", 0: [{0: "x", 1: Number("I", 4)}]}]),
        "signature 's': tensor 4 is none of 4",
    ),
    "metadata's buffer": (
        change_model(6, [{0: "m", 1: Number("I", 4)}]),
        "metadata: buffer 4 is none of 4",
    ),
    "weights behind the FlatBuffer": (
        change_model(4, [{}, {1: Number("Q", 4096), 2: Number("Q", 8)}, {}, {}]),
        "8 bytes at byte 4096 lie outside the file's",
    ),
    "weights in other files": (
        change_model(9, [{0: Number("I", 1)}]),
        "weights are in other files",
    ),
    "split": (
        lambda model: model.update(
            {
                1: [operator_code("SPLIT")],
                2: [graph(model) | {3: [operator([2, 0], [3]) | {3: Number("B", 35), 4: {}}]}],
            }
        ),
        "SPLIT has 1 outputs, its options say 0",
    ),
    "convolution's groups": (
        lambda model: convolution(model, {1: Number("i", 1), 2: Number("i", 1)}),
        r"filters of shape \(2, 1, 1, 4\) do not fit 99 input channels",
    ),
    "convolution's stride": (
        lambda model: convolution(model, {1: Number("i", 1)}),
        "CONV_2D has a stride or window below 1",
    ),
    "convolution's options": (
        lambda model: convolution(model, None),
        "CONV_2D has no options of its kind",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named(fault: str) -> None:
    model = dense_model()
    change, message = FAULTS[fault]
    change(model)
    with pytest.raises(ModelError, match=message) as caught:
        read_tflite(encode(model), subject="example.tflite")
    assert caught.value.subject == "example.tflite"
    assert caught.value.exit_code == 1


LOAD_ALL = """
import pickle, sys
from importlib import import_module
Interpreter = import_module(sys.argv[1]).Interpreter
for number, data in enumerate(pickle.load(sys.stdin.buffer)):
    print(number, flush=True)
    try:
        interpreter = Interpreter(model_content=data)
        interpreter.allocate_tensors()
        interpreter.invoke()
    except (RuntimeError, ValueError):
        pass
"""


@pytest.mark.parametrize("runtime", ["ai-edge-litert", "tflite-runtime"])
def test_runtimes_survive_what_is_accepted(runtime: str) -> None:
    """Damaged files that pass the reader may be refused by a runtime, but must not crash it.

    Without the reader, tflite-runtime 2.14 dies of about every sixth of such files.
    """
    if runtime not in installed_runtimes():
        pytest.skip(f"{runtime} is not installed")
    generator = random.Random(7)
    accepted = []
    for _ in range(1500):
        data = bytearray(encode(dense_model()))
        for _ in range(generator.choice((1, 1, 2))):
            word = generator.choice((0, 1, 2, 3, 8, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1))
            struct.pack_into("<I", data, generator.randrange(len(data) // 4) * 4, word)
        try:
            read_tflite(bytes(data), subject="damaged")
        except ModelError:
            continue
        accepted.append(bytes(data))
    assert 200 < len(accepted) < 1400, "both outcomes occur"
    finished = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            LOAD_ALL,
            runtime.replace("-", "_") + ".interpreter",
        ],
        input=pickle.dumps(accepted),
        capture_output=True,
        check=False,
    )
    last = finished.stdout.split()[-1].decode()
    assert finished.returncode == 0, f"{finished.returncode} at file {last}"
    assert int(last) == len(accepted) - 1
