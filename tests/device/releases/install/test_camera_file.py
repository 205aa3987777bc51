"""A camera with a password: in a file that the service's user alone reads, and nowhere else."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.releases.install.release import (
    find_release,
    install,
    is_usable,
    move_cameras,
    read_release,
)
from edgeinfer.device.releases.install.spec import ReleaseSpec, parse_spec
from edgeinfer.device.releases.install.store import receive
from edgeinfer.device.releases.lock import locked
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.state import read_state
from tests.device.releases.boards import PIP, FakeManager, bare_spec, make_board, sha256_of

URL = "rtsp://me:hunter2@cam.local/live?token=hunter3"
SHOWN = "rtsp://***@cam.local/live?***"
BUNDLE = b"one"
# Tells what it is given, and what others see of that.
PROGRAM = """\
#!{python}
import json, sys
seen = open("/proc/self/cmdline").read().split("\\0")
print(json.dumps({{"given": sys.argv[1:], "seen": seen}}))
"""


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_board(tmp_path)


def spec_of(*run: str) -> ReleaseSpec:
    """Return a release as the agent reads it, from what `flash` sends."""
    told = {**bare_spec(BUNDLE).to_json(), "run": list(run)}
    return parse_spec(told)


def add(layout: Layout, *run: str) -> int:
    for content in (BUNDLE, PIP):
        receive(layout, sha256_of(content), len(content), io.BytesIO(content))
    with locked(layout, "install") as lock:
        number, _ = install(layout, spec_of(*run), lock)
    release = read_release(layout, number)
    program = layout.packages / release.package / "bin" / "edgeinfer"
    program.write_text(PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    return number


def older(layout: Layout, number: int, *run: str) -> None:
    """Make of a release what an agent of before would have installed."""
    folder = layout.release(number)
    told = json.loads((folder / "release.json").read_text())
    told["spec"]["run"] = list(run)
    del told["camera"]
    write_atomically(folder / "release.json", json.dumps(told))
    text = (folder / "run").read_text()
    words = " ".join(f"'{word}'" for word in run)
    text = text.replace('--camera-url-file "$release/camera-url"', words)
    (folder / "run").write_text(text)
    (folder / "camera-url").unlink(missing_ok=True)


def holding(layout: Layout, secret: str) -> set[str]:
    """Return the files of a board that hold a secret, by name."""
    paths = (path for path in layout.prefix.rglob("*") if path.is_file())
    return {path.name for path in paths if secret.encode() in path.read_bytes()}


def started(layout: Layout, number: int) -> dict[str, list[str]]:
    """Start a release as the service does; return what its program tells."""
    done = subprocess.run(
        [layout.release(number) / "run"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return {"given": told["given"], "seen": told["seen"]}


def test_the_url_is_in_its_own_file(layout: Layout) -> None:
    number = add(layout, "--every", "2", "--camera", URL)
    file = layout.release(number) / "camera-url"
    assert file.read_text() == f"{URL}\n"
    assert file.stat().st_mode & 0o7777 == 0o600
    assert holding(layout, "hunter") == {"camera-url"}
    told = started(layout, number)
    assert told["given"][:5] == ["run", "--every", "2", "--camera-url-file", str(file)]
    assert is_usable(layout, number)
    file.unlink()
    assert not is_usable(layout, number)


def test_the_state_tells_what_may_be_shown(layout: Layout) -> None:
    number = add(layout, "--every", "2", "--camera", URL)
    state = json.dumps(read_state(layout, FakeManager(layout)))
    assert "hunter" not in state
    release = json.loads(state)["releases"][str(number)]
    assert (release["run"], release["camera"]) == (["--every", "2"], SHOWN)
    assert "hunter" not in repr(spec_of("--camera", URL))
    older(layout, number, "--every", "2", "--camera", URL)
    assert "hunter" not in json.dumps(read_state(layout, FakeManager(layout)))


def test_another_password_is_another_release(layout: Layout) -> None:
    first = add(layout, "--camera", URL)
    assert add(layout, f"--camera={URL}") == first
    other = add(layout, "--camera", URL.replace("hunter2", "hunter4"))
    assert other != first
    assert find_release(layout, spec_of("--camera", URL)) == first
    assert find_release(layout, spec_of("--camera", URL + "&x")) is None
    assert find_release(layout, spec_of("--camera", "0")) is None
    assert find_release(layout, replace(spec_of("--camera", URL), name="x")) is None


@pytest.mark.parametrize(
    "run",
    [("--camera", URL), (f"--camera={URL}", "--every", "2"), ("--camera", "0", "--camera", URL)],
)
def test_the_secrets_of_earlier_releases_are_moved_and_they_start_as_before(
    layout: Layout, run: tuple[str, ...]
) -> None:
    number = add(layout, *run)
    older(layout, number, *run)
    assert {"run", "release.json"} <= holding(layout, "hunter2")
    before = started(layout, number)
    assert move_cameras(layout) == [number]
    assert move_cameras(layout) == []
    assert holding(layout, "hunter") == {"camera-url"}
    assert is_usable(layout, number)
    told = started(layout, number)
    # The package of before knows --camera alone; nobody else sees what it is given.
    where = told["given"].index("--camera")
    assert told["given"][where + 1] == URL
    assert "hunter" not in " ".join(told["seen"])
    assert "hunter" in " ".join(before["seen"])
    assert set(before["given"]) - set(run) < set(told["given"])  # model and status
    assert find_release(layout, spec_of(*run)) == number


def test_a_secret_that_is_overruled_is_not_kept(layout: Layout) -> None:
    run = ("--camera", URL, "--camera", "simulated")
    number = add(layout, *run)
    assert holding(layout, "hunter") == set()
    older(layout, number, *run)
    (layout.release(number) / "run").write_text("#!/bin/sh\n# hunter2\n")
    assert move_cameras(layout) == [number]
    assert holding(layout, "hunter") == set()
    assert started(layout, number)["given"][1:3] == ["--camera", "simulated"]


def test_a_camera_without_a_secret_stays_an_option(layout: Layout) -> None:
    number = add(layout, "--camera", "0", "--every", "2")
    assert started(layout, number)["given"][:5] == ["run", "--camera", "0", "--every", "2"]
    assert not (layout.release(number) / "camera-url").exists()
    assert move_cameras(layout) == []


@pytest.mark.parametrize("cut", ["camera-url", "run"])
def test_a_power_cut_while_it_is_moved_harms_nothing(
    layout: Layout, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = add(layout, "--camera", URL)
    older(layout, number, "--camera", URL)
    replaced = os.replace

    def replace_until(source: str, target: str | os.PathLike[str]) -> None:
        replaced(source, target)
        if os.path.basename(target) == cut:
            raise KeyboardInterrupt  # the power is cut

    monkeypatch.setattr(os, "replace", replace_until)
    with pytest.raises(KeyboardInterrupt):
        move_cameras(layout)
    monkeypatch.undo()
    assert is_usable(layout, number)
    assert URL in started(layout, number)["given"]
    assert move_cameras(layout) == [number]
    assert holding(layout, "hunter") == {"camera-url"}
