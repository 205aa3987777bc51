"""The names of `import edgeinfer`: documented, typed, lazy, and those that the docs list."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import edgeinfer
from edgeinfer.device.core import errors
from edgeinfer.device.core.errors import EdgeinferError, MissingExtraError, UsageError
from edgeinfer.device.core.installation.advice import add_extra
from tests.support.checkout import ROOT

SOURCE = (ROOT / "host" / "api" / "edgeinfer.py").read_text(encoding="utf-8")
NAMES = sorted(set(edgeinfer.__all__) - {"__version__"})
WITHOUT_EXAMPLES = {"Prediction", "Progress", "Silent"}
PAGES = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "api").glob("*.md"))


def test_what_is_installed_is_this_checkouts() -> None:
    assert edgeinfer.__version__ == metadata.version("edgeinfer")
    installed = Path(edgeinfer.__file__ or "")
    expected = SOURCE.replace("${version}", edgeinfer.__version__)
    assert installed.read_text(encoding="utf-8") == expected, "install again: `make lint` does"
    assert installed.with_name("py.typed").is_file()


def test_the_docs_list_the_names_and_no_others() -> None:
    shown = re.findall(r"^::: edgeinfer\.(\w+)$", PAGES, re.MULTILINE)
    assert sorted(shown) == NAMES
    assert "edgeinfer.__version__" in PAGES
    assert list(edgeinfer.__all__) == sorted(edgeinfer.__all__)
    assert set(dir(edgeinfer)) >= set(edgeinfer.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_there_and_says_what_it_is(name: str) -> None:
    found = getattr(edgeinfer, name)
    assert found is getattr(edgeinfer, name)
    assert found.__doc__
    assert len(found.__doc__) > 10
    if not (name.endswith("Error") or name in WITHOUT_EXAMPLES):
        assert "Examples:\n" in found.__doc__
    # A dataclass without a docstring has its own signature for one.
    assert not found.__doc__.startswith(f"{found.__name__}(")


def test_what_a_type_checker_sees_is_what_is_imported() -> None:
    (block,) = (
        node
        for node in ast.parse(SOURCE).body
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name)
    )
    seen: dict[str, object] = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        assert node.module is not None
        for alias in node.names:
            seen[alias.asname or alias.name] = getattr(import_module(node.module), alias.name)
    assert seen == {name: getattr(edgeinfer, name) for name in NAMES}


def test_every_error_is_a_name() -> None:
    kinds = {
        name
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, EdgeinferError)
    }
    assert kinds <= set(NAMES)


def test_another_name_is_refused_as_by_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'edgeinfer' has no attribute 'detect'"):
        edgeinfer.detect  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError):
        from edgeinfer import detect  # type: ignore[attr-defined]  # noqa: F401


IMPORTED = """
import sys
before = set(sys.modules)
import edgeinfer
print(*sorted(set(sys.modules) - before))
edgeinfer.EdgeinferError, edgeinfer.train, edgeinfer.convert, edgeinfer.Silent
print(*sorted({"numpy", "cv2", "click", "rich", "keras"} & set(sys.modules)))
edgeinfer.Model, edgeinfer.Frame, edgeinfer.Detections
print(*sorted({"cv2", "PIL", "click", "ai_edge_litert", "keras"} & set(sys.modules)))
"""


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True
    )
    at_first, after_names, after_model = done.stdout.splitlines()
    ours = [name for name in at_first.split() if name.startswith("edgeinfer")]
    assert ours == ["edgeinfer"]
    assert not {"typing", "logging", "numpy", "re"} & set(at_first.split())
    assert after_names == ""
    assert after_model == ""


HOST: dict[str, Callable[..., Any]] = {
    "train": edgeinfer.train,
    "convert": edgeinfer.convert,
    "evaluate": edgeinfer.evaluate,
    "prune": edgeinfer.prune,
    "optimize": edgeinfer.optimize,
}


@pytest.mark.parametrize("name", HOST)
def test_without_the_host_extra_the_error_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(name: str, package: str | None = None) -> object:
        return None if name in {"keras", "ai_edge_quantizer"} else find_spec(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", found)
    with pytest.raises(MissingExtraError, match=f"edgeinfer.{name}: needs ") as caught:
        HOST[name]("photos", "made")
    assert caught.value.next_step == add_extra("host")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("train", (None, "made"), "path: is None, expected a folder of photographs"),
        ("train", ("photos", None), "path: is None, expected the folder to make"),
        ("train", ("absent", "made"), "absent: "),
        ("convert", (None, "made"), "path: is None, expected the path of a model"),
        ("convert", ("photos", b"x"), "path: is of type bytes, expected the path of the bundle"),
        ("convert", ("absent.keras", "x.edgebundle"), r"absent\.keras: does not exist"),
        ("evaluate", (None, "photos"), "path: is None, expected the path of a model file"),
        ("evaluate", ("x.edgebundle", 3), "path: is of type int, expected a folder"),
        ("evaluate", ("absent.edgebundle", "photos"), r"absent\.edgebundle: does not exist"),
        ("prune", ("", "made"), "path: is empty, expected a folder of edgeinfer.train"),
        ("prune", ("absent", "made"), "absent: "),
        ("optimize", ("run", 4), "path: is of type int, expected the folder of the search"),
        ("optimize", ("run", "run"), "--out: is RUN itself, expected another folder"),
        ("optimize", ("absent", "made"), "absent: "),
    ],
)
def test_bad_arguments_are_one_sentence(
    name: str,
    arguments: tuple[Any, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("tensorflow", reason="these need the host extra")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EdgeinferError, match=message) as caught:
        HOST[name](*arguments, progress=edgeinfer.Silent())
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_convert_refuses_what_it_would_not_obey(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="this needs the host extra")
    model, out = tmp_path / "mine.tflite", tmp_path / "mine.edgebundle"
    model.write_bytes(b"    TFL3")
    foreign = edgeinfer.ForeignModel(pictures=tmp_path)
    cases: dict[str, dict[str, Any]] = {
        r"foreign: is not given, and .*mine\.tflite was not made by": {},
        "max_drop_points: is given together with foreign.min_agreement": {
            "max_drop_points": 2.0,
            "foreign": replace(foreign, min_agreement=0.9),
        },
        "calibration_draw: is given, and does not go with": {"calibration_draw": "as-is"},
        "--repair: given with --precision float16": {
            "options": edgeinfer.ConvertOptions(
                quantize=edgeinfer.QuantizeOptions(precision="float16"), repair="none"
            )
        },
        "--calibration-images: given with --precision float16": {
            "options": edgeinfer.ConvertOptions(
                quantize=edgeinfer.QuantizeOptions(precision="float16"), calibration_images=5
            )
        },
        "toaster": {"board": "toaster"},
    }
    for message, options in cases.items():
        with pytest.raises(UsageError, match=message):
            edgeinfer.convert(model, out, **options)
    run = tmp_path / "run"
    run.mkdir()
    (run / "trained.json").write_text("{}")
    with pytest.raises(UsageError, match="foreign: is given, and does not go with"):
        edgeinfer.convert(run, out, foreign=foreign)
    assert not out.exists()
