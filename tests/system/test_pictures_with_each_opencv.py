"""The same made pictures under several versions of OpenCV: one verdict, one size, one picture."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.device.pictures.made.answers import answer
from tests.device.pictures.made.every_file import every_file
from tests.support.checkout import ROOT
from tests.system.environments import Environment, make_environment

pytestmark = [pytest.mark.system, pytest.mark.long]

# numpy 2 and these belong together, see pyproject.toml.
OPENCVS = ("4.12.*", "4.13.*")
NEEDED = ("numpy>=2,<3", "click>=8.1", "pillow>=11.3", "pillow-heif>=1")


@pytest.fixture(params=OPENCVS)
def environment(registry: None, tmp_path: Path, request: pytest.FixtureRequest) -> Environment:
    made = make_environment(tmp_path / "environment", "{}.{}".format(*sys.version_info[:2]))
    made.pip("install", "--quiet", f"opencv-python-headless=={request.param}", *NEEDED)
    return made


def test_each_opencv_gives_the_same_picture(environment: Environment, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, data in every_file().items():
        (folder / name).write_bytes(data)
    # The sources, under the name that an installation gives them.
    sources = os.pathsep.join((str(ROOT / "tests" / "typing"), str(ROOT)))
    told = json.loads(
        environment.evaluate(
            f"import runpy, sys; sys.path[:0] = {sources.split(os.pathsep)!r}; "
            f"sys.argv[1:] = [{str(folder)!r}]; "
            "runpy.run_module('tests.device.pictures.made.answers', run_name='__main__')"
        )
    )
    here = {name: answer(data) for name, data in every_file().items()}
    other = {name: text for name, text in told["answers"].items() if text != here[name]}
    assert other == {}, f"OpenCV {told['opencv']}"
    assert len(here) == len(told["answers"]) > 200
