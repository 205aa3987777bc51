"""The manifest: its golden bytes, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.device.bundle.manifest import is_member_name, parse_manifest
from edgeinfer.device.decoding import ValueSpec
from edgeinfer.device.errors import BundleError
from edgeinfer.device.types import TensorSpec
from tests.device.bundle.examples import manifest

GOLDEN = Path(__file__).parent / "manifest.golden.json"


def test_the_bytes_are_those_of_the_golden_file() -> None:
    # Another text here means that bundles made before no longer read, or differ without need:
    # then raise the schema version.
    assert manifest().to_bytes() == GOLDEN.read_bytes()


def test_the_golden_file_reads_back() -> None:
    assert parse_manifest(GOLDEN.read_bytes(), subject="x") == manifest()


def edited(**changes: object) -> bytes:
    return json.dumps({**json.loads(GOLDEN.read_bytes()), **changes}).encode()


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(BundleError, match="unknown key 'colour'"):
        parse_manifest(edited(colour="red"), subject="x.edgebundle")


def test_a_newer_schema_is_refused_with_its_cure() -> None:
    with pytest.raises(BundleError, match=r"schema version 3, expected 2 or older; update"):
        parse_manifest(edited(schema_version=3, colour="red"), subject="x.edgebundle")


@pytest.mark.parametrize("version", [0, -1, "1", None, True, 1.0])
def test_other_schema_versions_are_refused(version: object) -> None:
    with pytest.raises(BundleError, match="schema_version"):
        parse_manifest(edited(schema_version=version), subject="x")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ("one",)}, "two labels or more"),
        ({"labels": ("a", "a")}, "occurs twice"),
        ({"labels": ("a", "b\x1b[2J")}, "control characters"),
        ({"labels": ("a", "b", "c")}, "output shape"),
        ({"variants": {}}, "'cpu' among them"),
        ({"name": ""}, "name is"),
        ({"name": "../x"}, "without '/'"),
        ({"task": "value"}, "unit and no labels"),
        ({"value": ValueSpec(unit="bar")}, "no value"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(manifest(), **changes)  # type: ignore[arg-type]


def test_a_model_of_values_has_a_unit_and_one_output() -> None:
    cpu = manifest().variants["cpu"]
    gauge = replace(
        manifest(),
        task="value",
        labels=(),
        value=ValueSpec(unit="bar", scale=0.1, offset=-1.0),
        variants={"cpu": replace(cpu, output=replace(cpu.output, shape=(1, 1)))},
    )
    assert parse_manifest(gauge.to_bytes(), subject="x") == gauge


def test_an_input_of_another_shape_is_refused() -> None:
    cpu = manifest().variants["cpu"]
    other = TensorSpec(name="in", shape=(1, 3, 2, 3), dtype="int8", scale=0.5)
    with pytest.raises(ValueError, match="input shape"):
        replace(manifest(), variants={"cpu": replace(cpu, input=other)})


@pytest.mark.parametrize("name", ["a", "a/b.c", "golden/frame-000.png", "_x"])
def test_member_names_that_are_allowed(name: str) -> None:
    assert is_member_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "/a", "../a", "a/../b", "a/..", "a//b", "a/", "./a", ".hidden", "a\\b", "a b", "a\n", "ä",
     "C:x", "a\x00b", "a" * 201],
)  # fmt: skip
def test_member_names_that_are_not(name: str) -> None:
    assert not is_member_name(name)
