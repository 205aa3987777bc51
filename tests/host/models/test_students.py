"""Ready-made students: every board has one, it can be built, and the smallest is small."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from edgeinfer.boards import load_profile, profile_names
from edgeinfer.boards.profile import ACCELERATORS
from edgeinfer.host.models import ARCHITECTURES, build_model
from edgeinfer.host.models.students import STUDENTS, TINY, Student, suited_student
from edgeinfer.host.training.config import default_config


@pytest.mark.parametrize("board", profile_names())
def test_every_board_has_a_student_that_trains(board: str) -> None:
    student = suited_student(load_profile(board))
    assert student in STUDENTS
    config = default_config(student.architecture, **student.overrides())
    assert config.size == (student.size, student.size)
    assert config.width == 1.0 or ARCHITECTURES[student.architecture].scalable


def test_every_student_suits_some_board() -> None:
    suited = {suited_student(load_profile(board)).name for board in profile_names()}
    assert suited == {student.name for student in STUDENTS}


@pytest.mark.slow
def test_weaker_boards_have_cheaper_students() -> None:
    order = ["rpi-zero2w", "rpi4", "rpi5"]
    cost = [_macs(suited_student(load_profile(board))) for board in order]
    assert cost == sorted(cost)
    assert cost[0] < 20e6 < cost[1] < cost[2]


@pytest.mark.parametrize("accelerator", ACCELERATORS)
@pytest.mark.parametrize(("architecture", "memory_mib"), [("armv7l", 512), ("aarch64", 8192)])
def test_a_users_own_board_has_one_too(
    accelerator: str, architecture: str, memory_mib: int
) -> None:
    pattern = {"edgetpu": "coral-dev", "ethos-u": "imx93", "vx": "imx8mp", "": "rpi4"}
    profile = replace(
        load_profile(pattern[accelerator]),
        name="own",
        architecture=architecture,
        memory_mib=memory_mib,
    )
    assert suited_student(profile) in STUDENTS


@pytest.mark.slow
def test_the_smallest_is_below_150_kb_of_weights() -> None:
    model = build_model(TINY.architecture, input_shape=(112, 112, 3), classes=2, width=TINY.width)
    # INT8 weights; `python -m tests.benchmarks.training.distillation` measures the file.
    assert model.count_params() < 100_000
    # As its reason says.
    assert 10e6 < _macs(TINY) < 12e6


def test_choosing_imports_no_keras() -> None:
    code = (
        "import sys, edgeinfer.host.models.students; "
        "sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _macs(student: Student) -> float:
    """Return the products of the convolutions of one inference, padding included."""
    model = build_model(
        student.architecture,
        input_shape=(student.size, student.size, 3),
        classes=2,
        width=student.width,
    )
    total = 0.0
    for layer in model.layers:
        if hasattr(layer, "kernel") and len(layer.output.shape) == 4:
            _, height, width, _ = layer.output.shape
            total += height * width * float(np.prod(layer.kernel.shape))
    return total
