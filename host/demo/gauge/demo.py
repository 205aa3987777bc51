"""The demo of gauges: pictures drawn, a network that reads them, a needle that moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.host.demo.gauge.pictures import (
    COLUMN,
    FPS,
    TABLE,
    UNIT,
    write_moving_needle,
    write_pictures,
)
from edgeinfer.host.demo.steps import Step, closing, run_steps

NAME = "gauge"
PICTURES_FOLDER, NEEDLE_FOLDER = "pictures", "needle"
ASKED = 3
"""How many pictures `predict` is asked about."""
LOOP_S = 6


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much a demo does.

    Attributes:
        pictures: how many are drawn, each of another gauge.
        epochs: of the training.
    """

    pictures: int
    epochs: int


QUICK = Effort(pictures=8_000, epochs=20)
FULL = Effort(pictures=80_000, epochs=30)


def gauge_steps(folder: Path, effort: Effort = QUICK) -> tuple[Step, ...]:
    """Return the commands.

    Args:
        folder: where the demo writes everything.
        effort: how long to train.
    """
    pictures, needle = folder / PICTURES_FOLDER, folder / NEEDLE_FOLDER
    run, bundle = folder / NAME, folder / f"{NAME}.edgebundle"
    asked = (str(pictures / f"{number:05}.jpg") for number in range(ASKED))
    return (
        Step(
            title="Train a network that keeps places to read the needle",
            arguments=(
                *("train", str(pictures), "--task", "value", "--labels-csv", str(pictures / TABLE)),
                *("--target", COLUMN, "--unit", UNIT),
                *("--architecture", "spatial-cnn", "--channels", "grey", "--augment", "photos"),
                *("--loss", "mae", "--optimizer", "muon", "--learning-rate", "0.006"),
                *("--weight-decay", "0.004", "--batch-size", "32"),
                *(
                    "--epochs",
                    str(effort.epochs),
                    "--patience",
                    str(effort.epochs),
                    "--out",
                    str(run),
                    "--force",
                ),
            ),
        ),
        Step(
            title="Quantize it to INT8, measure both on gauges it never saw, write the bundle",
            arguments=("convert", str(run), "--out", str(bundle)),
        ),
        Step(
            title="Check that this machine computes the answers that are stored in the bundle",
            arguments=("verify", str(bundle)),
        ),
        Step(
            title="Ask it about single pictures",
            arguments=("predict", "--model", str(bundle), *asked),
        ),
        Step(
            title="Run the camera loop on a needle that moves; its reading is in each frame's name",
            arguments=(
                *("run", "--camera", str(needle), "--realtime", "--fps", str(FPS)),
                *("--model", str(bundle), "--max-seconds", str(LOOP_S)),
            ),
        ),
    )


def run_gauge_demo(folder: Path, *, full: bool, say: Callable[[str], None]) -> int:
    """Draw gauges, train, convert, verify, predict and run the loop on a moving needle.

    Args:
        folder: receives everything that the demo makes; an earlier demo there is replaced.
        full: more pictures and epochs.
        say: prints a line.

    Returns:
        0, or the exit code of the first command that failed.

    Raises:
        StorageError: the pictures cannot be written.
    """
    started = time.monotonic()
    effort = FULL if full else QUICK
    say(f"Drawing {effort.pictures:,} gauges into {folder / PICTURES_FOLDER}")
    write_pictures(folder / PICTURES_FOLDER, effort.pictures)
    write_moving_needle(folder / NEEDLE_FOLDER, frames=FPS * LOOP_S)
    code = run_steps(gauge_steps(folder, effort), say=say)
    if code != 0:
        return code
    say(closing(time.monotonic() - started, _made(folder), _further(folder)))
    return 0


def _made(folder: Path) -> Sequence[tuple[str, str]]:
    return (
        (f"{folder / PICTURES_FOLDER}/", f"the gauges, and {TABLE} with their readings"),
        (f"{folder / NAME}/", "the trained model, its history and settings"),
        (str(folder / f"{NAME}.edgebundle"), "the one file that a board needs"),
        (f"{folder / NEEDLE_FOLDER}/", "frames of a moving needle, with its reading in each name"),
    )


def _further(folder: Path) -> Sequence[str]:
    needle, high = folder / NEEDLE_FOLDER, folder / "high"
    return (
        f"run --camera {needle} --output stills:{high} --record-when 'value>80'",
        f"inspect {folder / f'{NAME}.edgebundle'}",
    )
