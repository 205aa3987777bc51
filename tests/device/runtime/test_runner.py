"""The runtimes together with TensorFlow, in separate processes: a crash there ends only those."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.device.runtime.runner import installed_runtimes

LOADED = """
import sys
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.runtime.runner import Runner

with open_bundle(sys.argv[1]) as bundle:
    model = bundle.member("variants/cpu.tflite")
try:
    for _ in range(20):
        Runner(model, subject="model", runtime=sys.argv[2])
except ModelError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason="no TensorFlow")
@pytest.mark.parametrize(
    ("imports", "runtime", "says"),
    [
        ("tensorflow", "tflite-runtime", "TensorFlow was imported before tflite-runtime"),
        ("tflite_runtime.interpreter, tensorflow", "tflite-runtime", ""),
        ("tensorflow", "ai-edge-litert", ""),
    ],
)
def test_together_with_tensorflow(
    imports: str, runtime: str, says: str, sample_bundle: Path
) -> None:
    if runtime not in installed_runtimes():
        pytest.skip(f"no {runtime}")
    done = subprocess.run(
        [sys.executable, "-c", f"import {imports}\n{LOADED}", sample_bundle, runtime],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    assert says in done.stdout
    assert bool(says) == bool(done.stdout)
