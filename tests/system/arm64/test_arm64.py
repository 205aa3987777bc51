"""The same bundle on x86-64 and on arm64: the same input tensors, and the golden outputs.

arm64 is a userland under qemu-user; edgeinfer's wheel for it is cross-compiled.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.convert import TOLERANCE_STEPS
from edgeinfer.device.preprocess.native import load_kernels
from tests.conftest import ROOT
from tests.system.arm64.userland import (
    Userland,
    UserlandError,
    arm64_requirements,
    cached_userland,
)
from tests.system.environments import clean_environ, unavailable
from tests.system.sample import Sample

pytestmark = pytest.mark.system

REPLAY = Path(__file__).with_name("replay.py")
TOOLCHAIN = ROOT / "boards" / "toolchains" / "aarch64-linux-gnu.cmake"
ELF_MACHINE_AARCH64 = 183


@dataclass(frozen=True, kw_only=True)
class Board:
    """An arm64 machine with the base install."""

    userland: Userland
    package: Path

    def run(self, *arguments: object, litert: bool = False, **options: Any) -> dict[str, Any]:
        """Run its Python and return the JSON that was printed."""
        path = [self.package, *([self.userland.litert] if litert else []), self.userland.site]
        done = self.userland.python(*arguments, path=path, **options)
        assert done.returncode == 0, (done.returncode, done.stderr)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def verify(self, bundle: Path, **options: Any) -> dict[str, Any]:
        """Run `edgeinfer verify`."""
        return self.run("-m", "edgeinfer.device.cli", "verify", bundle, "--json", **options)


@pytest.fixture(scope="module")
def userland(wheel: Path) -> Userland:
    if platform.machine() != "x86_64":
        unavailable(f"this machine is {platform.machine()}: the tools are x86-64 programs")
    try:
        return cached_userland(arm64_requirements(wheel))
    except UserlandError as error:
        unavailable(f"no arm64 userland: {error}")


@pytest.fixture(scope="module")
def arm64_wheel(
    userland: Userland, source_tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return userland.build_wheel(source_tree, TOOLCHAIN, tmp_path_factory.mktemp("arm64-wheel"))


@pytest.fixture(scope="module")
def board(userland: Userland, arm64_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Board:
    package = tmp_path_factory.mktemp("arm64-package")
    with zipfile.ZipFile(arm64_wheel) as archive:
        archive.extractall(package)
    return Board(userland=userland, package=package)


def test_the_cross_compiled_wheel_is_for_arm64(arm64_wheel: Path) -> None:
    assert arm64_wheel.name.endswith("-py3-none-linux_aarch64.whl")
    with zipfile.ZipFile(arm64_wheel) as archive:
        header = archive.read("edgeinfer/device/libedgeinfer_preprocess.so")[:20]
    assert int.from_bytes(header[18:20], "little") == ELF_MACHINE_AARCH64


@pytest.mark.parametrize(
    ("switch", "implementations"), [("1", ["native", "numpy"]), ("0", ["numpy"])]
)
def test_verify(board: Board, sample: Sample, switch: str, implementations: list[str]) -> None:
    report = board.verify(sample.bundle, env={"EDGEINFER_NATIVE": switch})
    assert report["machine"] == "aarch64"
    assert report["implementations"] == implementations
    assert report["runtime"].startswith("tflite-runtime")
    assert report["frames"] == len(sample.photos)


def test_verify_with_litert(board: Board, sample: Sample) -> None:
    report = board.verify(sample.bundle, litert=True)
    assert report["machine"] == "aarch64"
    assert report["runtime"].startswith("ai-edge-litert")


def test_input_tensors_are_bit_equal(board: Board, sample: Sample, tmp_path: Path) -> None:
    """Independent of verify; a camera's frame in other sizes, crops, colours and dtypes as well."""
    if load_kernels() is None:
        unavailable("the native kernels are not built for the Python that runs the tests")
    frame = tmp_path / "frame.npy"
    np.save(frame, np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8))
    command = ("tensors", sample.bundle, frame)
    here = subprocess.run(
        [sys.executable, REPLAY, *command], stdout=subprocess.PIPE, check=True, env=clean_environ()
    )
    x86_64: dict[str, dict[str, str]] = json.loads(here.stdout)
    assert board.run(REPLAY, *command) == x86_64
    for case, hashes in x86_64.items():
        assert hashes["native"] == hashes["numpy"], case
    assert len({hashes["native"] for hashes in x86_64.values()}) == len(x86_64) > 20
    assert x86_64["golden frames"]["native"] == hashlib.sha256(sample.inputs).hexdigest()


@pytest.mark.parametrize("cpu", ["cortex-a72", "cortex-a76"])
def test_outputs_are_the_golden_ones(board: Board, sample: Sample, cpu: str) -> None:
    """The golden outputs in the bundle were computed on x86-64.

    XNNPACK's come out bit for bit. The builtin kernels of ARM round some layers (additions, for
    one) another way than those of x86-64, by what the bundle's tolerance of two steps allows.

    XNNPACK has other kernels for processors with dot product instructions: the Cortex-A76 of a
    Raspberry Pi 5 has them, the A72 of a Pi 4 and the A53 of a Pi 3 or a Coral board have not.
    """
    found = board.run(REPLAY, "outputs", sample.bundle, litert=True, cpu=cpu)
    assert set(found) == {"builtin", "xnnpack"}
    assert found["xnnpack"] == sample.outputs["xnnpack"].hex()
    builtin = np.frombuffer(bytes.fromhex(found["builtin"]), np.int8).astype(int)
    steps = np.abs(builtin - np.frombuffer(sample.outputs["builtin"], np.int8))
    assert steps.max() <= TOLERANCE_STEPS
