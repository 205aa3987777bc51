"""What a script hears of what edgeinfer logs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgeinfer.device.core.events import NOTICE, event

WITH_A_DAMAGED_PICTURE = """
import logging, sys
from edgeinfer.device.cameras.open import open_camera
exec(sys.argv[2])
with open_camera(sys.argv[1]) as camera:
    while camera.read():
        pass
"""


@pytest.mark.parametrize(
    ("setting_up", "told"),
    [
        ("", ""),
        (
            "logging.basicConfig()",
            "WARNING:edgeinfer.device.cameras.files.folder:{photo}: is empty, expected an image; "
            "replace it or remove it; skipped\n",
        ),
        ("logging.basicConfig(); logging.getLogger('edgeinfer').setLevel(logging.ERROR)", ""),
    ],
)
def test_a_script_hears_what_it_asks_for(class_folder: Path, setting_up: str, told: str) -> None:
    photo = class_folder / "dark" / "100%d.png"
    photo.touch()
    done = subprocess.run(
        [sys.executable, "-c", WITH_A_DAMAGED_PICTURE, str(class_folder), setting_up],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == told.format(photo=photo)


def test_an_event_is_the_extra_of_a_record() -> None:
    assert event("hot", percent=75) == {"event": "hot", "fields": {"percent": 75}, "limited": True}
    assert 20 < NOTICE < 30
