"""What a process writes to stderr arrives completely and immediately, whatever it opens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.device.runtime.runner import installed_runtimes
from tests.device.tflite_examples import dense_model, encode, relu_model
from tests.support.refused_calls import REFUSE_OWN_DESCRIPTORS

LEAST = 5000

LOG = f"""
import ctypes, os, subprocess, sys, threading
from pathlib import Path

sys.setswitchinterval(1e-5)
libc = ctypes.CDLL(None)
c_stderr = ctypes.c_void_p.in_dll(libc, "stderr")
started, done, written = threading.Event(), threading.Event(), 0

def log():
    global written
    while written < {LEAST} or not done.is_set():
        line = f"line {{written}}"
        if written % 1000 == 500:
            subprocess.run(["sh", "-c", f"echo {{line}} >&2"], check=True)
        elif written % 3 == 0:
            print(line, file=sys.stderr, flush=True)
        elif written % 3 == 1:
            os.write(2, f"{{line}}\\n".encode())
        else:
            libc.fputs(f"{{line}}\\n".encode(), c_stderr)
        written += 1
        started.set()

logging = threading.Thread(target=log)
logging.start()
started.wait()
try:
    opened = work(*sys.argv[1:])
finally:
    done.set()
    logging.join()
print(opened, written)
"""
"""Lines of Python, of C code and of child processes, from one thread; `work` in another."""

MODELS = """
def work(runtime, *models):
    from edgeinfer.device.runtime.runner import Runner
    contents = [Path(model).read_bytes() for model in models]
    return len([Runner(content, subject="m", runtime=runtime) for content in contents * 13])
"""

STREAMS = """
def work(runtime, bundle, video, folder, delegate):
    import edgeinfer.device
    from edgeinfer.device import DelegateRequest, OpenOptions
    from edgeinfer.device.pictures.frame import Frame
    opened = 0
    for camera in (video, folder, "simulated"):
        for request in (DelegateRequest(), DelegateRequest(delegate=delegate)):
            options = OpenOptions(runtime=runtime, delegates=request)
            for _ in range(3):
                with edgeinfer.device.open(bundle, options, camera=camera) as stream:
                    assert next(iter(stream)).to_json()
                opened += 1
    return opened
"""


def check(work: str, *arguments: object, shown: tuple[str, ...] = ()) -> int:
    """Run, have every line come once and in order, and return how many opens there were.

    Args:
        work: code; defines `work`.
        shown: what is also written, in pieces, with others' lines between them.
    """
    command = [sys.executable, "-c", work + LOG, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    opened, written = map(int, done.stdout.split())
    text = done.stderr
    for piece in shown:
        assert text.count(piece) == 1
        text = text.replace(piece, "")
    assert written >= LEAST
    lines = [line for line in text.split("\n") if line]
    assert lines == [f"line {number}" for number in range(written)]
    return opened


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    """A model in float32, which either runtime gives to XNNPACK, and one in INT8."""
    paths = [tmp_path / "relu.tflite", tmp_path / "dense.tflite"]
    for path, model in zip(paths, (relu_model(), dense_model()), strict=True):
        path.write_bytes(encode(model))
    return paths


@pytest.mark.parametrize("runtime", installed_runtimes())
def test_models(runtime: str, models: list[Path]) -> None:
    assert check(MODELS, runtime, *models) == 26


@pytest.mark.parametrize("runtime", installed_runtimes())
def test_models_where_a_runtime_cannot_be_kept_quiet(runtime: str, models: list[Path]) -> None:
    pieces = ("INFO: ", "Created TensorFlow Lite XNNPACK delegate for CPU.")
    assert check(REFUSE_OWN_DESCRIPTORS + MODELS, runtime, *models, shown=pieces) == 26


@pytest.mark.parametrize("runtime", installed_runtimes())
def test_cameras_and_delegates(
    runtime: str, sample_bundle: Path, video: Path, class_folder: Path, reference_delegate: Path
) -> None:
    (class_folder / "dark" / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    arguments = (sample_bundle, video, class_folder, reference_delegate)
    assert check(STREAMS, runtime, *arguments) == 18
