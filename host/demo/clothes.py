"""The first demo: pictures of clothes that come with edgeinfer, from training to a camera."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edgeinfer.converters.bundle.golden import choose_samples
from edgeinfer.converters.run_folder.samples import read_sample
from edgeinfer.converters.tasks.classification.task import TASK
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.host.demo.steps import Step, closing, run_steps

PICTURES = 100
"""How many test pictures are written as PNG files, ten of each class."""

LOOP_S = 6
NAME = "fashion-mnist"
PICTURES_FOLDER = "pictures"


def demo_steps(folder: Path, pictures: Sequence[Path] = ()) -> tuple[Step, ...]:
    """Return the commands.

    Args:
        folder: where the demo writes everything.
        pictures: the pictures for the model.
    """
    run, bundle = folder / NAME, folder / f"{NAME}.edgebundle"
    return (
        Step(
            title="Train a small network on pictures of clothes",
            arguments=(
                *("train", NAME, "--architecture", "resnet8", "--epochs", "14"),
                *("--optimizer", "sgd", "--learning-rate", "0.1", "--out", str(run), "--force"),
            ),
        ),
        Step(
            title="Quantize it to INT8, measure both on pictures it never saw, write the bundle",
            arguments=("convert", str(run), "--out", str(bundle)),
        ),
        Step(
            title="Check that this machine computes the answers that are stored in the bundle",
            arguments=("verify", str(bundle)),
        ),
        Step(
            title="Ask it about single pictures",
            arguments=("predict", "--model", str(bundle), *map(str, pictures)),
        ),
        Step(
            title="Run the camera loop, here on a simulated camera",
            arguments=(
                *("run", "--camera", f"simulated:{folder / PICTURES_FOLDER}"),
                *("--model", str(bundle), "--max-seconds", str(LOOP_S)),
            ),
        ),
    )


def run_demo(folder: Path, *, say: Callable[[str], None]) -> int:
    """Train, convert, verify, predict and run the loop on a simulated camera.

    Args:
        folder: receives everything that the demo makes; an earlier demo there is replaced.
        say: prints a line.

    Returns:
        0, or the exit code of the first command that failed.

    Raises:
        StorageError: the pictures cannot be written.
    """
    started = time.monotonic()
    steps = demo_steps(folder, lay_out_pictures(folder / PICTURES_FOLDER))
    code = run_steps(steps, say=say)
    if code != 0:
        return code
    say(_closing(folder, time.monotonic() - started))
    return 0


def lay_out_pictures(folder: Path) -> list[Path]:
    """Write test pictures as `folder/CLASS/N.png`; return three of different classes.

    Raises:
        StorageError: they cannot be written.
    """
    from edgeinfer.host.data.dataset import prepare_fashion_mnist

    data = prepare_fashion_mnist(seed=0, full=False)
    paths = []
    for number, sample in enumerate(choose_samples(data.splits["test"], PICTURES, TASK)):
        path = folder / data.labels[sample.target] / f"{number:03d}.png"
        write_atomically(path, encode_png(read_sample(sample.source)))
        paths.append(path)
    return paths[:3]


def _closing(folder: Path, seconds: float) -> str:
    bundle = folder / f"{NAME}.edgebundle"
    return closing(
        seconds,
        (
            (f"{folder / NAME}/", "the trained model, its history and settings"),
            (str(bundle), "the one file that a board needs"),
            (f"{folder / PICTURES_FOLDER}/", "test pictures to try"),
        ),
        (
            "run --camera                 your own camera (the bundle is installed)",
            f"inspect {bundle}",
            "train PHOTOS                 a folder of photographs, one sub-folder per class",
            "convert runs/PHOTOS",
        ),
    )
