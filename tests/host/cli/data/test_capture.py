"""`edgeinfer data capture`: real processes, terminals, and V4L2 cameras."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.pictures.decode import read_image
from tests.support.program import PROGRAM, edgeinfer, error_line
from tests.support.terminal import Terminal
from tests.system.reference_delegate.build import c_compiler
from tests.system.v4l2_shim.build import shim_environment
from tests.system.v4l2_shim.steering import Steering


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of many different pictures: the simulated camera's."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0)
    for number in range(40):
        small = noise.integers(0, 255, (3, 4, 3), np.uint8)
        assert cv2.imwrite(str(folder / f"{number:02}.png"), cv2.resize(small, (64, 48)))
    return folder


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    compiler = c_compiler()
    if compiler is None:
        pytest.skip("there is no C compiler: this test builds a V4L2 camera from C")
    return shim_environment(tmp_path_factory.mktemp("shim"), compiler)


def saved(folder: Path) -> dict[str, int]:
    """Return how many pictures each folder has."""
    return {path.name: len(list(path.iterdir())) for path in folder.iterdir() if path.is_dir()}


def test_keys_save_pictures_and_the_terminal_is_as_before(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "gate"
    terminal = Terminal(
        *("data", "capture", out, "--camera", f"simulated:{pictures}", "--realtime"),
        *("--label", "open", "--label", "s=shut"),
    )
    terminal.wait_for("u: take the last picture back; q: end")
    assert "1: save as open" in terminal.raw
    assert "s: save as shut" in terminal.raw
    assert not terminal.echoes()
    for keys, answer in (
        ("1", "1\topen"),
        ("\x1b[As", "1\tshut"),
        ("s", "2\tshut"),
        ("u", "taken back: "),
        ("x1", "2\topen"),
    ):
        terminal.type(keys)
        terminal.wait_for(answer)
    terminal.type("q")
    assert terminal.end(keep=True) == 0
    assert terminal.echoes()
    terminal.close()
    assert "3 pictures kept in" in terminal.raw
    assert saved(out) == {"open": 2, "shut": 1}


@pytest.mark.parametrize("way", ["interrupt", "terminate", "full"])
def test_other_ways_out_leave_the_terminal_as_before(
    pictures: Path, tmp_path: Path, way: str
) -> None:
    out = tmp_path / "out"
    terminal = Terminal(
        *("data", "capture", out, "--camera", f"simulated:{pictures}", "--value", "bar=1,5")
    )
    terminal.wait_for("bar (Enter: 1.5): ")
    terminal.type("\r")
    terminal.wait_for("1\t1.5")
    terminal.type("-2.25\r")
    terminal.wait_for("2\t-2.25")
    assert not terminal.echoes()
    if way == "interrupt":
        terminal.interrupt()
    elif way == "terminate":
        terminal.signal(signal.SIGTERM)
    else:
        for path in (out / "pictures").iterdir():
            path.unlink()
        (out / "pictures").rmdir()
        (out / "pictures").write_text("")  # nothing can be written there now
        terminal.type("3\r")
    assert terminal.end(keep=True) == (1 if way == "full" else 0)
    assert terminal.echoes()
    terminal.close()
    assert "2 pictures kept in" in terminal.raw
    lines = (out / "targets.csv").read_text().splitlines()
    assert lines[0] == "file,bar"
    assert [line.partition(",")[2] for line in lines[1:]] == ["1.5", "-2.25"]


def test_without_a_terminal_keys_are_refused_by_name(pictures: Path, tmp_path: Path) -> None:
    camera = ("--camera", f"simulated:{pictures}")
    done = subprocess.run(
        [*PROGRAM, *("data", "capture", str(tmp_path / "out")), *camera, "--label", "a"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert "add --every SECONDS or --on-change SHARE" in error_line(done, 2)
    assert not (tmp_path / "out").exists()


def test_a_v4l2_camera_by_timer(shim: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = edgeinfer(
        *("data", "capture", out, "--camera", "0", "--every", 0.05, "--label", "a", "--lossless"),
        *("--max-frames", 3, "--camera-size", "640x480", "--json"),
        env=shim,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["saved"], said["ended"]) == ({"a": 3}, "frames")
    for path in (out / "a").iterdir():
        pixels = read_image(path).astype(int)
        assert pixels.shape == (480, 640, 3)
        assert pixels[240, 10, 0] > 240 > 15 > pixels[240, 10, 2]
        assert pixels[240, -10, 2] > 240 > 15 > pixels[240, -10, 0]


def test_a_camera_that_is_unplugged_leaves_what_was_captured(
    shim: dict[str, str], tmp_path: Path
) -> None:
    steering = Steering(tmp_path / "control")
    process = subprocess.Popen(
        [
            *(*PROGRAM, "data", "capture", str(tmp_path / "out"), "--camera", "0"),
            *("--every", "0.05", "--label", "a", "--camera-timeout", "0.5"),
        ],
        env={**os.environ, **shim, **steering.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("1\ta\t")
    steering.unplug()
    assert process.stderr is not None
    while "opening it again" not in (line := process.stderr.readline()):
        assert line, "it has ended"
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    (summary,) = [line for line in rest.splitlines() if "kept in" in line]
    count = len(list((tmp_path / "out" / "a").iterdir()))
    assert summary.startswith(f"stopped: {count} picture")


def test_jpegs_on_stdin_are_kept_as_they_came(shim: dict[str, str], tmp_path: Path) -> None:
    picture = (Path(shim["FAKEV4L2_FOLDER"]) / "320x240.jpg").read_bytes()
    other = (Path(shim["FAKEV4L2_FOLDER"]) / "640x480.jpg").read_bytes()
    done = subprocess.run(
        [
            *(*PROGRAM, "data", "capture", str(tmp_path / "out"), "--camera", "-"),
            *("--on-change", "0.001", "--label", "a"),
        ],
        input=picture + other + picture[:500],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"the source has ended: 1 picture kept" in done.stdout
    (path,) = (tmp_path / "out" / "a").iterdir()
    assert path.read_bytes() in {picture, other}  # of what comes live the newest counts


def test_wrong_usage(pictures: Path, tmp_path: Path) -> None:
    camera = ("--camera", f"simulated:{pictures}")
    for options, said in (
        ((), "are both missing"),
        (("--label", "a", "--label", "b", "--every", 1), "is given 2 times"),
        (("--label", "a", "--value", "b"), "are both given"),
    ):
        done = edgeinfer("data", "capture", tmp_path / "out", *camera, *options)
        assert said in error_line(done, 2)
    inside = edgeinfer(
        *("data", "capture", pictures / "new", "--camera", pictures, "--every", 1, "--label", "a")
    )
    assert "which is the camera" in error_line(inside, 2)
    assert not (pictures / "new").exists()
