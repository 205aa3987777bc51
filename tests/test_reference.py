"""What docs/ lists is what there is: codes, variables, boards, accelerators, a bundle's schema."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from edgeinfer.boards import load_profile, profile_names
from edgeinfer.boards.files import PROFILES
from edgeinfer.boards.matrix import matrix_lines
from edgeinfer.device.accelerators import registry
from edgeinfer.device.cameras.files.clips.undecodable import CODEC
from edgeinfer.device.cameras.v4l2.devices import BUSY, NO_CAPTURE
from edgeinfer.device.cli.main import INTERRUPTED
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.models.bundle import layout, limits, manifest, reader
from edgeinfer.device.pictures.decode import EXTRA
from edgeinfer.device.pictures.region import TOO_SMALL
from tests.support.checkout import ROOT
from tests.support.pages import DOCS, TEXT, blocks, table

TROUBLESHOOTING = DOCS / "troubleshooting.md"
BOARDS = DOCS / "boards.md"
BUNDLE = DOCS / "bundle-format.md"


def sources() -> Iterator[Path]:
    for package in ("boards", "converters", "device", "host"):
        yield from (ROOT / package).rglob("*.py")


def in_sources(pattern: str) -> set[str]:
    return {found for file in sources() for found in re.findall(pattern, file.read_text())}


def error_kinds() -> list[type[EdgeinferError]]:
    """Return all kinds of errors; what defines one is imported."""
    for file in sources():
        if re.search(r"^class \w+Error\(\w+Error\)", file.read_text(), re.MULTILINE):
            parts = file.relative_to(ROOT).with_suffix("").parts
            importlib.import_module(".".join(("edgeinfer", *parts)))
    kinds = [EdgeinferError]
    for kind in kinds:
        kinds += [one for one in kind.__subclasses__() if one.__module__.startswith("edgeinfer.")]
    return kinds


def test_every_error_code_is_documented() -> None:
    there = {(f"`{kind.kind}`", f"`{kind.__name__}`") for kind in error_kinds()}
    # A new detail of a code has to be added here, and with it to the page.
    assert in_sources(r"\bdetail=([A-Z_]+)") == {
        *("BUSY", "CODEC", "EXTRA", "NO_CAPTURE", "TOO_SMALL")
    }
    there |= {(f"`camera.{detail}`", "`CameraError`") for detail in (BUSY, CODEC, NO_CAPTURE)}
    there |= {(f"`image.{detail}`", "`ImageError`") for detail in (EXTRA, TOO_SMALL)}
    assert {(code, name) for code, name, _ in table(TROUBLESHOOTING, "Error codes")} == there


def test_every_exit_code_is_documented() -> None:
    documented = {int(code) for code, _ in table(TROUBLESHOOTING, "Exit codes")}
    assert documented == {0, INTERRUPTED, *(kind.exit_code for kind in error_kinds())}


def test_every_environment_variable_is_documented() -> None:
    rows = table(TROUBLESHOOTING, "Environment variables")
    documented = {name.strip("`") for name, _ in rows if name.startswith("`EDGEINFER_")}
    pattern = r"\"(EDGEINFER_[A-Z_]+)\""
    benchmarks = (ROOT / "tests" / "benchmarks").rglob("*.py")
    read = in_sources(pattern)
    read |= {name for file in benchmarks for name in re.findall(pattern, file.read_text())}
    internal = {"EDGEINFER_PROBED_SOURCE"}
    assert internal <= set(re.findall(r"EDGEINFER_\w+", TEXT[TROUBLESHOOTING]))
    assert documented == read - internal


def test_every_accelerator_has_a_page() -> None:
    overview, *pages = sorted((DOCS / "accelerators").glob("*.md"), key=lambda p: p.stem != "index")
    for name in registry.OWN:
        assert f"`{name}" in TEXT[overview], name
        assert any(f"`{name}" in TEXT[page] for page in pages), name


def test_the_compatibility_matrix_is_what_the_boards_say() -> None:
    begin, end = "<!-- edgeinfer boards matrix --markdown -->\n", "<!-- end of the matrix -->\n"
    text = TEXT[BOARDS]
    assert text.count(begin) == text.count(end) == 1, "docs/boards.md lacks the matrix's markers"
    shown = text.split(begin)[1].split(end)[0].strip()
    said = matrix_lines(load_profile(name) for name in profile_names(PROFILES))
    assert shown == "\n".join(said), "put `edgeinfer boards matrix --markdown` into docs/boards.md"


def test_every_board_is_listed() -> None:
    text = TEXT[BOARDS].partition("\n## ")[0]
    assert {name for name in profile_names(PROFILES) if f"`{name}`" not in text} == set()


def test_the_board_to_add_is_one(tmp_path: Path) -> None:
    (text,) = blocks(BOARDS, "toml")
    (tmp_path / "mine.toml").write_text(text)
    (tmp_path / "rpi4.toml").write_bytes((PROFILES / "rpi4.toml").read_bytes())
    assert load_profile("mine", tmp_path).memory_mib == 4096


def test_what_a_package_may_provide_is_documented() -> None:
    rows = table(DOCS / "extending.md", "Entry points")
    assert len(rows) == 5
    for group, path, _ in rows:
        module, _, name = path.strip("`").rpartition(".")
        kind = getattr(importlib.import_module(module), name)
        found = metadata.entry_points(group=group.strip("`"))
        assert found
        assert all(isinstance(one.load(), kind) for one in found)


def dataclasses_of(kind: type[Any]) -> dict[str, type[Any]]:
    """Return a dataclass and all that its fields are made of, by name."""
    found = {kind.__name__: kind}
    module = importlib.import_module(kind.__module__)
    for field in dataclasses.fields(kind):
        for name in re.findall(r"[A-Z]\w+", str(field.type)):
            inner = getattr(module, name, None)
            if isinstance(inner, type) and dataclasses.is_dataclass(inner):
                found |= dataclasses_of(inner)
    return found


def test_the_schema_of_a_bundle_is_that_of_the_dataclasses() -> None:
    kinds = dataclasses_of(manifest.ModelManifest)
    assert len(kinds) == 18
    for name, kind in kinds.items():
        there = {
            f"`{field.name}`": "yes" * (field.default is field.default_factory)  # both are missing
            for field in dataclasses.fields(kind)
        }
        assert {key: needed for key, _, needed, _ in table(BUNDLE, name)} == there, name


def test_the_limits_of_a_bundle_are_those_of_its_reader() -> None:
    said = {row[0]: row[1] for row in table(BUNDLE, "What a reader refuses")}
    assert said == {
        "the whole file": f"{reader.MAX_BUNDLE_BYTES >> 30} GiB",
        "one member": f"{reader.MAX_MEMBER_BYTES >> 20} MiB",
        "`manifest.json`": f"{reader.MAX_MANIFEST_BYTES >> 20} MiB",
        "members": f"{layout.MAX_MEMBERS:,}",
        "variants": f"{manifest.MOST_VARIANTS}",
        "golden frames": f"{manifest.MOST_GOLDEN_FRAMES:,}",
        "one text": f"{limits.MOST_CHARACTERS:,} characters",
    }
