"""What the doctor says of the environments of importers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeinfer.device.core.installation.stamps import STAMP_FILE
from edgeinfer.device.diagnose.doctor.checks.importers import ImportersCheck
from edgeinfer.device.diagnose.doctor.system import System


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "edgeinfer" / "importers"


def write_stamp(folder: Path, content: str) -> None:
    folder.mkdir(parents=True)
    (folder / STAMP_FILE).write_text(content, encoding="utf-8")


def test_a_board_without_them_has_nothing_to_say(home: Path) -> None:
    assert ImportersCheck().run(System()) == []


def test_a_complete_one_is_named_with_its_size(home: Path) -> None:
    stamp = {"name": "onnx2tf", "purpose": "reads ONNX models", "packages": [], "size_mb": 1661}
    write_stamp(home / "onnx2tf", json.dumps(stamp))
    write_stamp(home / ".onnx2tf-unfinished", "")
    (finding,) = ImportersCheck().run(System())
    assert (finding.state, finding.subject) == ("ok", "onnx2tf")
    assert finding.got == f"reads ONNX models: 1,661 MB in {home / 'onnx2tf'}, complete and offline"


def test_a_damaged_one_is_a_note_with_a_fix(home: Path) -> None:
    write_stamp(home / "onnx2tf", "\x00")
    (finding,) = ImportersCheck().run(System())
    assert finding.state == "note"
    assert finding.fix == f"run `rm -r {home / 'onnx2tf'}`; it is made again when needed"
