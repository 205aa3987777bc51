"""Which models go to an importer, and what the user may say about them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edgeinfer.converters.importers.pins import LITERT_TORCH, ONNX2TF
from edgeinfer.converters.importers.source import (
    IMPORT_TIMEOUT_S,
    ImportedModel,
    find_imported,
    import_options,
)
from edgeinfer.device.core.errors import ModelError, UsageError


def test_each_kind_is_found(tmp_path: Path) -> None:
    for name in ("net.onnx", "net.pt2", "NET.ONNX", "model.py", "a:b.py"):
        (tmp_path / name).write_bytes(b"x")
    onnx = find_imported(tmp_path / "net.onnx")
    assert onnx == ImportedModel(path=tmp_path / "net.onnx", kind="onnx")
    assert (onnx.name, onnx.subject) == ("net", str(tmp_path / "net.onnx"))
    upper, program = find_imported(tmp_path / "NET.ONNX"), find_imported(tmp_path / "net.pt2")
    assert upper is not None
    assert program is not None
    assert (upper.kind, program.kind) == ("onnx", "pt2")
    function = find_imported(Path(f"{tmp_path}/model.py:build"))
    assert function is not None
    assert (function.path, function.function) == (tmp_path / "model.py", "build")
    assert function.subject.endswith("/model.py:build")
    assert find_imported(Path(f"{tmp_path}/a:b.py:build")) is not None


@pytest.mark.parametrize("name", ["net.keras", "net.tflite", "model.py", "model.py:"])
def test_others_are_not(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    assert find_imported(tmp_path / name) is None


def test_content_counts_more_than_the_name(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    assert find_imported(path) is None  # and what takes other kinds says what to do
    other = tmp_path / "net.model"
    other.write_bytes(b"\x08\x08\x3a\x02\x0a\x00")  # ir_version 8 and a graph
    found = find_imported(other)
    assert found is not None
    assert found.kind == "onnx"


@pytest.mark.parametrize("name", ["absent.onnx", "absent.pt2", "absent.py:build"])
def test_what_does_not_exist_is_said(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"does not exist|is not a file"):
        find_imported(tmp_path / name)


def test_options_are_obeyed_or_refused(tmp_path: Path) -> None:
    model = ImportedModel(path=tmp_path / "net.onnx", kind="onnx")
    options = import_options(model, (32, 16), 5.0, grey=True)
    assert (options.size, options.channels, options.timeout_s) == ((16, 32), 1, 5.0)
    default = import_options(model, None, None, grey=False)
    assert (default.size, default.channels, default.timeout_s) == (None, 3, IMPORT_TIMEOUT_S)
    import_options(None, None, None, grey=True)
    assert import_options(None, (32, 16), None, grey=False).size == (16, 32)  # others take it too
    with pytest.raises(UsageError, match="--import-timeout: is given"):
        import_options(None, None, 3.0, grey=False)


@pytest.mark.parametrize("pins", [ONNX2TF, LITERT_TORCH])
def test_every_package_is_pinned_once(pins: tuple[str, ...]) -> None:
    names = [re.split("==", pin)[0].lower().replace("_", "-") for pin in pins]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w.-]+==\d[\w.+]*", pin) for pin in pins)
    assert not any("nvidia" in name or name.startswith("tensorflow") for name in names)
