"""Each way in which an importer may end, by real processes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from edgeinfer.converters.importers.child import KEPT_BYTES
from edgeinfer.converters.importers.run import ImportRequest, run_importer
from edgeinfer.device.core.errors import ConversionError, EdgeinferError, StorageError
from tests.converters.importers.fakes import GOOD, fake_program, good_code
from tests.converters.importers.tiny_float import tiny_float
from tests.support.waiting import until


def run(folder: Path, code: str, *, limit_s: float = 60.0) -> Path:
    request = ImportRequest(
        importer="onnx2tf",
        python=Path(sys.executable),
        program=fake_program(folder / "importer.py", code),
        reader="read_onnx",
        subject="net.onnx",
        model=folder / "net.onnx",
        limit_s=limit_s,
    )
    output = folder / "net.tflite"
    imported = run_importer(request, output)
    assert (imported.difference, imported.scale) == (GOOD["difference"], GOOD["scale"])
    return output


def refusal(folder: Path, code: str, *, limit_s: float = 60.0) -> EdgeinferError:
    with pytest.raises(EdgeinferError) as caught:
        run(folder, code, limit_s=limit_s)
    assert not (folder / "net.tflite").exists()
    assert caught.value.exit_code == 1
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def test_a_good_one_leaves_the_model(tmp_path: Path) -> None:
    assert run(tmp_path, good_code(tmp_path)).read_bytes() == tiny_float()


def test_one_that_prints_without_end_does_not_wait_or_fill_the_memory(tmp_path: Path) -> None:
    noise = f"sys.stdout.write('x' * {KEPT_BYTES * 20} + '\\n'); "
    assert run(tmp_path, noise + good_code(tmp_path)).exists()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "net.onnx: onnx2tf was killed by SIGSEGV"),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "net.onnx: onnx2tf was killed by SIGKILL; the system may have ended it because memory "
            "was full: close other programs",
        ),
        (
            "print('loading', flush=True); sys.exit('no such operator')",
            "net.onnx: onnx2tf ended with code 1 (no such operator)",
        ),
        ("pass", "net.onnx: onnx2tf ended without an answer"),
        ("print('edgeinfer-answer {')", "net.onnx: onnx2tf ended without an answer"),
        ("answer(difference='small')", "net.onnx: onnx2tf ended without an answer"),
        (
            "output.write_bytes(b'junk' * 100); answer(difference=0, scale=1)",
            "net.onnx: onnx2tf wrote no usable .tflite model (is not a TensorFlow Lite model)",
        ),
        (
            "answer(difference=0, scale=1)",
            "net.onnx: onnx2tf wrote no usable .tflite model (does not exist)",
        ),
        (
            "answer(difference=0.25, scale=2.0)",
            "net.onnx: the answers of what onnx2tf made differ by 0.25 from the original's, which "
            "reach 2, expected at most 0.002",
        ),
        (
            "answer(refused={'got': 'has 2 inputs', 'expected': 'one', 'next_step': ''})",
            "net.onnx: has 2 inputs, expected one",
        ),
        (
            "answer(failed='ValueError: no operator Frobnicate', full=False)",
            "net.onnx: onnx2tf cannot convert it (ValueError: no operator Frobnicate)",
        ),
        (
            "print('\\x1b[31mERROR:\\x1b[0m OP Frobnicate is not known'); "
            "answer(failed='', full=False)",
            "net.onnx: onnx2tf cannot convert it (OP Frobnicate is not known)",
        ),
    ],
)
def test_what_ends_in_one_line(tmp_path: Path, code: str, message: str) -> None:
    error = refusal(tmp_path, code)
    assert isinstance(error, ConversionError)
    assert str(error) == message


def test_one_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    code = (
        "started = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        f"Path({str(child)!r}).write_text(str(started.pid)); time.sleep(600)"
    )
    began_s = time.monotonic()
    error = refusal(tmp_path, code, limit_s=2.0)
    assert str(error) == (
        "net.onnx: onnx2tf did not end within 2 s; give it more time with --import-timeout"
    )
    assert time.monotonic() - began_s < 300  # it did not wait for the 600 s of either
    pid = int(child.read_text())
    until(lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    "code",
    [
        "answer(failed='OSError: [Errno 28] No space left on device', full=True)",
        "raise OSError(28, os.strerror(28), '/tmp/x')",
    ],
)
def test_a_full_disk_is_named(tmp_path: Path, code: str) -> None:
    error = refusal(tmp_path, code)
    assert isinstance(error, StorageError)
    assert str(error) == (
        "net.onnx: onnx2tf cannot write (no space left on device); free some space, or set TMPDIR "
        "to a folder on another disk"
    )


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    request = ImportRequest(
        importer="onnx2tf",
        python=tmp_path / "bin" / "python",
        reader="read_onnx",
        subject="net.onnx",
        model=tmp_path / "net.onnx",
        limit_s=5,
    )
    with pytest.raises(ConversionError, match=r"onnx2tf cannot be started \(no such file"):
        run_importer(request, tmp_path / "net.tflite")


def test_it_gets_nothing_of_pythons_variables_or_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('imported from the folder')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    checked = (
        "assert not [name for name in os.environ if name.startswith('PYTHON')]; "
        "assert job['work'] == os.environ['TMPDIR']; "
    )
    assert run(tmp_path, checked + good_code(tmp_path)).exists()
    assert os.getcwd() == str(tmp_path)
