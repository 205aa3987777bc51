"""The scenes of the demo: some pieces of clothing on a drawn background, of embedded data alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.data import fashion_mnist
from edgeinfer.host.data.dataset import prepare_fashion_mnist
from edgeinfer.host.demo.detect.backgrounds import background
from edgeinfer.host.demo.detect.clothes import clothing
from edgeinfer.host.demo.detect.cutout import resized
from edgeinfer.host.demo.detect.files import jpeg, write_scenes
from edgeinfer.host.demo.detect.scene import Scene, compose, photographed
from edgeinfer.host.demo.write import write_file

LABELS = ("Ankle boot", "Bag", "T-shirt", "Trouser")
"""Four kinds that are easily distinguished."""

SIDE = 192
SMALLEST, LARGEST = 40, 100
"""The longer side of a piece in pixels."""
MOST_PIECES = 4

_SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def write_wardrobe(
    folder: Path, counts: Mapping[Split, int], *, seed: int = 0, progress: Progress | None = None
) -> None:
    """Write scenes and their boxes into `folder/train`, `folder/validation` and `folder/test`.

    The pieces of one split are in no other one.

    Args:
        folder: where to; what an earlier call wrote there is replaced.
        counts: how many scenes of each split.
        seed: the same one gives the same scenes, and more of them begin with the same.
        progress: reports each scene.

    Raises:
        StorageError: a file cannot be written.
    """
    for split, pieces in embedded_pieces().items():
        draw = partial(draw_scene, pieces, (seed, _SPLITS.index(split)))
        write_scenes(folder / split, draw, counts[split], LABELS, progress=progress)


def write_pictures(folder: Path, count: int, *, seed: int = 1) -> None:
    """Write `folder/00000.jpg` and so on: scenes of the pieces for test, without their boxes.

    Args:
        folder: where to; it is made.
        count: how many.
        seed: none of this seed is among the scenes of another.

    Raises:
        StorageError: a file cannot be written.
    """
    pieces = embedded_pieces()["test"]
    for number in range(count):
        scene = draw_scene(pieces, (seed, _SPLITS.index("test")), number)
        write_file(folder / f"{number:05}.jpg", jpeg(scene.picture))


def embedded_pieces() -> dict[Split, list[list[Pixels]]]:
    """Return the embedded pictures of each split, for each of `LABELS` a list."""
    data = prepare_fashion_mnist(seed=0, full=False)
    return {split: [_of(label, data.splits[split]) for label in LABELS] for split in _SPLITS}


def _of(label: str, samples: Sequence[Sample]) -> list[Pixels]:
    number = fashion_mnist.LABELS.index(label)
    return [read_sample(sample.source) for sample in samples if sample.target == number]


def draw_scene(pieces: Sequence[Sequence[Pixels]], seed: tuple[int, ...], number: int) -> Scene:
    """Return scene `number` of a seed, independent of all others.

    Args:
        pieces: for each of `LABELS`, pictures of Fashion-MNIST.
        seed: of all scenes of a split.
        number: which one.
    """
    random = np.random.default_rng((*seed, number))
    wall = background((SIDE, SIDE), random)
    things = []
    for _ in range(int(random.integers(1, MOST_PIECES + 1))):
        label = int(random.integers(len(LABELS)))
        picture = pieces[label][int(random.integers(len(pieces[label])))]
        side = round(np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST))))
        things.append((LABELS[label], resized(clothing(picture, random), side)))
    scene = compose(wall, things, random)
    return Scene(picture=photographed(scene.picture, random), things=scene.things)
