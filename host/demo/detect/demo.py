"""The demo of a detector: scenes drawn, a network that finds things in them, stills with boxes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.core.errors import storage_error
from edgeinfer.host.demo.detect.wardrobe import write_pictures, write_wardrobe
from edgeinfer.host.demo.steps import Step, closing, run_steps

NAME = "detector"
SCENES_FOLDER, PICTURES_FOLDER, STILLS_FOLDER = "scenes", "pictures", "stills"
PICTURES = 24
"""Scenes without boxes, for the camera and for a look."""
ASKED = 3
"""How many of them `predict` is asked about."""
LOOP_S = 6


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much the demo does.

    Attributes:
        scenes: how many are drawn for each split.
        epochs: of the training.
    """

    scenes: Mapping[Split, int]
    epochs: int


USUAL = Effort(scenes={"train": 2_000, "validation": 200, "test": 200}, epochs=10)


def detect_steps(folder: Path, effort: Effort = USUAL) -> tuple[Step, ...]:
    """Return the commands.

    Args:
        folder: where the demo writes everything.
        effort: how long to train.
    """
    scenes, pictures = folder / SCENES_FOLDER, folder / PICTURES_FOLDER
    run, bundle = folder / NAME, folder / f"{NAME}.edgebundle"
    asked = (str(pictures / f"{number:05}.jpg") for number in range(ASKED))
    return (
        Step(
            title="Train a small network to find things",
            arguments=(
                *("train", str(scenes), "--task", "detection"),
                *("--architecture", "small-cnn", "--size", "96", "--augment", "none"),
                *("--optimizer", "muon", "--learning-rate", "0.02", "--batch-size", "16"),
                *("--epochs", str(effort.epochs), "--patience", str(effort.epochs)),
                *("--out", str(run), "--force"),
            ),
        ),
        Step(
            title="Quantize it to INT8, measure both on scenes it never saw, write the bundle",
            arguments=("convert", str(run), "--out", str(bundle)),
        ),
        Step(
            title="Check that this machine computes the answers that are stored in the bundle",
            arguments=("verify", str(bundle)),
        ),
        Step(
            title="Ask it about single scenes",
            arguments=("predict", "--model", str(bundle), *asked),
        ),
        Step(
            title="Draw boxes around what it finds in pictures",
            arguments=(
                *("run", "--camera", str(pictures), "--model", str(bundle)),
                *("--output", f"stills:{folder / STILLS_FOLDER}"),
            ),
        ),
        Step(
            title="Run the camera loop, here on a simulated camera that moves over them",
            arguments=(
                *("run", "--camera", f"simulated:{pictures}", "--model", str(bundle)),
                *("--max-seconds", str(LOOP_S)),
            ),
        ),
    )


def run_detect_demo(folder: Path, *, say: Callable[[str], None]) -> int:
    """Draw scenes, train, convert, verify, predict and run the loop on a simulated camera.

    Args:
        folder: receives everything that the demo makes; an earlier demo there is replaced.
        say: prints a line.

    Returns:
        0, or the exit code of the first command that failed.

    Raises:
        StorageError: the scenes cannot be written, or earlier ones cannot be removed.
    """
    started = time.monotonic()
    for name in (SCENES_FOLDER, PICTURES_FOLDER, STILLS_FOLDER):
        _remove(folder / name)
    say(f"Drawing {sum(USUAL.scenes.values()):,} scenes into {folder / SCENES_FOLDER}")
    write_wardrobe(folder / SCENES_FOLDER, USUAL.scenes)
    write_pictures(folder / PICTURES_FOLDER, PICTURES)
    code = run_steps(detect_steps(folder, USUAL), say=say)
    if code != 0:
        return code
    say(closing(time.monotonic() - started, _made(folder), _further(folder)))
    return 0


def _remove(folder: Path) -> None:
    """Remove what an earlier demo left.

    Raises:
        StorageError: it cannot be removed.
    """
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise storage_error(folder, error) from error


def _made(folder: Path) -> Sequence[tuple[str, str]]:
    return (
        (f"{folder / SCENES_FOLDER}/", "the scenes, with their boxes as COCO"),
        (f"{folder / PICTURES_FOLDER}/", "more of them, without boxes"),
        (f"{folder / NAME}/", "the trained model, its history and settings"),
        (str(folder / f"{NAME}.edgebundle"), "the one file that a board needs"),
        (f"{folder / STILLS_FOLDER}/", "the pictures with the boxes that it found"),
    )


def _further(folder: Path) -> Sequence[str]:
    bundle = folder / f"{NAME}.edgebundle"
    return (
        f"evaluate {bundle} {folder / SCENES_FOLDER / 'test'} --report {folder / 'report'}",
        f"inspect {bundle}",
        "train PICTURES --task detection   your own pictures with boxes",
    )
