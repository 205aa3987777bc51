"""A task of another package works from training to answers, and no line of edgeinfer knows it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.pictures.decode import encode_png
from tests.spots.spots import NAME
from tests.support.checkout import ROOT

pytestmark = pytest.mark.slow

ENTRY_POINTS = f"""\
[edgeinfer.tasks]
{NAME} = tests.spots.spots:TASK
[edgeinfer.tasks.converters]
{NAME} = tests.spots.spots:MEASURED
[edgeinfer.tasks.host]
{NAME} = tests.spots.training:TASK
"""
MOST_LINES = 250


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What finds the task's package, laid out as pip would have installed it."""
    folder = tmp_path_factory.mktemp("installed")
    info = folder / "spots-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: spots\nVersion: 1\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dim pictures of 96x64 with none to three bright spots, and where they are."""
    folder = tmp_path_factory.mktemp("spots")
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:64, :96]
    lines = []
    for number in range(240):
        light = generator.normal(60, 8, (64, 96))
        points = []
        for third in np.flatnonzero(generator.random(3) < 0.6):
            x, y = third * 32 + generator.uniform(6, 26), generator.uniform(8, 56)
            light += 180 * np.exp(-((columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2) / 18)
            points.append(f"{x:.2f} {y:.2f}")
        pixels = np.clip(light, 0, 255).astype(np.uint8)[:, :, None].repeat(3, axis=2)
        (folder / f"{number:03}.png").write_bytes(encode_png(pixels))
        lines.append(f"{number:03}.png,{';'.join(points)}\n")
    (folder / "spots.csv").write_text("".join(lines))
    return folder


def run(environ: dict[str, str], *words: object) -> str:
    from tests.system.environments import clean_environ

    done = subprocess.run(
        [sys.executable, "-P", "-m", "edgeinfer.device.cli", *map(str, words)],
        env=clean_environ(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_whole_way(environ: dict[str, str], photographs: Path, tmp_path: Path) -> None:
    trained, bundle = tmp_path / "run", tmp_path / "spots.edgebundle"
    run(
        *(environ, "train", photographs, "--task", NAME, "--architecture", "small-cnn"),
        *("--size", "24x16", "--epochs", 30, "--augment", "flip", "--learning-rate", 0.01),
        *("--batch-size", 16, "--out", trained),
    )
    told = run(environ, "convert", trained, "--out", bundle, "--no-install", "--max-drop", 10)
    assert "spots found" in told
    assert json.loads(run(environ, "verify", bundle, "--json"))["largest_difference"] == 0
    picture = photographs / "000.png"
    found = json.loads(run(environ, "predict", "--model", bundle, picture, "--json"))
    assert found["size"] == [96, 64]
    looped = run(
        *(environ, "run", "--camera", photographs, "--model", bundle),
        *("--max-frames", 20, "--json"),
    )
    *answers, last = map(json.loads, looped.splitlines())
    assert last["summary"]["frames"] == 20
    assert all("spots" in answer for answer in answers)
    score = json.loads(run(environ, "evaluate", bundle, photographs, "--json"))
    assert score["score"] > 0.7
    assert score["low"] < score["score"] < score["high"]


def test_it_needs_few_lines() -> None:
    lines = sum(
        len((ROOT / "tests" / "spots" / name).read_text().splitlines())
        for name in ("spots.py", "training.py")
    )
    assert lines <= MOST_LINES
