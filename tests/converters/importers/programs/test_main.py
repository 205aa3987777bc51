"""The importer's program: it runs a reader, compares, and says in its last line how that went."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from edgeinfer.converters.importers.programs import main as program
from edgeinfer.converters.importers.run import MARK, PROGRAM, ImportRequest, run_importer
from edgeinfer.device.core.errors import ConversionError, StorageError
from tests.converters.importers.tiny_float import tiny_float

READER = """
import numpy as np
from pathlib import Path
def read(job, refuse):
    Path(job["output"]).write_bytes(Path({model!r}).read_bytes())
    image = np.random.default_rng(0).random((1, 8, 12, 3), np.float32)
    expected = [np.array([[{left}, {right}]], np.float32)]
    {extra}
    return image, expected
"""


def scores() -> list[float]:
    """Return what the tiny model answers to that picture."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=tiny_float())
    interpreter.allocate_tensors()
    image = np.random.default_rng(0).random((1, 8, 12, 3), np.float32)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    (found,) = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    return [float(value) for value in found]


def run(folder: Path, extra: str = "pass", *, off: float = 0.0) -> float:
    """Run a copy of the program with a reader that gives these answers; return the difference."""
    model = folder / "made.tflite"
    model.write_bytes(tiny_float())
    shutil.copy(PROGRAM, folder / "main.py")
    left, right = scores()
    code = READER.format(model=str(model), left=left + off, right=right, extra=extra)
    (folder / "read_onnx.py").write_text(code, encoding="utf-8")
    request = ImportRequest(
        importer="onnx2tf",
        python=Path(sys.executable),
        program=folder / "main.py",
        reader="read_onnx",
        subject="net.onnx",
        model=folder / "net.onnx",
        limit_s=300,
    )
    return run_importer(request, folder / "net.tflite").difference


def test_equal_answers(tmp_path: Path) -> None:
    assert run(tmp_path) < 1e-6
    assert (tmp_path / "net.tflite").read_bytes() == tiny_float()


def test_other_answers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"differ by 0\.5 from the original's"):
        run(tmp_path, off=0.5)


def test_nothing_that_is_not_a_number_passes(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"differ by 1e\+300"):
        run(tmp_path, "expected = [np.full((1, 2), np.nan, np.float32)]")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("refuse('has 2 inputs', 'one')", "net.onnx: has 2 inputs, expected one"),
        ("expected *= 2", "net.onnx: became a model with 1 inputs and 1 outputs, expected 1 and 2"),
        (
            "expected = [np.zeros((1, 5))]",
            "net.onnx: output 0 became (1, 2), expected (1, 5)",
        ),
        (
            "raise KeyError('Frobnicate') from ValueError('no\\nsuch operator')",
            "net.onnx: onnx2tf cannot convert it (KeyError: 'Frobnicate'; because of ValueError: "
            "no such operator)",
        ),
        ("raise SystemExit(1)", "net.onnx: onnx2tf cannot convert it (it gives no reason)"),
        (
            "print('ERROR: no Frobnicate'); raise SystemExit(1)",
            "net.onnx: onnx2tf cannot convert it (no Frobnicate)",
        ),
    ],
)
def test_failures(extra: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConversionError) as caught:
        run(tmp_path, extra)
    assert str(caught.value) == message


def test_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no space left on device"):
        run(tmp_path, "raise OSError(28, 'No space left on device')")


def test_its_mark_is_the_one_that_is_looked_for() -> None:
    assert program.MARK == MARK
