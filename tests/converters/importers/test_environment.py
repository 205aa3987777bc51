"""Environments of importers, made for real of tiny wheels, without a network."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.importers.environment import (
    EnvironmentPlan,
    make_environment,
    ready_environment,
)
from edgeinfer.device.core.errors import MissingExtraError, StorageError
from edgeinfer.device.core.installation.stamps import STAMP_FILE, read_stamps
from tests.converters.importers.wheels import use_as_index, write_wheel

HOME = "importers"


class Listening(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnvironmentPlan:
    use_as_index(tmp_path / "index", monkeypatch)
    return EnvironmentPlan(
        name="tiny",
        purpose="reads tiny models",
        packages=(write_wheel(tmp_path / "index", "tiny", "1.0"),),
        python=None,
        size_mb=3,
        time_s=2,
    )


def test_a_package_folder_is_made_once_and_then_needs_no_index(
    plan: EnvironmentPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Listening()
    made = make_environment(plan, told, home=tmp_path / HOME)
    assert made.import_path is not None
    assert (made.import_path / "tiny.py").is_file()
    assert told.lines == [
        f"tiny, which reads tiny models, is not installed yet: about 3 MB go into "
        f"{tmp_path / HOME / 'tiny'}, which takes about 2 s; later runs need no network"
    ]
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    again = Listening()
    assert make_environment(plan, again, home=tmp_path / HOME) == made
    assert again.lines == []
    (stamp,) = read_stamps(tmp_path / HOME)
    assert stamp[1] is not None
    assert (stamp[0], stamp[1].packages) == (made.folder, plan.packages)
    assert {path.name for path in (tmp_path / HOME).iterdir()} == {"tiny", "tiny.lock"}


def test_a_virtual_environment_has_its_own_interpreter_and_programs(
    plan: EnvironmentPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(plan, python=lambda progress: Path(sys.executable))
    write_wheel(tmp_path / "index", "tiny", "1.0", "def main():\n    print('tiny is here')\n")
    made = make_environment(plan, Silent(), home=tmp_path / HOME)
    assert made.import_path is None
    code = "import tiny, sys; print(sys.prefix)"
    done = subprocess.run([made.python, "-I", "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == str(made.folder)
    # It does not see the packages of the Python that it was made with.
    hidden = subprocess.run([made.python, "-I", "-c", "import numpy"], capture_output=True)
    assert b"ModuleNotFoundError" in hidden.stderr
    done = subprocess.run([made.folder / "bin" / "tiny"], capture_output=True, text=True)
    assert done.stdout == "tiny is here\n"
    # A link to a Python that was removed does not count as an environment.
    made.python.unlink()
    made.python.symlink_to("/nowhere/python3")
    assert ready_environment(plan, home=tmp_path / HOME) is None


def test_other_pins_have_it_made_again(plan: EnvironmentPlan, tmp_path: Path) -> None:
    make_environment(plan, Silent(), home=tmp_path / HOME)
    newer = replace(plan, packages=(write_wheel(tmp_path / "index", "tiny", "2.0"),))
    assert ready_environment(newer, home=tmp_path / HOME) is None
    made = make_environment(newer, Silent(), home=tmp_path / HOME)
    assert made.import_path is not None
    assert "2.0" in (made.import_path / "tiny.py").read_text(encoding="utf-8")
    assert {path.name for path in (tmp_path / HOME).iterdir()} == {"tiny", "tiny.lock"}


def test_a_failed_installation_leaves_the_old_one(plan: EnvironmentPlan, tmp_path: Path) -> None:
    made = make_environment(plan, Silent(), home=tmp_path / HOME)
    wanted = replace(plan, packages=("tiny==9.9",))
    with pytest.raises(MissingExtraError) as caught:
        make_environment(wanted, Silent(), home=tmp_path / HOME)
    assert str(caught.value) == (
        "tiny: cannot be installed: no package index has tiny==9.9 for this machine; connect this "
        "machine to the internet once; later runs need no network"
    )
    assert ready_environment(plan, home=tmp_path / HOME) == made
    assert {path.name for path in (tmp_path / HOME).iterdir()} == {"tiny", "tiny.lock"}


def test_no_network_is_one_line(
    plan: EnvironmentPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(MissingExtraError, match="no package index can be reached"):
        make_environment(replace(plan, packages=("absent==1",)), Silent(), home=tmp_path / HOME)
    assert not (tmp_path / HOME / "tiny").exists()


def test_too_little_space_is_said_before_anything_is_made(
    plan: EnvironmentPlan, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match=r"MB are free on this disk, expected 1,300,000,000 MB"):
        make_environment(replace(plan, size_mb=10**9), Silent(), home=tmp_path / HOME)
    assert {path.name for path in (tmp_path / HOME).iterdir()} == {"tiny.lock"}


def test_what_a_killed_process_left_is_removed(plan: EnvironmentPlan, tmp_path: Path) -> None:
    left = tmp_path / HOME / ".tiny-left"
    left.mkdir(parents=True)
    make_environment(plan, Silent(), home=tmp_path / HOME)
    assert not left.exists()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"packages": 3}', "9" * 5000])
def test_a_damaged_stamp_has_it_made_again(
    plan: EnvironmentPlan, tmp_path: Path, content: str
) -> None:
    folder = tmp_path / HOME / "tiny"
    folder.mkdir(parents=True)
    (folder / STAMP_FILE).write_text(content, encoding="utf-8")
    assert ready_environment(plan, home=tmp_path / HOME) is None
    assert [stamp for _, stamp in read_stamps(tmp_path / HOME)] == [None]


def test_a_second_process_waits_for_the_first(plan: EnvironmentPlan, tmp_path: Path) -> None:
    home = tmp_path / HOME
    home.mkdir()
    told = Listening()
    with (home / "tiny.lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        thread = threading.Thread(target=make_environment, args=(plan, told), kwargs={"home": home})
        thread.start()
        while len(told.lines) < 2:
            thread.join(0.01)
        assert told.lines[-1] == "another process installs tiny: this one waits for it"
        # The other one finishes.
        (home / "tiny").mkdir()
        stamp = {"name": "tiny", "purpose": "reads tiny models", "virtual": False, "size_mb": 1}
        content = json.dumps({**stamp, "packages": list(plan.packages)})
        (home / "tiny" / STAMP_FILE).write_text(content, encoding="utf-8")
    thread.join(60)
    assert not thread.is_alive()
    assert list((home / "tiny").iterdir()) == [home / "tiny" / STAMP_FILE]  # as the other left it
