"""A real model that plain INT8 breaks, and what each stage of the automatic repair makes of it.

    python -m tests.benchmarks.training.repair PHOTOGRAPHS [--until training]

A detector of sensor noise is trained on the photographs, every other one with noise of four grey
levels, and converted. Its weights are what training made of them; `noise_detector.py` says what
breaks it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.pipeline import convert
from edgeinfer.converters.convert.run_source import TrainedRun
from edgeinfer.converters.quantize.repair_report import repair_lines
from edgeinfer.device.cameras.files.labelled import image_paths
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.pictures.pixel_formats import Pixels
from tests.converters.noise_detector import Size, train_detector

SIDE = 180
SIZE = Size(side=SIDE, counts={"train": 1600, "validation": 600, "test": 600}, epochs=20, batch=32)


def photographs(folder: Path) -> Iterator[Pixels]:
    """Yield the photographs of SIDE x SIDE pixels below a folder, in a seeded order.

    Others would have to be resized, which changes the noise that they have.
    """
    paths = list(image_paths(folder))
    for index in np.random.default_rng(0).permutation(len(paths)):
        picture = read_image(paths[index])
        if picture.shape[:2] == (SIDE, SIDE):
            yield picture


def main() -> None:
    """Train, convert, print the stages."""
    parser = argparse.ArgumentParser(description="What the automatic repair does, stage by stage.")
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--until", default="training", help="the last stage to try")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        train_detector(folder, photographs(arguments.photographs), SIZE)
        result = convert(
            TrainedRun(folder=folder),
            folder / "noise.edgebundle",
            ConvertOptions(repair=arguments.until),
            Silent(),
        )
    for split, answers in result.evaluations.items():
        print(
            f"{split}: float32 {answers['float32'].score:.2%}, INT8 {answers['int8'].score:.2%}, "
            f"{answers['int8'].samples} pictures"
        )
    print(
        "\n".join(repair_lines(result.attempts, result.evaluations["validation"]["float32"].score))
    )


if __name__ == "__main__":
    main()
