"""The base install alone: no training stack, and every command of the device works."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.pictures.decode import encode_png
from tests.support.program import error_line
from tests.system.environments import Environment, clean_environ, make_environment, tell_size
from tests.system.sample import Sample

pytestmark = pytest.mark.system

TRAINING_STACK = ("tensorflow", "keras", "rich", "jinja2", "matplotlib")


@dataclass(frozen=True, kw_only=True)
class Case:
    """An install: which Python, and which runtime and numpy it must result in."""

    python: str
    runtime: str
    numpy: str
    requirements: tuple[str, ...] = ()  # in place of the wheel's own

    @property
    def name(self) -> str:
        return f"Python {self.python}, {self.runtime}, numpy {self.numpy}"

    @property
    def kernels(self) -> str:
        return "xnnpack" if self.runtime == "ai-edge-litert" else "builtin"


TFLITE_RUNTIME = ("tflite-runtime==2.14.0", "numpy<2", "opencv-python-headless<4.12", "click")
CASES = (
    Case(python="3.11", runtime="ai-edge-litert", numpy="1"),
    Case(python="3.11", runtime="tflite-runtime", numpy="1", requirements=TFLITE_RUNTIME),
    Case(python="3.10", runtime="ai-edge-litert", numpy="1"),
    Case(python="3.12", runtime="ai-edge-litert", numpy="2"),
    Case(python="3.13", runtime="ai-edge-litert", numpy="2"),
)


@dataclass(frozen=True, kw_only=True)
class Install:
    """A case, installed."""

    case: Case
    environment: Environment


@pytest.fixture(scope="session", params=CASES, ids=lambda case: f"{case.python}-{case.runtime}")
def install(
    request: pytest.FixtureRequest,
    wheel: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Install:
    case: Case = request.param
    environment = make_environment(tmp_path_factory.mktemp("base") / "venv", case.python)
    if case.requirements:
        environment.pip("install", "--quiet", "--no-deps", wheel)
        environment.pip("install", "--quiet", *case.requirements)
    else:
        environment.pip("install", "--quiet", wheel)
    tell_size(request.config, case.name, environment.packages())
    return Install(case=case, environment=environment)


def test_its_packages(install: Install) -> None:
    versions = {package.name: package.version for package in install.environment.packages()}
    assert install.case.runtime in {name.replace("_", "-") for name in versions}
    assert versions["numpy"].split(".")[0] == install.case.numpy
    names = ", ".join(map(repr, TRAINING_STACK))
    found = install.environment.evaluate(
        f"import importlib.util as u; print([n for n in ({names}) if u.find_spec(n)])"
    )
    assert found == "[]"


def test_pip_finds_no_conflict(install: Install) -> None:
    if install.case.requirements:
        pytest.skip("the wheel's own requirements were set aside on purpose")
    assert "No broken requirements found" in install.environment.pip("check")


def test_verify(install: Install, sample: Sample) -> None:
    done = install.environment.edgeinfer("verify", sample.bundle, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["implementations"] == ["native", "numpy"]
    assert report["frames"] == len(sample.photos)
    assert report["runtime"].startswith(install.case.runtime)
    assert report["largest_difference"] <= report["tolerance"]


def test_inspect(install: Install, sample: Sample) -> None:
    for file in (sample.bundle, sample.tflite):
        done = install.environment.edgeinfer("inspect", file, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)


def test_boards(install: Install) -> None:
    done = install.environment.edgeinfer("boards", "matrix", "--json")
    assert done.returncode == 0, done.stderr
    assert {"rpi4", "coral-dev"} <= {
        name for row in json.loads(done.stdout) for name in row["boards"]
    }


def test_predict(install: Install, sample: Sample) -> None:
    classes = sample.answers(install.case.kernels)
    plain = [f"class {index}" for index in range(len(sample.labels))]
    for model, labels in ((sample.bundle, sample.labels), (sample.tflite, plain)):
        done = install.environment.edgeinfer("predict", *sample.photos, "--model", model, "--json")
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line)["label"] for line in done.stdout.splitlines()]
        assert answers == [labels[index] for index in classes]


def test_run(install: Install, sample: Sample, tmp_path: Path) -> None:
    for index, photo in enumerate(sample.photos):
        (tmp_path / f"class {index}").mkdir()
        shutil.copy(photo, tmp_path / f"class {index}")
    for model, camera in ((sample.bundle, "simulated"), (sample.tflite, f"simulated:{tmp_path}")):
        done = install.environment.edgeinfer(
            *("run", "--camera", camera, "--model", model, "--max-frames", 40, "--fps", 100),
            "--json",
        )
        assert done.returncode == 0, done.stderr
        *answers, last = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == last["summary"]["frames"] == 40
        assert last["summary"]["labelled_frames"] > 0


def test_benchmark(install: Install, sample: Sample) -> None:
    for model in (sample.bundle, sample.tflite):
        done = install.environment.edgeinfer(
            *("benchmark", model, "--seconds", "0.1", "--cold-starts", 1, "--ops", "--json")
        )
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["runtime"]["name"] == install.case.runtime
        candidates = report["comparison"]["candidates"]
        assert {item["runtime"] for item in candidates} == {install.case.runtime}
        assert all("p50_ms" in item for item in candidates)
        assert report["ops"]["operators"]
        assert report["machine"]["board"].startswith("generic-")


HOST_COMMANDS = (
    ("demo",),
    ("train", "no-such-folder"),
    ("prune", "no-such-folder"),
    ("optimize", "no-such-folder"),
    ("convert", "no-such-folder"),
    ("convert", "no-such.tflite", "--pictures", "no-such-folder"),
    ("flash", "no-such.edgebundle", "--board", "rpi4", "--host", "no-such-board"),
    ("unflash", "--host", "no-such-board"),
    ("boards", "emulate", "rpi4", "no-such.edgebundle"),
)


@pytest.mark.parametrize("command", HOST_COMMANDS, ids=" ".join)
def test_the_host_commands_name_the_extra(install: Install, command: tuple[str, ...]) -> None:
    done = install.environment.edgeinfer(*command)
    line = error_line(done)
    assert "pip install 'edgeinfer[host] @ file:///" in line
    assert ("with Python 3.11 to 3.13" in line) == (install.case.python == "3.10")


def test_a_folder_is_checked_at_a_terminal_too(install: Install, tmp_path: Path) -> None:
    """What draws bars and tables belongs to the extra, which the check does not need."""
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        for index in range(6):
            pixels = np.full((16, 16, 3), 20 * index + 10 * (label == "cat"), np.uint8)
            (tmp_path / label / f"{index}.png").write_bytes(encode_png(pixels))
    controller, terminal = pty.openpty()
    done = subprocess.run(
        [install.environment.folder / "bin" / "edgeinfer", "data", "check", str(tmp_path)],
        env=clean_environ(),
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
        check=False,
    )
    os.close(terminal)
    with suppress(OSError):  # all is read
        said = b""
        while chunk := os.read(controller, 65_536):
            said += chunk
    os.close(controller)
    rows = {row.split()[0]: row.split()[1:] for row in said.decode().splitlines() if row.split()}
    assert done.returncode == 0, said
    assert rows["cat"] == rows["dog"] == ["4", "1", "1"]


def test_pictures_are_captured_and_imported(install: Install, tmp_path: Path) -> None:
    """On a board, which has no training stack, too."""
    for index in range(3):
        (tmp_path / "scene").mkdir(exist_ok=True)
        pixels = np.full((16, 16, 3), 60 * index, np.uint8)
        (tmp_path / "scene" / f"{index}.png").write_bytes(encode_png(pixels))
    for label in ("open", "shut"):
        options = ("--camera", tmp_path / "scene", "--every", 0.01, "--label", label, "--add")
        done = install.environment.edgeinfer("data", "capture", tmp_path / "gate", *options)
        assert done.returncode == 0, done.stderr
    done = install.environment.edgeinfer("data", "import", tmp_path / "gate", tmp_path / "copy")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == ["class\tpictures", "open\t3", "shut\t3"]
