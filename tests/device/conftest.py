"""Fixtures for tests of cameras and the loop."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.pictures.quiet_opencv import quiet_opencv
from tests.support.waiting import PATIENCE_S
from tests.system.reference_delegate.build import c_compiler
from tests.system.v4l2_shim.build import shim_environment

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]
"""run(code, *arguments, **environment): a separate Python process."""


@pytest.fixture(scope="session")
def v4l2_shim(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment under which a process has a V4L2 camera, see fakev4l2.c."""
    compiler = c_compiler()
    if compiler is None:
        pytest.skip("there is no C compiler: this test builds a V4L2 camera from C")
    return shim_environment(tmp_path_factory.mktemp("v4l2_shim"), compiler)


@pytest.fixture
def run_with_camera(v4l2_shim: dict[str, str]) -> RunPython:
    """Run Python code in a process that has a V4L2 camera; settings without FAKEV4L2_."""

    def run(
        code: str, *arguments: str, timeout_s: float = PATIENCE_S, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        environment = os.environ | v4l2_shim
        environment |= {f"FAKEV4L2_{name}": value for name, value in settings.items()}
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    return run


@pytest.fixture
def class_folder(tmp_path: Path) -> Path:
    """A folder with three dark and three bright photographs, in a sub-folder for each class."""
    for label, brightness in (("dark", 20), ("bright", 220)):
        folder = tmp_path / "photos" / label
        folder.mkdir(parents=True)
        for index in range(3):
            cv2.imwrite(str(folder / f"{index}.png"), np.full((48, 64, 3), brightness + index))
    return tmp_path / "photos"


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A video of 12 frames, 64x48, at 25 frames a second; frame n has the brightness 20 n."""
    quiet_opencv()  # FFmpeg keeps the log level of its first use in a process
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for number in range(12):
        writer.write(np.full((48, 64, 3), 20 * number, dtype=np.uint8))
    writer.release()
    return path


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> None:
    """Keep FFmpeg silent as the program does: it reads its level when it first opens a file, which
    may be one that a test writes itself."""
    quiet_opencv()
