"""The delegate that acts as accelerators: right when it should be, wrong when asked to be."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.runtime.runner import RuntimeName, installed_runtimes
from tests.system.reference_delegate.build import FOLDER

# In a separate process: it may crash, and TensorFlow and tflite-runtime cannot share one.
ASK = """
import importlib, json, sys
import numpy as np
module = importlib.import_module(sys.argv[1])
library, model, runs = sys.argv[2], sys.argv[3], int(sys.argv[4])
kernels = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
def interpreter(**options):
    made = module.Interpreter(model_path=model, experimental_op_resolver_type=kernels, **options)
    made.allocate_tensors()
    return made
plain = interpreter()
delegate = module.load_delegate(library, dict(o.split("=", 1) for o in sys.argv[5:]))
delegated = interpreter(experimental_delegates=[delegate])
for number in range(runs):
    equal = []
    for run in (plain, delegated):
        source, = run.get_input_details()
        values = np.random.default_rng(number).integers(-128, 128, source["shape"])
        run.set_tensor(source["index"], values.astype(source["dtype"]))
        run.invoke()
        equal.append(run.get_tensor(run.get_output_details()[0]["index"]))
    print(json.dumps(bool(np.array_equal(*equal))), flush=True)
"""
MODULES: dict[RuntimeName, str] = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}


@pytest.fixture(params=installed_runtimes())
def runtime(request: pytest.FixtureRequest) -> RuntimeName:
    name: RuntimeName = request.param
    return name


@pytest.fixture
def model(sample_bundle: Path, tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    with open_bundle(sample_bundle) as bundle:
        path.write_bytes(bundle.member("variants/cpu.tflite"))
    return path


def ask(
    library: Path,
    model: Path,
    runtime: RuntimeName,
    *options: str,
    runs: int = 3,
    timeout_s: float = 60,
) -> tuple[int, list[bool], str]:
    """Return the exit code, which answers were those of the builtin kernels, and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, MODULES[runtime], library, model, str(runs), *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize("claim", ["all", "none", "ADD", "CONV_2D,ADD,25"])
def test_what_it_claims_it_computes_right(
    reference_delegate: Path, model: Path, runtime: RuntimeName, claim: str
) -> None:
    code, equal, err = ask(reference_delegate, model, runtime, f"claim={claim}")
    assert (code, equal) == (0, [True] * 3), err


def test_wrong_answers_begin_when_they_should(
    reference_delegate: Path, model: Path, runtime: RuntimeName
) -> None:
    code, equal, err = ask(reference_delegate, model, runtime, "fault=wrong", "after=2")
    assert (code, equal) == (0, [True, True, False]), err


@pytest.mark.parametrize(
    ("fault", "code", "runs", "said"),
    [
        ("refuse", 1, 0, "told to refuse"),
        ("refuse-silently", 1, 0, "Failed to load delegate"),
        ("refuse-graph", 1, 0, "told to refuse the model"),
        ("crash-load", -11, 0, ""),
        ("abort-load", -6, 0, ""),
        ("crash-graph", -11, 0, ""),
        ("exit-load", 3, 0, ""),
        ("crash", -11, 1, ""),
        ("abort", -6, 1, ""),
        ("exit", 3, 1, ""),
        ("error", 1, 1, "told to fail"),
        ("slow", 0, 3, ""),
    ],
)
def test_faults(
    reference_delegate: Path,
    model: Path,
    runtime: RuntimeName,
    fault: str,
    code: int,
    runs: int,
    said: str,
) -> None:
    options = (f"fault={fault}", "after=1", "slow-ms=1")
    got, equal, err = ask(reference_delegate, model, runtime, *options)
    assert (got, len(equal)) == (code, runs), err
    assert said in err


@pytest.mark.parametrize("fault", ["hang-load", "hang"])
def test_hanging(reference_delegate: Path, model: Path, runtime: RuntimeName, fault: str) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(
            [
                sys.executable,
                "-c",
                ASK,
                MODULES[runtime],
                reference_delegate,
                model,
                "3",
                f"fault={fault}",
            ],
            capture_output=True,
            check=False,
            timeout=2,
        )


def test_a_control_file_injects_one_fault(
    reference_delegate: Path, model: Path, runtime: RuntimeName, tmp_path: Path
) -> None:
    control = tmp_path / "control"
    control.write_text("wrong\n")
    code, equal, err = ask(reference_delegate, model, runtime, f"control={control}")
    assert (code, equal) == (0, [False, True, True]), err
    assert control.read_text() == ""
    control.write_text("crash-load")
    assert ask(reference_delegate, model, runtime, f"control={control}")[0] == -11
    assert control.read_text() == ""


def test_faults_are_counted_across_processes(
    reference_delegate: Path, model: Path, runtime: RuntimeName, tmp_path: Path
) -> None:
    options = ("fault=crash", "times=2", f"state={tmp_path / 'state'}")
    codes = [ask(reference_delegate, model, runtime, *options)[0] for _ in range(3)]
    assert codes == [-11, -11, 0]


def test_one_process_at_a_time(reference_delegate: Path, model: Path, tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        code, _, err = ask(reference_delegate, model, installed_runtimes()[0], f"lock={lock}")
        assert (code, "Failed to load delegate" in err) == (1, True)
    code, equal, err = ask(reference_delegate, model, installed_runtimes()[0], f"lock={lock}")
    assert (code, equal) == (0, [True] * 3), err


@pytest.mark.parametrize("option", ["claim=NO_SUCH_OP", "claim=", "fault=bad", "after=x", "x=y"])
def test_bad_options_are_refused(reference_delegate: Path, model: Path, option: str) -> None:
    code, _, err = ask(reference_delegate, model, installed_runtimes()[0], option)
    assert code == 1
    assert f"bad option {option}" in err


def test_cmake_builds_it(model: Path, tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("there is no cmake")
    subprocess.run(["cmake", "-S", FOLDER, "-B", tmp_path], check=True, capture_output=True)
    subprocess.run(["cmake", "--build", tmp_path], check=True, capture_output=True)
    library = tmp_path / "libreference_delegate.so"
    assert ask(library, model, installed_runtimes()[0])[:2] == (0, [True] * 3)
