"""The wheels of `make wheels` where they belong: the same input tensors, and the golden outputs.

64-bit and 32-bit ARM are userlands under qemu-user; the x86-64 wheel runs on this machine.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.bundle.write import TOLERANCE_STEPS
from edgeinfer.device.core.errors import WheelError
from tests.system.emulated.frames import make_frames
from tests.system.emulated.userland import AARCH64, ARMV7L, Architecture, Userland
from tests.system.environments import clean_environ
from tests.system.sample import Sample

pytestmark = pytest.mark.system

REPLAY = Path(__file__).with_name("replay.py")


@dataclass(frozen=True, kw_only=True)
class Board:
    """A machine with the base install, its wheel unpacked into `package`."""

    userland: Userland
    package: Path

    @property
    def architecture(self) -> Architecture:
        """What it is."""
        return self.userland.architecture

    def run(self, *arguments: object, litert: bool = False, **options: Any) -> str:
        """Run its Python and return what was printed."""
        extra = [self.userland.litert] if litert and self.userland.litert else []
        path = [self.package, *extra, self.userland.site]
        done = self.userland.python(*arguments, path=path, **options)
        assert done.returncode == 0, (done.returncode, done.stderr)
        return done.stdout

    def replay(self, *arguments: object, **options: Any) -> dict[str, Any]:
        """Run replay.py."""
        answer: dict[str, Any] = json.loads(self.run(REPLAY, *arguments, **options))
        return answer

    def edgeinfer(self, *arguments: object, **options: Any) -> list[dict[str, Any]]:
        """Run the program and return the objects that it printed."""
        printed = self.run("-m", "edgeinfer.device.cli", *arguments, "--json", **options)
        return [json.loads(line) for line in printed.splitlines()]


def name_of(architecture: Architecture) -> str:
    return architecture.name


def unpack_wheel(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module", params=[AARCH64, ARMV7L], ids=name_of)
def board(
    request: pytest.FixtureRequest,
    cross_wheels: dict[str, Path],
    userlands: dict[str, Userland],
    tmp_path_factory: pytest.TempPathFactory,
) -> Board:
    name = request.param.name
    package = unpack_wheel(cross_wheels[name], tmp_path_factory.mktemp(name))
    return Board(userland=userlands[name], package=package)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("frames") / "frames.npz"
    np.savez(file, **make_frames())
    return file


@pytest.fixture(scope="module")
def x86_64_hashes(
    cross_wheels: dict[str, Path],
    sample: Sample,
    frames: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, str]]:
    """What the x86-64 wheel makes of the frames on this machine."""
    package = unpack_wheel(cross_wheels["x86_64"], tmp_path_factory.mktemp("x86_64"))
    # -S: without the path files of this environment, whose edgeinfer is another build.
    done = subprocess.run(
        [sys.executable, "-S", REPLAY, "tensors", sample.bundle, frames],
        env=clean_environ(path_of(package, Path(sysconfig.get_path("platlib")))),
        stdout=subprocess.PIPE,
        check=True,
    )
    hashes: dict[str, dict[str, str]] = json.loads(done.stdout)
    return hashes


def instruction_set(board: Board, cpu: str | None = None) -> str:
    """Return what the library takes of itself."""
    load = "from edgeinfer.device.preprocess.native_library import load_kernels"
    return board.run("-c", f"{load}; print(load_kernels().instruction_set)", cpu=cpu).strip()


def path_of(*folders: Path) -> Mapping[str, str]:
    return {"PYTHONPATH": ":".join(map(str, folders))}


def test_pip_takes_the_wheel(board: Board, cross_wheels: dict[str, Path], tmp_path: Path) -> None:
    """The tags that pip's own library accepts there hold the wheel's."""
    spec = importlib.util.find_spec("packaging")
    assert spec is not None
    assert spec.submodule_search_locations
    (tmp_path / "packaging").symlink_to(spec.submodule_search_locations[0])
    code = "from packaging.tags import sys_tags; print(*sys_tags())"
    done = board.userland.python("-c", code, path=[tmp_path])
    tag = cross_wheels[board.architecture.name].stem.split("-", 2)[2]
    assert tag in done.stdout.split(), done.stderr


def test_32_bit_arm_leaves_numpy_and_opencv_to_the_system(cross_wheels: dict[str, Path]) -> None:
    wheel = cross_wheels["armv7l"]
    assert ARMV7L.requirements(wheel, "3.10") == [
        "click>=8.1",
        "tflite-runtime==2.14.0",
        "tomli>=2",
    ]
    assert ARMV7L.requirements(wheel, "3.11") == ["click>=8.1", "tflite-runtime==2.14.0"]
    for python in ("3.12", "3.13"):
        with pytest.raises(WheelError, match="none has a wheel for it"):
            ARMV7L.requirements(wheel, python)
    names = " ".join(AARCH64.requirements(cross_wheels["aarch64"]))
    assert all(name in names for name in ("click", "numpy", "opencv", "tflite-runtime"))


@pytest.mark.parametrize(
    ("switch", "implementations"), [("1", ["native", "numpy"]), ("0", ["numpy"])]
)
def test_verify(board: Board, sample: Sample, switch: str, implementations: list[str]) -> None:
    (report,) = board.edgeinfer("verify", sample.bundle, env={"EDGEINFER_NATIVE": switch})
    assert report["machine"] == board.architecture.name
    assert report["implementations"] == implementations
    assert report["runtime"].startswith("tflite-runtime")
    assert report["frames"] == len(sample.photos)
    assert report["largest_difference"] <= report["tolerance"]


def test_predict(board: Board, sample: Sample) -> None:
    answers = board.edgeinfer("predict", "--model", sample.bundle, *sample.photos)
    expected = [sample.labels[index] for index in sample.answers("builtin")]
    assert [answer["label"] for answer in answers] == expected


def test_neon_is_chosen(board: Board) -> None:
    assert instruction_set(board) == "neon"


@pytest.mark.parametrize("board", [ARMV7L], indirect=True, ids=name_of)
def test_a_32_bit_processor_without_neon_gets_the_portable_loops(board: Board) -> None:
    """Such exist: an instruction of NEON outside its loops would end the program."""
    assert instruction_set(board, cpu=board.userland.without_neon) == "portable"


def test_input_tensors_are_bit_equal(
    board: Board, sample: Sample, frames: Path, x86_64_hashes: dict[str, dict[str, str]]
) -> None:
    """Independent of verify: all camera formats, in other sizes, crops, colours and dtypes."""
    found: dict[str, dict[str, str]] = board.replay("tensors", sample.bundle, frames)
    assert found.keys() == x86_64_hashes.keys()
    for case, hashes in found.items():
        assert hashes.keys() == {"numpy", "neon", "portable"}
        assert {*hashes.values()} == {x86_64_hashes[case]["numpy"]}, (case, hashes)


def test_the_x86_64_wheel_prepares_the_same(
    sample: Sample, x86_64_hashes: dict[str, dict[str, str]]
) -> None:
    native = {"portable"} | ({"avx2"} if "avx2" in Path("/proc/cpuinfo").read_text() else set())
    for case, hashes in x86_64_hashes.items():
        assert hashes.keys() == {"numpy", *native}
        assert len({*hashes.values()}) == 1, (case, hashes)
    # Cases that were the same by mistake would prove less than they seem to.
    assert len({hashes["numpy"] for hashes in x86_64_hashes.values()}) == len(x86_64_hashes) > 50
    golden = hashlib.sha256(sample.inputs).hexdigest()
    assert x86_64_hashes["golden frames"]["numpy"] == golden


@pytest.mark.parametrize("board", [ARMV7L], indirect=True, ids=name_of)
def test_without_neon_32_bit_arm_prepares_the_same(
    board: Board, sample: Sample, frames: Path, x86_64_hashes: dict[str, dict[str, str]]
) -> None:
    command = ("tensors", sample.bundle, frames, "portable")
    found = board.replay(*command, cpu=board.userland.without_neon)
    expected = {case: {"portable": hashes["numpy"]} for case, hashes in x86_64_hashes.items()}
    assert found == expected


@pytest.mark.parametrize("board", [AARCH64], indirect=True, ids=name_of)
def test_verify_with_litert(board: Board, sample: Sample) -> None:
    (report,) = board.edgeinfer("verify", sample.bundle, litert=True)
    assert report["machine"] == board.architecture.name
    assert report["runtime"].startswith("ai-edge-litert")


@pytest.mark.parametrize("board", [AARCH64], indirect=True, ids=name_of)
@pytest.mark.parametrize("cpu", ["cortex-a72", "cortex-a76"])
def test_litert_gives_the_golden_outputs(board: Board, sample: Sample, cpu: str) -> None:
    """XNNPACK's outputs come out bit for bit as on x86-64, which computed the golden ones.

    XNNPACK has other kernels for processors with dot product instructions: the Cortex-A76 of a
    Raspberry Pi 5 has them, the A72 of a Pi 4 and the A53 of a Pi 3 or a Coral board have not.
    """
    found = board.replay("outputs", sample.bundle, litert=True, cpu=cpu)
    assert set(found) == {"builtin", "xnnpack"}
    assert found["xnnpack"] == sample.outputs["xnnpack"].hex()


def test_tflite_runtime_stays_within_the_tolerance(board: Board, sample: Sample) -> None:
    """The builtin kernels of ARM round some layers (additions, for one) another way than those of
    x86-64, by what the bundle's tolerance of two steps allows.
    """
    found = board.replay("outputs", sample.bundle)
    assert set(found) == {"builtin"}
    builtin = np.frombuffer(bytes.fromhex(found["builtin"]), np.int8).astype(int)
    steps = np.abs(builtin - np.frombuffer(sample.outputs["builtin"], np.int8))
    assert steps.max() <= TOLERANCE_STEPS
