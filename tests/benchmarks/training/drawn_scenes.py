"""Scenes of 20 kinds of things on photographs: 10 of clothes, 10 of drawn shapes, at many sizes.

Nothing of the test scenes is in the others: they have other photographs, the clothes of the test
split of Fashion-MNIST, and shapes of other colours, textures and line widths. Validation also
has photographs and clothes that training lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from edgeinfer.converters.run_folder.samples import Sample, read_sample
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.data import fashion_mnist
from edgeinfer.host.demo.detect.clothes import clothing
from edgeinfer.host.demo.detect.cutout import Cutout, resized
from edgeinfer.host.demo.detect.files import TABLE, write_scenes
from edgeinfer.host.demo.detect.scene import Scene, compose, photographed
from tests.benchmarks.measure import SHARED_DATA
from tests.benchmarks.training.shapes import KINDS, LEARNED, UNSEEN, Style, shape

T = TypeVar("T")

SIDE = 320
SMALLEST, LARGEST = 16, 160
"""The longer side of a thing in pixels: from one to the other, each factor as often. Thin tips of
the smallest ones vanish, and their boxes are a little smaller."""
MOST_THINGS = 8
MOST_HIDDEN = 0.2
LABELS = (*fashion_mnist.LABELS, *KINDS)
VALIDATION_SHARE, TEST_SHARE = 0.1, 0.25
"""Of the scenes for training and validation; test has as many more."""

_SEED = 0
_SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_TENTH = 10
"""One of ten photographs and pieces of clothing is for validation."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What the scenes of one split are made of.

    Attributes:
        photographs: the backgrounds.
        clothes: pictures of Fashion-MNIST, by class.
        style: of the shapes.
    """

    photographs: Sequence[Path]
    clothes: Sequence[Sequence[Sample]]
    style: Style


def make_scenes(folder: Path, count: int) -> Path:
    """Write scenes into `folder/train`, `folder/validation` and `folder/test`, unless there.

    Args:
        folder: where to.
        count: how many for training and validation; test gets a quarter as many.

    Returns:
        The folder.
    """
    validation = max(1, round(VALIDATION_SHARE * count))
    counts = {
        "train": count - validation,
        "validation": validation,
        "test": max(1, round(TEST_SHARE * count)),
    }
    for split, scenes in counts.items():
        if not (folder / split / TABLE).is_file():
            draw = partial(draw_scene, sources_of(split), split)  # type: ignore[arg-type]
            write_scenes(folder / split, draw, scenes, LABELS)
    return folder


def sources_of(split: Split) -> Sources:
    """Return what a split's scenes are made of."""
    learned, tested = fashion_mnist.list_samples(fashion_mnist.find_full_set(None))
    test = split == "test"
    photographs = sorted((SHARED_DATA / "catsdogs" / ("test" if test else "train")).rglob("*.jpg"))
    clothes = [
        [sample for sample in (tested if test else learned) if sample.target == label]
        for label in range(len(fashion_mnist.LABELS))
    ]
    return Sources(
        photographs=photographs if test else _share(photographs, split),
        clothes=clothes if test else [_share(samples, split) for samples in clothes],
        style=UNSEEN if test else LEARNED,
    )


def _share(things: Sequence[T], split: Split) -> list[T]:
    """Return every tenth for validation, the others for training."""
    return [it for n, it in enumerate(things) if (n % _TENTH == 0) == (split == "validation")]


def draw_scene(sources: Sources, split: Split, number: int) -> Scene:
    """Return scene `number` of a split, independent of all others."""
    random = np.random.default_rng((_SEED, _SPLITS.index(split), number))
    background = _photograph(sources.photographs, random)
    sides = np.exp(
        random.uniform(
            np.log(SMALLEST), np.log(LARGEST), size=int(random.integers(1, MOST_THINGS + 1))
        )
    )
    things = [
        (label := str(random.choice(LABELS)), resized(_thing(sources, label, random), round(side)))
        for side in sorted(sides, reverse=True)
    ]
    scene = compose(background, things, random, most_hidden=MOST_HIDDEN)
    return Scene(picture=photographed(scene.picture, random), things=scene.things)


def _thing(sources: Sources, label: str, random: np.random.Generator) -> Cutout:
    if label in KINDS:
        return shape(label, sources.style, random)
    samples = sources.clothes[fashion_mnist.LABELS.index(label)]
    return clothing(read_sample(samples[int(random.integers(len(samples)))].source), random)


def _photograph(paths: Sequence[Path], random: np.random.Generator) -> Pixels:
    """Return a square of a photograph, mirrored or not."""
    pixels = read_image(paths[int(random.integers(len(paths)))])
    height, width = pixels.shape[:2]
    side = int(min(height, width) * random.uniform(0.6, 1.0))
    top, left = (int(random.integers(length - side + 1)) for length in (height, width))
    square = pixels[top : top + side, left : left + side]
    if random.random() < 0.5:
        square = square[:, ::-1]
    large = cv2.resize(np.ascontiguousarray(square), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.uint8)
