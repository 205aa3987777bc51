"""A camera's controls by name, with the shim's device."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from edgeinfer.device.cameras.v4l2.controls import control_name

Run = Callable[..., "subprocess.CompletedProcess[str]"]

SET = """
import json, os, sys
from edgeinfer.device.cameras.v4l2.controls import list_controls, set_controls
from edgeinfer.device.core.errors import EdgeinferError

descriptor = os.open("/dev/video0", os.O_RDWR)
try:
    set_controls(descriptor, json.loads(sys.argv[1]), subject="/dev/video0")
except EdgeinferError as error:
    print(error.exit_code, error)
else:
    print(json.dumps([control.to_json() for control in list_controls(descriptor)]))
"""


def set_controls(run: Run, **wanted: str) -> str:
    done = run(SET, json.dumps(wanted))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def values(answer: str) -> dict[str, int]:
    return {control["name"]: control["value"] for control in json.loads(answer)}


def test_controls_are_listed(run_with_camera: Run) -> None:
    answer = json.loads(set_controls(run_with_camera))
    assert [control["name"] for control in answer] == [
        "brightness",
        "white_balance_automatic",
        "auto_exposure",
        "exposure_time_absolute",
    ]
    assert answer[0] == {
        "name": "brightness",
        "kind": "integer",
        "minimum": 0,
        "maximum": 255,
        "step": 5,
        "default": 100,
        "value": 100,
        "menu": {},
        "settable": True,
    }
    assert answer[2]["menu"] == {"1": "Manual Mode", "3": "Aperture Priority Mode"}


def test_controls_are_set_in_order(run_with_camera: Run) -> None:
    answer = set_controls(
        run_with_camera, auto_exposure="manual mode", exposure_time_absolute="80", brightness="15"
    )
    assert values(answer) == {
        "brightness": 15,
        "white_balance_automatic": 1,
        "auto_exposure": 1,
        "exposure_time_absolute": 80,
    }


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("contrast", "1", "2 /dev/video0: has no control 'contrast', expected one of brightness, "),
        (
            "brightness",
            "260",
            "2 /dev/video0: control brightness: '260' is not a value of it, expec",
        ),
        ("brightness", "bright", "expected 0 to 255 in steps of 5"),
        ("brightness", "7", "'7' is between its steps"),
        ("auto_exposure", "2", "expected 1 (Manual Mode), 3 (Aperture Priority Mode)"),
        ("white_balance_automatic", "2", "expected 0 or 1"),
        ("exposure_time_absolute", "9" * 40, "expected 1 to 5000"),
        ("exposure_time_absolute", "100", "1 /dev/video0: control exposure_time_absolute: the dri"),
    ],
)
def test_control_that_cannot_be_set(run_with_camera: Run, name: str, value: str, said: str) -> None:
    assert said in set_controls(run_with_camera, **{name: value})


def test_names_as_v4l2_ctl_writes_them() -> None:
    assert control_name("White Balance, Automatic") == "white_balance_automatic"
    assert control_name("Gain (dB)") == "gain_db"
