"""edgeinfer for C and C++ programs: installed, found by CMake, and the same bytes as in Python.

edgeinfer and the programs are built with the toolchain files in boards/toolchains; those for ARM
run under qemu-user.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from edgeinfer.device.core.tensors import TensorDtype, TensorSpec
from edgeinfer.device.pictures.pixel_formats import PixelFormat
from edgeinfer.device.pictures.region import millionths
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.device.preprocess.native_library import INTERFACE_VERSION
from edgeinfer.device.preprocess.spec import Channels, CropPolicy, ResizeKernel
from tests.support.pages import DOCS, blocks
from tests.system.emulated.userland import Userland
from tests.system.environments import clean_environ

pytestmark = pytest.mark.system

PROGRAMS = Path(__file__).parent
TOOLCHAINS = {
    "x86_64": "x86_64-linux-gnu.cmake",
    "aarch64": "aarch64-linux-gnu.cmake",
    "armv7l": "arm-linux-gnueabihf.cmake",
}
DTYPES = ("uint8", "int8", "int16", "float32")
"""In the order of the header's enumeration."""
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
SHAPES: dict[PixelFormat, tuple[int, ...]] = {
    "rgb": (93, 141, 3),
    "bgr": (92, 140, 3),
    "grey": (93, 141),
    "yuyv": (93, 140, 2),
    "nv12": (138, 140),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A way to prepare a frame."""

    pixel_format: PixelFormat
    dtype: TensorDtype = "int8"
    channels: Channels = "rgb"
    crop: CropPolicy = "stretch"
    resize: ResizeKernel = "area"


CASES = (
    *(Case(pixel_format=name) for name in SHAPES),
    *(Case(pixel_format="nv12", dtype=dtype) for dtype in ("uint8", "int16", "float32")),
    Case(pixel_format="yuyv", channels="bgr", crop="letterbox", dtype="float32"),
    Case(pixel_format="bgr", channels="grey", crop="center-crop", resize="bilinear"),
    Case(pixel_format="grey", channels="bgr", crop="letterbox", resize="bilinear"),
)


def block_of_the_page(language: str) -> str:
    """Return the code of that language in docs/c-api.md."""
    (block,) = blocks(DOCS / "c-api.md", language)
    return block


@dataclass(frozen=True, kw_only=True)
class Programs:
    """The built programs of an architecture; `userland` is where they run, None is here."""

    folder: Path
    userland: Userland | None

    def run(self, name: str, *arguments: object) -> str:
        program = self.folder / name
        if self.userland is not None:
            done = self.userland.run(program, *arguments)
        else:
            command = [str(word) for word in (program, *arguments)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (done.returncode, done.stderr)
        return done.stdout


def run_cmake(*arguments: object) -> None:
    # cmake, ninja and zig are those of the environment that runs the tests.
    folder = Path(sys.executable).parent
    done = subprocess.run(
        ["cmake", *(str(argument) for argument in arguments)],
        env=clean_environ({"PATH": f"{folder}:{os.environ['PATH']}"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", params=list(TOOLCHAINS))
def programs(
    request: pytest.FixtureRequest,
    userlands: dict[str, Userland],
    source_tree: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Programs:
    """Install edgeinfer and build the programs against it, which see nothing else of it."""
    folder = tmp_path_factory.mktemp(request.param)
    prefix, sources = folder / "prefix", folder / "programs"
    toolchain = source_tree / "boards" / "toolchains" / TOOLCHAINS[request.param]
    options = (
        *("-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}"),
        "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY",  # see build_wheels.py
    )
    run_cmake("-S", source_tree, "-B", folder / "library", *options)
    run_cmake("--build", folder / "library")
    run_cmake("--install", folder / "library", "--prefix", prefix)

    shutil.copytree(PROGRAMS, sources, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (sources / "page").mkdir()
    (sources / "page" / "CMakeLists.txt").write_text(block_of_the_page("cmake"))
    (sources / "page" / "camera.cc").write_text(block_of_the_page("cpp"))
    run_cmake("-S", sources, "-B", folder / "build", *options, f"-DCMAKE_PREFIX_PATH={prefix}")
    run_cmake("--build", folder / "build")
    return Programs(folder=folder / "build", userland=userlands.get(request.param))


def test_the_header_is_c(programs: Programs) -> None:
    assert programs.run("version").strip() == str(INTERFACE_VERSION)


def test_memory_that_runs_out_is_reported_and_loses_nothing(programs: Programs) -> None:
    # The table, and each buffer of a frame's size; some compilers make a calloc() of a malloc().
    assert int(programs.run("no_memory")) in (13, 14)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.pixel_format}-{case.channels}-{case.crop}-{case.dtype}"
)
def test_the_tensor_is_the_same_as_in_python(
    programs: Programs, case: Case, tmp_path: Path
) -> None:
    depth = 1 if case.channels == "grey" else 3
    spec = PreprocessSpec(
        size=(48, 36),
        channels=case.channels,
        crop=case.crop,
        resize=case.resize,
        mean=MEAN[:depth],
        std=STD[:depth],
        pad_value=114 if case.crop == "letterbox" else 0,
        layout="chw" if case.crop == "letterbox" else "hwc",
        region=None if case.crop == "letterbox" else (0.25, 0.1, 0.7, 0.8),
    )
    scale, zero_point = (0.0, 0) if case.dtype == "float32" else (0.018658, -14)
    if case.dtype == "uint8":
        zero_point = 114
    tensor = TensorSpec(
        name="input",
        shape=spec.tensor_shape,
        dtype=case.dtype,
        scale=scale,
        zero_point=zero_point,
    )
    shape = SHAPES[case.pixel_format]
    pixels = np.random.default_rng(7).integers(0, 256, shape, np.uint8)
    (tmp_path / "frame").write_bytes(pixels.tobytes())
    height = shape[0] * 2 // 3 if case.pixel_format == "nv12" else shape[0]
    names = programs.run(
        "prepare",
        *(get_args(PixelFormat).index(case.pixel_format), shape[1], height, *spec.size),
        get_args(Channels).index(case.channels),
        get_args(CropPolicy).index(case.crop),
        get_args(ResizeKernel).index(case.resize),
        *(spec.pad_value, int(spec.layout == "chw")),
        *((0, 0, 0, 0) if spec.region is None else millionths(spec.region)),
        *(DTYPES.index(case.dtype), scale, zero_point),
        *(tmp_path / "frame", tmp_path / "tensors"),
    ).split()
    expected = Preprocessor(spec, tensor, native=False).tensor(pixels, case.pixel_format)
    assert names[-1] == "portable"
    assert ("neon" in names) == (programs.userland is not None)
    assert (tmp_path / "tensors").read_bytes() == expected.tobytes() * len(names)


def test_the_example_of_the_page_runs(programs: Programs) -> None:
    """A frame of one grey: white in studio range, so the largest value of INT8."""
    printed = programs.run("page/camera")
    assert re.fullmatch(r"(avx2|neon|portable): the first value is 127\n", printed)
