"""`edgeinfer run` as a separate process, with real models, clips and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import pytest

from tests.device.cameras.network.cameras_over_http import responds, whole
from tests.device.cameras.raw_server import raw_server
from tests.support.program import edgeinfer_here
from tests.support.waiting import PATIENCE_S
from tests.system.v4l2_shim.steering import Steering

MAIN = "from edgeinfer.device.cli.main import main; main()"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def model(shared_data: Path) -> list[str]:
    """The options that choose a small real model and its labels."""
    coral = shared_data / "coral"
    labels = str(coral / "imagenet_labels.txt")
    return ["--model", str(coral / "mobilenet_v1_0.25_128_quant.tflite"), "--labels", labels]


STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """End what a test that failed has left running."""
    yield
    while STARTED:
        process = STARTED.pop()
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def start(
    *arguments: str,
    environment: dict[str, str] | None = None,
    stdin: IO[bytes] | None = None,
) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, "run", *arguments],
        env=os.environ | (environment or {}),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    STARTED.append(process)
    return process


def finish(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out.splitlines(), err


def summary_of(lines: list[str]) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(lines[-1])["summary"]
    return summary


def test_video_every_frame_answered_and_the_last_line_parses(model: list[str], video: Path) -> None:
    code, lines, err = finish(start("--camera", str(video), "--json", *model))
    assert code == 0, err
    assert [json.loads(line)["sequence"] for line in lines[:-1]] == list(range(12))
    summary = summary_of(lines)
    assert (summary["frames"], summary["dropped"]) == (12, 0)
    assert 0 < summary["age_p50_ms"] <= summary["age_p99_ms"]
    chosen = [line.split(":")[0] for line in err.splitlines()]
    assert chosen == ["model", "note", "runtime", "camera"]
    assert f"{video}, 64x48, 25 frames/s" in err


def test_folder_with_a_damaged_image(model: list[str], class_folder: Path) -> None:
    (class_folder / "dark" / "1.png").write_bytes(b"no image")
    code, lines, err = finish(start("--camera", str(class_folder), "--json", *model))
    assert code == 0, err
    assert [json.loads(line)["name"] for line in lines[:3]] == [
        "bright/0.png",
        "bright/1.png",
        "bright/2.png",
    ]
    assert "warning:" in err
    assert "1.png" in err
    assert (summary_of(lines)["frames"], summary_of(lines)["unreadable"]) == (5, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_cleanly(model: list[str], class_folder: Path, number: int) -> None:
    process = start("--camera", f"simulated:{class_folder}", "--json", *model)
    assert process.stdout is not None
    first = process.stdout.readline()
    os.kill(process.pid, number)
    assert process.stderr is not None
    with process.stdout, process.stderr:
        lines, err = process.stdout.read().splitlines(), process.stderr.read()
    assert process.wait(timeout=PATIENCE_S) == 0, err
    # On a busy machine a newer frame may replace the first one.
    assert json.loads(first)["sequence"] >= 0
    assert summary_of(lines)["frames"] == len(lines)  # the first line was read before
    assert "Traceback" not in err


def test_reader_that_goes_away_ends_it_quietly(model: list[str], class_folder: Path) -> None:
    process = start("--camera", f"simulated:{class_folder}", "--json", *model)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    process.wait(timeout=PATIENCE_S)
    with process.stderr:
        assert len(process.stderr.read().splitlines()) == 4


def test_camera_without_a_source_takes_the_first_one(
    run_with_camera: Run, model: list[str]
) -> None:
    done = run_with_camera(MAIN, "run", "--camera", *model, "--max-frames", "5", "--json")
    assert done.returncode == 0, done.stderr
    assert "camera:  /dev/video0 (Test camera)" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["summary"]["frames"] == 5


def test_camera_that_is_unplugged_is_waited_for(
    v4l2_shim: dict[str, str], model: list[str], tmp_path: Path
) -> None:
    steering = Steering(tmp_path / "control")
    process = start("--camera", "--json", *model, environment=v4l2_shim | steering.environment)
    assert process.stdout is not None
    assert process.stderr is not None
    before = [json.loads(process.stdout.readline())["sequence"] for _ in range(3)]
    steering.unplug()
    told = [process.stderr.readline() for _ in range(5)][-1]
    assert told.startswith("warning: /dev/video0: stopped delivering pictures (was unplugged)")
    steering.plug("/dev/video2")
    while "delivers pictures again" not in told:
        told = process.stderr.readline()
    after = [json.loads(process.stdout.readline())["sequence"] for _ in range(3)]
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert before + after == sorted({*before, *after})
    assert json.loads(out.splitlines()[-1])["summary"]["frames"] >= 6


@pytest.mark.parametrize("fault", ["unplug", "silent", "hang"])
def test_signal_ends_it_while_the_camera_is_away(
    v4l2_shim: dict[str, str], model: list[str], tmp_path: Path, fault: str
) -> None:
    def end_it() -> None:
        steering = Steering(tmp_path / "control")
        process = start("--camera", "--json", *model, environment=v4l2_shim | steering.environment)
        assert process.stdout is not None
        process.stdout.readline()
        steering.unplug() if fault == "unplug" else steering.fault(fault)
        time.sleep(0.5)
        asked_at = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code, lines, err = finish(process)
        ends_s.append(time.monotonic() - asked_at)
        assert code == 0, err
        assert "summary" in lines[-1]

    # Silence counts as a fault only after 5 s, and a driver that hangs never answers. A busy
    # machine may be as slow as that, but not each time.
    ends_s: list[float] = []
    while not ends_s or (min(ends_s) >= 4 and len(ends_s) < 5):
        end_it()
    assert min(ends_s) < 4


def test_cameras_mode_and_controls(run_with_camera: Run, model: list[str]) -> None:
    settings = {"FORMATS": "YUYV,MJPG", "SIZE": "640x480,320x240"}
    run = ["run", "--camera", *model, "--max-frames", "2", "--json"]
    done = run_with_camera(MAIN, *run, **settings)
    assert "camera:  /dev/video0 (Test camera), 320x240 YUYV, 30 frames/s" in done.stderr
    wishes = ["--camera-size", "640x480", "--camera-format", "mjpg", "--camera-fps", "15"]
    done = run_with_camera(MAIN, *run, *wishes, "--camera-control", "brightness=50", **settings)
    assert done.returncode == 0, done.stderr
    assert "640x480 MJPG, 15 frames/s" in done.stderr


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (["--camera-size", "800x600"], "has no mode 800x600, expected 640x480 YUYV"),
        (["--camera-size", "wide"], "'wide' is not a size, expected WIDTHxHEIGHT"),
        (["--camera-format", "H264"], "has no mode H264"),
        (["--camera-control", "zoom=1"], "has no control 'zoom', expected one of brightness"),
        (["--camera-control", "brightness=300"], "'300' is not a value of it, expected 0 to 255"),
        (["--camera-control", "brightness"], "is not a setting, expected NAME=VALUE"),
        (["--camera-range", "7000"], "'7000' is not a range, expected LOW,HIGH from 0 to 65535"),
        (["--camera-range", "9,7"], "'9,7' is not a range"),
        (["--camera-range", "7,9"], "--camera-range: is given, and /dev/video0 sends YUYV"),
    ],
)
def test_what_the_camera_has_not_is_wrong_usage(
    run_with_camera: Run, model: list[str], wish: list[str], said: str
) -> None:
    done = run_with_camera(MAIN, "run", "--camera", *model, "--wait-for-camera", *wish)
    assert done.returncode == 2, done.stderr
    assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize("source", ["-", "picamera", "simulated", "http://cam.example/x", "x.mp4"])
def test_a_range_of_raw_values_is_for_v4l2_cameras(model: list[str], source: str) -> None:
    done = edgeinfer_here("run", "--camera", source, *model, "--camera-range", "1,2")
    assert done.returncode == 2
    assert f"error: --camera-range: is given for {source}, expected a camera at" in done.stderr


def test_a_thermal_camera(run_with_camera: Run, model: list[str]) -> None:
    settings = {"FORMATS": "YUYV,Y16 ", "SIZE": "160x120"}
    run = ["run", "--camera", *model, "--max-frames", "2", "--camera-range", "6000, 9500"]
    done = run_with_camera(MAIN, *run, **settings)
    assert done.returncode == 0, done.stderr
    assert "camera:  /dev/video0 (Test camera), 160x120 Y16, 30 frames/s" in done.stderr


def test_text_into_a_pipe(model: list[str], video: Path) -> None:
    code, lines, err = finish(start("--camera", str(video), "--max-frames", "4", *model))
    assert code == 0, err
    assert lines[-1].startswith("4 frames in ")
    assert all("\r" not in line for line in lines)


def test_pictures_on_stdin(model: list[str], tmp_path: Path) -> None:
    picture = np.full((48, 64, 3), 90, np.uint8)
    clip = tmp_path / "clip.mjpeg"
    clip.write_bytes(cv2.imencode(".jpg", picture)[1].tobytes() * 5)
    with clip.open("rb") as stdin:
        code, lines, err = finish(start("--camera", "-", "--json", *model, stdin=stdin))
    assert code == 0, err
    assert summary_of(lines)["frames"] == 5
    assert "camera:  JPEG pictures on stdin" in err


def test_address_that_gives_single_pictures(model: list[str]) -> None:
    picture = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    with raw_server(responds(lambda *_: whole(picture), keep=True)) as server:
        camera = ("--camera", server.url, "--fps", "50", "--max-frames", "3", "--json")
        process = start(*camera, *model, environment={"no_proxy": "*"})
        code, lines, err = finish(process)
        assert len(server.connections) == 1
    assert code == 0, err
    assert summary_of(lines)["frames"] == 3
    assert f"camera:  {server.url}, single pictures, 50 a second" in err


def test_options_on_certificates_are_for_https(model: list[str]) -> None:
    code, _, err = finish(start("--camera", "http://host/x", "--tls-ca", "x.pem", *model))
    assert code == 2
    assert "error: --tls-ca: is given for http://host/x, expected a camera at an https://" in err


def test_run_without_a_camera_says_how() -> None:
    code, _, err = finish(start())
    assert code == 2
    assert "--camera simulated" in err


@pytest.mark.parametrize(
    ("source", "said"),
    [("no-such-thing", "no such camera"), ("simulated", "does not contain pictures")],
)
def test_bad_source_is_one_line(model: list[str], source: str, said: str) -> None:
    code, lines, err = finish(start("--camera", source, *model))
    assert (code, lines) == (1, [])
    assert err.splitlines()[-1].startswith("error: ")
    assert said in err.splitlines()[-1]
    assert "Traceback" not in err


def test_a_file_names_the_camera_and_what_is_secret_is_not_told(
    model: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "camera"
    file.write_text("http://me:hunter2@127.0.0.1:9/live?token=hunter2\n")
    file.chmod(0o644)
    code, _, err = finish(start("--camera-url-file", str(file), *model))
    assert (code, err.count("\n")) == (1, 1)
    assert "by others (mode 0644)" in err
    file.chmod(0o600)
    for camera in (("--camera", "0"), ("--camera",)):
        code, _, err = finish(start("--camera-url-file", str(file), *camera, *model))
        assert code == 2
        assert "is used together with --camera" in err
    status = tmp_path / "status.json"
    process = start(
        *("--camera-url-file", str(file), "--wait-for-camera", "--log-format", "json"),
        *("--output", f"status:{status}", *model),
    )
    assert process.stderr is not None
    told = process.stderr.readline()
    assert "http://***@127.0.0.1:9/live?***" in told
    seen = Path(f"/proc/{process.pid}/cmdline").read_text()
    process.send_signal(signal.SIGTERM)
    code, _, err = finish(process)
    assert "hunter2" not in told + seen + err
