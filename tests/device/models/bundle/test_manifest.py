"""The manifest: its golden bytes, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.device.accelerators.registry import OWN as ACCELERATORS
from edgeinfer.device.core.errors import BundleError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.models.bundle.manifest import is_member_name, parse_manifest
from edgeinfer.device.tasks.spec import Decoder, GridSpec, PointsSpec, ValueSpec
from tests.device.models.bundle.examples import manifest, of_every_task

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


def test_a_newer_schema_is_refused_with_a_fix() -> None:
    with pytest.raises(BundleError, match=r"schema version 5, expected 4 or older; update"):
        parse_manifest(edited(schema_version=5, colour="red"), subject="x.edgebundle")


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
        ({"variants": {}}, "'cpu' for no delegate"),
        ({"name": ""}, "name is"),
        ({"name": "../x"}, "without '/'"),
        ({"task": "value"}, "needs a value.s unit"),
        ({"value": ValueSpec(unit="bar")}, "a value's unit do not fit"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(manifest(), **changes)  # type: ignore[arg-type]


def test_another_layout_needs_version_3_and_comes_back() -> None:
    before = manifest()
    preprocess = replace(before.preprocess, layout="chw")
    height, width, depth = preprocess.shape
    cpu = before.variants["cpu"]
    variants = {"cpu": replace(cpu, input=replace(cpu.input, shape=(1, depth, height, width)))}
    changes: dict[str, Any] = {"preprocess": preprocess, "variants": variants}
    with pytest.raises(ValueError, match=r"schema version 1 .* layout 'chw' .* expected version 3"):
        replace(before, **changes)
    after = replace(before, schema_version=3, **changes)
    assert parse_manifest(after.to_bytes(), subject="x") == after
    # The variant's shape and the layout belong together.
    with pytest.raises(ValueError, match=r"input shape is .*, expected \(1, "):
        replace(before, schema_version=3, variants=variants)
    opaque = replace(before.preprocess, channels="rgba", mean=(0.0,) * 4, std=(1.0,) * 4)
    with pytest.raises(ValueError, match=r"version 1 .* channels 'rgba', expected version 3"):
        replace(before, preprocess=opaque)
    # Older installations read what they can.
    assert "layout" not in json.loads(before.to_bytes())["preprocess"]


def test_a_region_needs_version_4_and_comes_back() -> None:
    before = manifest()
    preprocess = replace(before.preprocess, region=(0.25, 0, 0.5, 1))
    with pytest.raises(ValueError, match=r"version 1 .* a region of the frame, expected version 4"):
        replace(before, preprocess=preprocess)
    after = replace(before, schema_version=4, preprocess=preprocess)
    assert parse_manifest(after.to_bytes(), subject="x") == after
    document = json.loads(after.to_bytes())
    assert document["preprocess"]["region"] == [0.25, 0.0, 0.5, 1.0]
    # Older installations read what they can.
    assert "region" not in json.loads(before.to_bytes())["preprocess"]
    document["preprocess"]["region"] = [0.5, 0, 0.6, 1]
    with pytest.raises(BundleError, match=r"preprocess: region is .* outside the picture"):
        parse_manifest(json.dumps(document).encode(), subject="x")


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


def test_what_version_3_brings_comes_back_and_is_refused_in_older_ones() -> None:
    newer = [one for one in of_every_task() if one.schema_version == 3]
    assert len({one.task for one in newer}) == 6
    for one in newer:
        assert parse_manifest(one.to_bytes(), subject="x") == one
        with pytest.raises(ValueError, match=r"schema version 2 .*, expected version 3"):
            replace(one, schema_version=2)


def test_texts_of_version_3_are_plain() -> None:
    several, faces = (
        next(one for one in of_every_task() if test(one))
        for test in (
            lambda one: one.value is not None and one.labels,
            lambda one: one.decoder.anchors is not None,
        )
    )
    with pytest.raises(ValueError, match=r"unit .* has control characters"):
        replace(several, value=ValueSpec(unit="", units=("a", "\x1b[2J")))
    anchors = faces.decoder.anchors
    assert anchors is not None
    bad = replace(faces.decoder, anchors=replace(anchors, points=("\x1b[2J",)))
    with pytest.raises(ValueError, match=r"point .* has control characters"):
        replace(faces, decoder=bad)


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


Place = tuple[str | int, ...]
VARIANT: Place = ("variants", "cpu")


def changed(where: Place, value: object) -> bytes:
    """Return the golden manifest with one value replaced, or added."""
    document = json.loads(GOLDEN.read_bytes())
    holder = document
    for key in where[:-1]:
        holder = holder[key]
    holder[where[-1]] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ((*VARIANT, "input", "scale"), -0.0, "variants.cpu: tensor 'in': scale is -0.0"),
        ((*VARIANT, "input", "scale"), -0.0, "tensor 'in': scale is -0.0, expected 0 or more"),
        ((*VARIANT, "output", "scale"), -0.0, "tensor 'out': scale is -0.0"),
        ((*VARIANT, "output", "scale"), 1e-45, "scale is 1e-45, expected a float32 above 0"),
        ((*VARIANT, "output", "scale"), 1e39, "scale is 1e.39"),
        ((*VARIANT, "output", "zero_point"), 128, "zero_point is 128, expected -128 to 127"),
        ((*VARIANT, "output", "zero_point"), 10**400, "output.zero_point: a number of 1329 bits"),
        ((*VARIANT, "output", "dtype"), "float32", "float32 has a scale or a zero point"),
        ((*VARIANT, "input", "dtype"), "int32", "dtype is int32, expected one of uint8"),
        ((*VARIANT, "input", "dtype"), "bool", "dtype is bool"),
        ((*VARIANT, "output", "shape"), [1] * 17, "shape has 17 axes"),
        ((*VARIANT, "output", "shape"), [2**31, 2], "or too large a size"),
        ((*VARIANT, "output", "shape"), [2**62] * 100_000, "shape has 100000 axes"),
        ((*VARIANT, "output_tolerance"), -1e-300, "output_tolerance is below 0"),
        ((*VARIANT, "output_tolerance"), 10**400, "output_tolerance: a number of 1329 bits"),
        ((*VARIANT, "delegate"), "edgetpu", "expected 'cpu' for no delegate, or others"),
        ((*VARIANT, "options"), {"library": "/x.so"}, "unknown key 'options'"),
        ((*VARIANT, "golden_outputs"), {"x": "golden/x"}, 'golden_outputs: "x"'),
        ((*VARIANT, "file"), "signatures/x", "member 'signatures/x' is in signatures/"),
        (("members", "signatures/x"), {"bytes": 0, "sha256": "0" * 64}, "is in signatures/"),
        (("preprocess", "mean"), [10**400, 0, 0], r"preprocess.mean\[0\]: a number of 1329 bits"),
        (("preprocess", "mean"), [1e300, 0, 0], "preprocess mean is"),
        (("preprocess", "std"), [1e-300, 1, 1], "preprocess std is"),
        (("preprocess", "size"), [2**63, 1], r"preprocess.size\[0\]"),
        (("labels",), ["a", "b\ud800"], r"labels\[1\]"),
        (("labels",), ["a", "b" * 1001], "label has 1,001 characters"),
        (("name",), "n" * 1001, "name has 1,001 characters"),
        (("name",), "\u202e", "has control characters"),
        (("variants", "x\x1b[2J"), {}, "variants.x"),
        (("golden", 0, "label"), "\x1b[2J", "label .* has control characters"),
        (("metrics", "x"), 10**400, "metrics.x: a number of 1329 bits"),
        (("provenance", "x"), "\udcff", "provenance.x"),
        (("golden",), [{"file": "a"}] * 1001, "1,001 golden frames"),
    ],
)
def test_what_no_bundle_can_say_is_refused(where: Place, value: object, message: str) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        parse_manifest(changed(where, value), subject="x.edgebundle")
    assert str(caught.value).startswith("x.edgebundle: manifest.json, ")
    assert len(str(caught.value)) < 1000
    str(caught.value).encode()


@pytest.mark.parametrize(
    "delegate",
    [
        *("", "cpu", "EDGETPU", "edgetpu ", "libedgetpu.so.1", "/usr/lib/libedgetpu.so.1"),
        *("./x.so", "../x.so", "x.so", "x.edgebundle", "edgetpu\0", "libc.so.6"),
    ],
)
def test_only_known_delegates_may_be_named(delegate: str) -> None:
    cpu = manifest().variants["cpu"]
    with pytest.raises(ValueError, match="expected one of edgetpu, ethos-u, vx, gpu"):
        replace(cpu, delegate=delegate)
    document = json.loads(GOLDEN.read_bytes())
    document["variants"]["npu"] = {**document["variants"]["cpu"], "delegate": delegate}
    with pytest.raises(BundleError, match=r"variants.npu: delegate is"):
        parse_manifest(json.dumps(document).encode(), subject="x")


@pytest.mark.parametrize("delegate", ACCELERATORS)
def test_known_delegates_are_read(delegate: str) -> None:
    variants = manifest().variants
    named = replace(
        manifest(), variants={**variants, "npu": replace(variants["cpu"], delegate=delegate)}
    )
    assert parse_manifest(named.to_bytes(), subject="x") == named


def test_a_bundle_of_very_many_variants_is_refused() -> None:
    """Each variant's model is read, and all may be the same file."""
    cpu = manifest().variants["cpu"]
    many = {"cpu": cpu, **{f"v{i}": replace(cpu, delegate="gpu") for i in range(32)}}
    with pytest.raises(ValueError, match="33 variants"):
        replace(manifest(), variants=many)


@pytest.mark.parametrize("number", range(len(of_every_task())))
def test_every_task_reads_back(number: int) -> None:
    whole = of_every_task()[number]
    assert parse_manifest(whole.to_bytes(), subject="x") == whole


@pytest.mark.parametrize(
    "decoder",
    [
        Decoder(grids=GridSpec(strides=(2,), boxes=(0,), scores=(1,))),
        Decoder(points=PointsSpec(stride=2)),
    ],
)
def test_cells_that_do_not_fill_the_image_are_refused(decoder: Decoder) -> None:
    good = next(
        one
        for one in of_every_task()
        if (one.decoder.grids is None) == (decoder.grids is None)
        and (one.decoder.points is None) == (decoder.points is None)
        and (one.decoder.grids or one.decoder.points)
    )
    with pytest.raises(ValueError, match="variant 'cpu': a grid of 2 x 2 cells of 2 pixels"):
        replace(good, decoder=decoder)
