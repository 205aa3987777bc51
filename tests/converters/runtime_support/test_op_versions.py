"""Our table of operator versions against the runtimes themselves."""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.runtime_support.op_table import HIGHEST_VERSIONS, LOWEST_VERSIONS
from edgeinfer.converters.runtime_support.op_versions import (
    RUNTIMES,
    check_ops,
    load_check,
    require_loadable,
    supported_versions,
)
from edgeinfer.device.core.errors import ConversionError, ModelError
from edgeinfer.device.runtime.runner import RuntimeName, installed_runtimes
from edgeinfer.device.tflite.builtin_ops import BUILTIN_OPS
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.tflite_examples import declares, dense_model, encode, operator_code

OFFER_ALL = """
import pickle, sys
from importlib import import_module
Interpreter = import_module(sys.argv[1]).Interpreter
accepted = []
for key, data in pickle.load(sys.stdin.buffer).items():
    try:
        Interpreter(model_content=data)
        accepted.append(key)
    except (RuntimeError, ValueError):
        pass
sys.stdout.buffer.write(pickle.dumps(set(accepted)))
"""


def need(runtime: RuntimeName) -> None:
    if runtime not in installed_runtimes():
        pytest.skip(f"{runtime} is not installed")


def accepted_by(runtime: RuntimeName, files: dict[tuple[str, int], bytes]) -> set[tuple[str, int]]:
    """Offer files to a runtime and return the names of those it takes.

    In a separate process: once TensorFlow is imported, as other tests do, its symbols get in
    the way of tflite-runtime's.
    """
    module = runtime.replace("-", "_") + ".interpreter"
    finished = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OFFER_ALL, module],
        input=pickle.dumps(files),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    accepted: set[tuple[str, int]] = pickle.loads(finished.stdout)
    return accepted


def test_the_table_names_known_operators() -> None:
    assert set(HIGHEST_VERSIONS) | set(LOWEST_VERSIONS) <= set(BUILTIN_OPS)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_table_is_what_the_runtime_accepts(runtime: RuntimeName) -> None:
    need(runtime)
    exact = metadata.version(runtime).startswith(("2.14.", "2.1."))
    listed: set[tuple[str, int]] = set()
    files: dict[tuple[str, int], bytes] = {}
    for op in BUILTIN_OPS:
        lowest, highest = supported_versions(op, runtime) or (1, 0)
        listed |= {(op, version) for version in range(lowest, highest + 1)}
        files |= {(op, version): declares(op, version) for version in range(1, highest + 3)}
    accepted = accepted_by(runtime, files)
    assert listed - accepted == set()
    assert accepted - listed == set() or not exact, "a later ai-edge-litert may have more"


def test_version_12_of_a_dense_layer_is_refused_by_2_14_alone() -> None:
    data = encode(dense_model(version=12))
    litert, older = load_check(data, subject="dense")
    assert (litert.runtime, litert.ok, litert.reason) == ("ai-edge-litert", True, "")
    assert not older.ok
    assert older.reason == "tflite-runtime 2.14 has FULLY_CONNECTED up to version 10, not 12"
    if older.installed is not None:
        assert older.refusal is not None
        assert "FULLY_CONNECTED" in older.refusal
    with pytest.raises(ConversionError, match=r"up to version 10, not 12.*full INT8"):
        require_loadable(data, subject="dense")


def test_a_model_that_both_run_passes() -> None:
    data = encode(dense_model(version=4))
    assert [check.ok for check in load_check(data, subject="dense")] == [True, True]
    require_loadable(data, subject="dense")


def test_custom_operators() -> None:
    codes = ["TFLite_Detection_PostProcess", "edgetpu-custom-op", "mine"]
    model = dense_model(extra_codes=[operator_code("CUSTOM", custom=name) for name in codes])
    issues = check_ops(read_tflite(encode(model), subject="custom"))
    assert [issue.reason for issue in issues] == [
        "edgetpu-custom-op is compiled for the Edge TPU and needs its delegate",
        "ai-edge-litert 2.1 has no custom operator mine",
        "edgetpu-custom-op is compiled for the Edge TPU and needs its delegate",
        "tflite-runtime 2.14 has no custom operator mine",
    ]


def test_an_operator_that_no_runtime_has() -> None:
    model = read_tflite(declares("STABLEHLO_TANH", 1), subject="stablehlo")
    assert [(issue.runtime, issue.supported) for issue in check_ops(model)] == [
        ("ai-edge-litert", None),
        ("tflite-runtime", None),
    ]


def test_a_damaged_file_never_reaches_a_runtime() -> None:
    with pytest.raises(ModelError, match="damaged"):
        load_check(encode(dense_model())[:-200], subject="damaged")


def test_a_runtime_that_crashes_is_reported() -> None:
    """Without our reader, so that the trial itself gets the damaged file that crashes 2.14."""
    need("tflite-runtime")
    from edgeinfer.converters.runtime_support.op_versions import _refusal

    data = encode(dense_model())
    position = int.from_bytes(data[:4], "little")
    damaged = data[:position] + b"\x7f\xff\xff\x7f" + data[position + 4 :]
    assert _refusal(damaged, "tflite-runtime") == "its process was killed by SIGSEGV"


def test_a_runtimes_own_words_are_reported(shared_data: Path) -> None:
    data = (shared_data / "coral" / "model_invoking_error.tflite").read_bytes()
    for check in load_check(data, subject="model_invoking_error"):
        assert not check.ok
        if check.installed is not None:
            assert check.refusal == "refused: Encountered unresolved custom op: fake-op-double."


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs were expected:UserWarning")
def test_models_of_the_converter() -> None:
    """INT8 and float32 load in both; dynamic range needs FULLY_CONNECTED 12, which 2.14 lacks."""
    tf = pytest.importorskip("tensorflow", reason="conversion needs the host extra")
    weights = np.random.default_rng(0).normal(size=(16 * 16 * 4, 8)).astype(np.float32)
    filters = np.random.default_rng(1).normal(size=(3, 3, 3, 4)).astype(np.float32)

    def network(image: Any) -> Any:
        features = tf.nn.relu(tf.nn.conv2d(image, filters, strides=1, padding="SAME"))
        return tf.nn.softmax(tf.matmul(tf.reshape(features, (1, -1)), weights))

    signature = tf.TensorSpec((1, 16, 16, 3), tf.float32)
    concrete = tf.function(network).get_concrete_function(signature)

    def convert(**options: Any) -> bytes:
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
        for name, value in options.items():
            setattr(converter, name, value)
        model: bytes = converter.convert()
        return model

    images = np.random.default_rng(2).uniform(-1, 1, (10, 1, 16, 16, 3)).astype(np.float32)
    dynamic = {"optimizations": [tf.lite.Optimize.DEFAULT]}
    int8 = dynamic | {
        "representative_dataset": lambda: ([image] for image in images),
        "target_spec": tf.lite.TargetSpec([tf.lite.OpsSet.TFLITE_BUILTINS_INT8]),
        "inference_input_type": tf.int8,
        "inference_output_type": tf.int8,
    }
    for options in ({}, int8):
        data = convert(**options)
        assert all(check.ok for check in load_check(data, subject="plain"))
        assert read_tflite(data, subject="plain").fully_integer == bool(options)
    litert, older = load_check(convert(**dynamic), subject="dynamic range")
    assert litert.ok
    assert "FULLY_CONNECTED up to version 10, not 12" in older.reason
    assert older.installed is None or older.refusal is not None
