"""What each command says of a file that is not a model for a board."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.cli.main import run_program
from tests.device.core.model_file import foreign_examples as foreign

COMMANDS = {
    "predict": ("predict", "{model}", "photo.jpg"),
    "run": ("run", "{model}", "--camera", "simulated"),
    "verify": ("verify", "{model}"),
    "benchmark": ("benchmark", "{model}"),
    "inspect": ("inspect", "{model}"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("a.tflite", foreign.LFS_POINTER, "fetch the file with `git lfs pull`"),
        ("a.edgebundle", foreign.HTML, "download the file itself"),
        ("a.onnx", foreign.ONNX, "a.onnx --pictures FOLDER`"),
        ("a.pt", foreign.TORCH, "`edgeinfer convert model.py:function`"),
    ],
)
def test_one_line_with_a_next_step(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    name: str,
    content: bytes,
    advice: str,
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert run_program([part.format(model=path) for part in COMMANDS[command]]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert told.err.startswith(f"error: {path}: is a")
    assert advice in told.err


@pytest.mark.parametrize("command", COMMANDS)
def test_the_folder_around_a_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    folder = tmp_path / "a.edgebundle"
    folder.mkdir()
    (folder / "cats.edgebundle").touch()
    assert run_program([part.format(model=folder) for part in COMMANDS[command]]) == 1
    assert capsys.readouterr().err.startswith(
        f"error: {folder}: is a folder around cats.edgebundle, expected a "
    )
