"""verify: what it replays, and that it notices every kind of difference."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.core.errors import BundleError, VerificationError
from edgeinfer.device.core.tensors import KernelFamily
from edgeinfer.device.models import verify
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.bundle.reader import ModelBundle, open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.open_runner import OpenedVariant
from edgeinfer.device.models.verify import verify_bundle
from edgeinfer.device.preprocess.native_library import load_kernels
from edgeinfer.device.runtime.choose import Choice
from edgeinfer.device.runtime.runner import Runner

Edit = Callable[[ModelManifest, dict[str, bytes]], ModelManifest]


@pytest.fixture
def edited(sample_bundle: Path, tmp_path: Path) -> Callable[[Edit], Path]:
    """Write a consistent bundle (hashes and all) whose content was edited."""

    def write(edit: Edit) -> Path:
        with open_bundle(sample_bundle) as bundle:
            members = {name: bundle.member(name) for name in bundle.manifest.members}
            manifest = edit(bundle.manifest, members)
        path = tmp_path / "edited.edgebundle"
        write_bundle(path, manifest, members)
        return path

    return write


def test_the_sample_verifies_through_every_implementation(sample_bundle: Path) -> None:
    report = verify_bundle(sample_bundle)
    assert report.frames == 10
    assert report.largest_difference <= report.tolerance
    expected = ("numpy",) if load_kernels() is None else ("native", "numpy")
    assert report.implementations == expected


def flip_input(manifest: ModelManifest, members: dict[str, bytes]) -> ModelManifest:
    name = manifest.variants["cpu"].golden_input
    content = bytearray(members[name])
    content[784 + 30] ^= 1  # frame 1, row 1, column 2
    members[name] = bytes(content)
    return manifest


def test_one_bit_of_one_input_value_is_noticed(edited: Callable[[Edit], Path]) -> None:
    with pytest.raises(
        VerificationError, match=r"frame 1, \w+ preprocessing: 1 of 784 .* \(0, 1, 2, 0\)"
    ):
        verify_bundle(edited(flip_input))


def other_mean(manifest: ModelManifest, members: dict[str, bytes]) -> ModelManifest:
    mean = manifest.preprocess.mean[0] + 1.0
    return replace(manifest, preprocess=replace(manifest.preprocess, mean=(mean,)))


def other_crop(manifest: ModelManifest, members: dict[str, bytes]) -> ModelManifest:
    return replace(manifest, preprocess=replace(manifest.preprocess, crop="center-crop"))


def test_another_normalization_is_noticed(edited: Callable[[Edit], Path]) -> None:
    with pytest.raises(VerificationError, match="preprocessing"):
        verify_bundle(edited(other_mean))


def test_a_crop_that_changes_nothing_on_square_frames_passes(
    edited: Callable[[Edit], Path],
) -> None:
    assert verify_bundle(edited(other_crop)).frames == 10


def other_outputs(manifest: ModelManifest, members: dict[str, bytes]) -> ModelManifest:
    for name in manifest.variants["cpu"].golden_outputs.values():
        content = bytearray(members[name])
        content[0] = (content[0] + 3) % 256  # three steps, one more than the tolerance
        members[name] = bytes(content)
    return manifest


def test_an_output_beyond_the_tolerance_is_noticed(edited: Callable[[Edit], Path]) -> None:
    with pytest.raises(VerificationError, match="frame 0: an output differs by"):
        verify_bundle(edited(other_outputs))


def short_tensors(manifest: ModelManifest, members: dict[str, bytes]) -> ModelManifest:
    members[manifest.variants["cpu"].golden_input] = bytes(5)
    return manifest


def no_frames(manifest: ModelManifest, members: dict[str, bytes]) -> ModelManifest:
    return replace(manifest, golden=())


@pytest.mark.parametrize(
    ("edit", "message"), [(short_tensors, "has 5 bytes"), (no_frames, "no golden frames")]
)
def test_a_bundle_that_cannot_be_replayed_is_refused(
    edited: Callable[[Edit], Path], edit: Edit, message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        verify_bundle(edited(edit))


def spread_golden(manifest: ModelManifest, members: dict[str, bytes]) -> ModelManifest:
    """Set the golden outputs 6 (builtin) and 15 steps (XNNPACK) off what builtin kernels give."""
    outputs = manifest.variants["cpu"].golden_outputs
    here = np.frombuffer(members[outputs["builtin"]], np.uint8)
    # The sample's outputs are int8: steps towards the middle stay within.
    middle = np.where(here.view(np.int8) < 0, 3, -3).astype(np.int8).view(np.uint8)
    members[outputs["builtin"]] = (here + 2 * middle).tobytes()
    members[outputs["xnnpack"]] = (here + 5 * middle).tobytes()
    return manifest


@pytest.mark.parametrize(
    ("machine", "kernels", "passes"),
    [
        ("aarch64", "builtin", True),  # 6 steps, where the families differ by 9
        ("armv7l", "builtin", True),
        ("x86_64", "builtin", False),
        ("aarch64", "xnnpack", False),
    ],
)
def test_builtin_kernels_on_arm_may_differ_as_much_as_kernels_do(
    edited: Callable[[Edit], Path],
    monkeypatch: pytest.MonkeyPatch,
    machine: str,
    kernels: KernelFamily,
    passes: bool,
) -> None:
    bundle = edited(spread_golden)
    monkeypatch.setattr(platform, "machine", lambda: machine)

    def open_there(opened: ModelBundle, *arguments: object, **options: object) -> OpenedVariant:
        variant = opened.manifest.variants["cpu"]
        runner = Runner(opened.member(variant.file), subject="it", kernels=kernels)
        choice = Choice(variant="cpu", reason="the only one")
        return OpenedVariant(variant=variant, runner=runner, choice=choice)

    monkeypatch.setattr(verify, "open_variant", open_there)
    if passes:
        report = verify_bundle(bundle)
        step = report.tolerance / 18  # twice the 9 steps between the families
        assert report.largest_difference == pytest.approx(6 * step)
    else:
        with pytest.raises(VerificationError, match=r"differs by .*, expected at most 0\.07"):
            verify_bundle(bundle)
