"""The runtimes' own line is seen nowhere, or once where nothing can be done about it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.device.runtime.quiet_runtime import tiny_float_model
from edgeinfer.device.runtime.runner import installed_runtimes
from tests.device.tflite_examples import dense_model, encode, relu_model
from tests.support.refused_calls import REFUSE_OWN_DESCRIPTORS

RUN = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import numpy as np
from edgeinfer.device.runtime.runner import Runner

def run(job):
    name, threads = job
    runner = Runner(Path(name).read_bytes(), subject="m", runtime=sys.argv[1], threads=threads)
    runner.invoke([np.zeros(spec.shape, spec.dtype) for spec in runner.inputs])

with ThreadPoolExecutor(8) as pool:
    list(pool.map(run, [(name, threads) for name in sys.argv[2:] for threads in (1, 2, 3, 1)]))
"""


def what_it_says(code: str, runtime: str, folder: Path) -> str:
    """Have eight threads load two models at the same time; return what comes on stderr."""
    paths = [folder / "relu.tflite", folder / "dense.tflite"]
    for path, model in zip(paths, (relu_model(), dense_model()), strict=True):
        path.write_bytes(encode(model))
    command = [sys.executable, "-c", code, runtime, *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


@pytest.mark.parametrize("runtime", installed_runtimes())
def test_the_runtimes_say_nothing(runtime: str, tmp_path: Path) -> None:
    assert what_it_says(RUN, runtime, tmp_path) == ""


@pytest.mark.parametrize("runtime", installed_runtimes())
def test_where_they_cannot_be_kept_from_it_they_say_one_line(runtime: str, tmp_path: Path) -> None:
    said = what_it_says(REFUSE_OWN_DESCRIPTORS + RUN, runtime, tmp_path)
    assert said == "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"


def test_the_tiny_model_is_what_its_source_says() -> None:
    assert tiny_float_model() == encode(relu_model())
