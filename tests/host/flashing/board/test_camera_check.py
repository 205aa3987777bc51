from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import RemoteError, printable
from edgeinfer.host.flashing.board.camera_check import PROBE, check_camera, parse_cameras
from edgeinfer.host.flashing.run_options import check_run_options


def camera(node: str = "/dev/video0", state: str = "free", **holder: Any) -> dict[str, Any]:
    holders = [{"process": 7, "name": "motion", "unit": "", **holder}] if holder else []
    return {"node": node, "name": "USB camera", "state": state, "holders": holders}


def check(*cameras: dict[str, Any], run: tuple[str, ...] = ()) -> str | None:
    found = check_camera(parse_cameras("cam", json.dumps(cameras)), check_run_options(run), "cam")
    return None if found is None else found.node


DECODER = {**camera("/dev/video10"), "name": "bcm2835-codec-decode"}


def test_the_first_camera_that_is_free_is_found() -> None:
    assert check(camera()) == "/dev/video0"
    assert check(DECODER, camera("/dev/video1", "busy", name="x"), camera("/dev/video2")) == (
        "/dev/video2"
    )
    assert check(camera(), camera("/dev/video1"), run=("--camera", "1")) == "/dev/video1"


def test_a_source_that_is_not_a_v4l2_camera_is_not_looked_for() -> None:
    for source in ("simulated", "rtsp://x/1", "picamera"):
        assert check(run=("--camera", source)) is None


def test_edgeinfers_own_service_is_not_an_obstacle() -> None:
    assert check(camera(state="busy", unit="edgeinfer.service")) == "/dev/video0"


@pytest.mark.parametrize(
    ("cameras", "run", "words"),
    [
        ([], (), "has no camera, expected a connected camera"),
        ([DECODER], (), "has no camera"),
        ([camera(state="no")], (), "has no camera"),
        ([camera()], ("--camera", "3"), "has no camera /dev/video3"),
        ([camera(state="busy", name="motion")], (),
         r"/dev/video0 is used by motion \(process 7\), .*end that program there$"),
        ([camera(state="busy", unit="motion.service")], (),
         r"used by motion.service \(process 7\).*systemctl disable --now motion.service"),
        ([camera(state="busy")], (), "used by another"),
        ([camera(state="no such device")], (), r"cannot be opened \(no such device\)"),
    ],
)  # fmt: skip
def test_absent_or_taken_cameras_are_refused(
    cameras: list[dict[str, Any]], run: tuple[str, ...], words: str
) -> None:
    with pytest.raises(RemoteError, match=f"^cam: .*{words}"):
        check(*cameras, run=run)


def test_the_probe_runs_on_the_systems_python_and_gives_a_list() -> None:
    source = PROBE.read_text(encoding="utf-8")
    done = subprocess.run(
        ["python3", "-I", "-c", source], capture_output=True, text=True, check=True
    )
    for each in parse_cameras("here", done.stdout):
        assert each.node.startswith("/dev/video")


@given(st.one_of(st.text(), st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["node", "name", "state", "holders", "unit", "process"]), inner),
    max_leaves=20).map(json.dumps)))  # fmt: skip
def test_any_output_gives_cameras_or_one_error(text: str) -> None:
    with suppress(RemoteError):
        for each in parse_cameras("cam", text):
            assert each.node == printable(each.node)
