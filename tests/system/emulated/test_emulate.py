"""`edgeinfer boards emulate`: the real device package of a board, and what it makes of a clip.

The answers are compared with those of `edgeinfer run` here. On pictures with the same kernels they
are equal. A clip's frames are not: OpenCV turns what it decodes into BGR with other code on each
processor, up to two grey levels apart.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from tests.support.own_folders import kept_cache
from tests.support.program import edgeinfer, error_line
from tests.system.emulated.userland import Userland
from tests.system.environments import unavailable
from tests.system.reference_delegate.build import build
from tests.system.sample import Sample

pytestmark = pytest.mark.system

CLIP_TOLERANCE = 0.05
"""Between probabilities: 0.012 was seen with the frames of the clip below and 0.010 with a filmed
one, from two grey levels."""

Emulate = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def emulate(cross_wheels: dict[str, Path], userlands: dict[str, Userland]) -> Emulate:
    """emulate(board, bundle, options...): its exit code, its objects on stdout, its stderr."""

    def run(board: str, bundle: Path, *options: object) -> tuple[int, list[dict[str, Any]], str]:
        wheel = cross_wheels["armv7l" if "32-bit" in options else "aarch64"]
        command = ("boards", "emulate", board, bundle, "--wheel", wheel, "--json", *options)
        done = edgeinfer(*command, env={"XDG_CACHE_HOME": str(kept_cache())})
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    return run


@pytest.fixture(scope="module")
def clip(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's golden frames as a video."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (224, 224))
    for photo in sample.photos:
        picture = cv2.imread(str(photo))
        assert picture is not None
        writer.write(cv2.resize(picture, (224, 224), interpolation=cv2.INTER_NEAREST))
    writer.release()
    return path


def answered(lines: list[dict[str, Any]]) -> list[tuple[str, float]]:
    return [(line["label"], line["probability"]) for line in lines if "sequence" in line]


def answered_here(bundle: Path, source: Path) -> list[tuple[str, float]]:
    done = edgeinfer("run", "--camera", source, "--model", bundle, "--json")
    assert done.returncode == 0, done.stderr
    return answered([json.loads(line) for line in done.stdout.splitlines()])


@pytest.mark.parametrize(
    ("system", "runtime", "machine"),
    [
        pytest.param("Trixie 64-bit", "ai-edge-litert 2.", "aarch64", id="trixie"),
        pytest.param("Bookworm 64-bit", "tflite-runtime 2.14.0", "aarch64", id="bookworm"),
        pytest.param("32-bit", "tflite-runtime 2.14.0", "armv7l", id="32-bit"),
    ],
)
def test_a_clip_gets_the_same_answers_as_here(
    emulate: Emulate, sample: Sample, clip: Path, system: str, runtime: str, machine: str
) -> None:
    options = ("--system", system, "--video", clip)
    code, lines, stderr = emulate("rpi4", sample.bundle, *options)
    assert code == 0, stderr
    assert lines[0]["machine"] == machine
    assert lines[0]["runtime"].startswith(runtime)
    assert lines[0]["implementations"] == ["native", "numpy"]
    found, expected = answered(lines), answered_here(sample.bundle, clip)
    assert [label for label, _ in found] == [label for label, _ in expected]
    for (_, probability), (_, here) in zip(found, expected, strict=True):
        assert probability == pytest.approx(here, abs=CLIP_TOLERANCE)
    result = lines[-1]
    assert (result["verified"], result["frames"], result["exit_code"]) == (True, len(found), 0)
    assert sum(result["labels"].values()) == len(found)
    assert "3 threads" in stderr


@pytest.mark.parametrize("board", ["rpi4", "rpi5"])
def test_pictures_are_answered_exactly_as_here(
    emulate: Emulate, sample: Sample, board: str
) -> None:
    """Both have XNNPACK; the Pi 5's processor takes other kernels of it than the Pi 4's."""
    folder = sample.photos[0].parent
    pattern = str(folder / f"*{sample.photos[0].suffix}")
    code, lines, stderr = emulate(board, sample.bundle, "--camera", pattern)
    assert code == 0, stderr
    assert answered(lines) == answered_here(sample.bundle, Path(pattern))
    assert len(answered(lines)) == len(sample.photos)


def test_a_wrong_bundle_is_caught(emulate: Emulate, sample: Sample, clip: Path) -> None:
    """Whole and consistent, but its golden outputs are another model's."""
    with open_bundle(sample.bundle) as bundle:
        members = {name: bundle.member(name) for name in bundle.manifest.members}
        manifest = bundle.manifest
    for name in manifest.variants["cpu"].golden_outputs.values():
        members[name] = bytes(value ^ 0x10 for value in members[name])
    wrong = clip.with_name("wrong.edgebundle")
    write_bundle(wrong, manifest, members)
    code, lines, stderr = emulate("rpi4", wrong, "--video", clip)
    assert code == 1
    assert "an output differs by" in stderr
    assert [line["verified"] for line in lines] == [False]


def test_worker_processes_start_in_there(
    emulate: Emulate, sample: Sample, clip: Path, tmp_path: Path
) -> None:
    """A delegate has its own process, which only sys.executable can start."""
    if importlib.util.find_spec("ziglang") is None:
        unavailable("no cross compiler: install the extra `wheels` (make test-system does)")
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-gnu.2.28"]
    library = build(tmp_path / "libreference_delegate.so", compiler)
    options = ("--video", clip, "--max-frames", "3", "--", "--delegate", library)
    code, lines, stderr = emulate("rpi4", sample.bundle, *options)
    assert code == 0, stderr
    assert "in a worker process" in stderr
    assert lines[-1]["frames"] == 3


def test_a_failing_loop_gives_the_boards_exit_code(
    emulate: Emulate, sample: Sample, tmp_path: Path
) -> None:
    code, lines, stderr = emulate("rpi4", sample.bundle, "--camera", tmp_path / "none.mp4")
    assert code == 1
    assert "no such camera, file or folder" in stderr
    assert (lines[-1]["verified"], lines[-1]["frames"], lines[-1]["exit_code"]) == (True, 0, 1)


def test_everything_is_kept_for_a_machine_without_a_connection(
    emulate: Emulate, sample: Sample, cross_wheels: dict[str, Path]
) -> None:
    code, _, stderr = emulate("rpi4", sample.bundle)
    assert code == 0, stderr
    offline = {
        "XDG_CACHE_HOME": str(kept_cache()),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_FIND_LINKS": "",
    }
    nowhere = ("--debian-mirror", "http://127.0.0.1:9/debian")
    command = ("boards", "emulate", "rpi4", sample.bundle, "--wheel", cross_wheels["aarch64"])
    done = edgeinfer(*command, *nowhere, env=offline)
    assert done.returncode == 0, done.stderr
    assert "rpi4, emulated: verified" in done.stdout


def test_without_a_connection_and_with_an_empty_cache_it_says_so(
    sample: Sample, cross_wheels: dict[str, Path], tmp_path: Path
) -> None:
    env = {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "XDG_CACHE_HOME": str(tmp_path),
    }
    command = ("boards", "emulate", "rpi4", sample.bundle, "--wheel", cross_wheels["aarch64"])
    assert "no package index can be reached" in error_line(edgeinfer(*command, env=env))
