"""How many threads suit the machine that this runs on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.boards import load_profile, profile_names
from edgeinfer.boards.here import threads_here
from edgeinfer.boards.threads import DEVICE_TREE_MODEL, thread_rule


def test_a_board_says_for_itself(tmp_path: Path) -> None:
    model = tmp_path / DEVICE_TREE_MODEL
    model.parent.mkdir(parents=True)
    model.write_bytes(b"Raspberry Pi 4 Model B Rev 1.4\0")
    assert threads_here(tmp_path) == load_profile("rpi4").thread_count() == 3


@pytest.mark.parametrize("name", [name for name in profile_names() if name.startswith("generic-")])
def test_a_machine_without_a_device_tree_follows_the_rule(name: str, tmp_path: Path) -> None:
    """What generic profiles say must not differ, since they are not read then."""
    assert threads_here(tmp_path) == load_profile(name).thread_count() == thread_rule()


def test_no_profile_is_read_without_a_device_tree(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from edgeinfer.boards.here import threads_here; "
        "threads_here(Path(sys.argv[1])); print('edgeinfer.boards.profile' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
