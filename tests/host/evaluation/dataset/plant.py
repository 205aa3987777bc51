"""Faults put into a copy of a data set on purpose: 12 of each of five kinds, by a seed."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

Pair = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Planted:
    """What was planted, by paths relative to the data set's folder."""

    exact: list[Pair] = field(default_factory=list)
    scaled: list[Pair] = field(default_factory=list)
    cropped: list[Pair] = field(default_factory=list)
    swapped: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)


def plant(root: Path, *, each: int = 12, seed: int = 0) -> Planted:
    """Plant faults into ROOT/{train,test}/CLASS; no picture has two of them.

    Args:
        root: the data set, which is changed.
        each: how many of each of the five kinds.
        seed: chooses the pictures and what is done to them.
    """
    chance = random.Random(seed)
    files = sorted(path for path in root.glob("*/*/*") if path.is_file())
    chance.shuffle(files)
    test = [path for path in files if path.parent.parent.name == "test"]
    train = [path for path in files if path.parent.parent.name == "train"]
    labels = sorted({path.parent.name for path in files})
    planted = Planted()

    def name(path: Path) -> str:
        return str(path.relative_to(root))

    for kind, pairs in (
        ("exact", planted.exact),
        ("scaled", planted.scaled),
        ("cropped", planted.cropped),
    ):
        for number in range(each):
            original = test.pop()
            copy = root / "train" / original.parent.name / f"new{chance.randrange(10**8):08}.jpg"
            if kind == "exact":
                shutil.copyfile(original, copy)
            else:
                changed = _changed(cv2.imread(str(original)), kind, number, chance)
                quality = chance.randint(60, 95)
                assert cv2.imwrite(str(copy), changed, [cv2.IMWRITE_JPEG_QUALITY, quality])
            pairs.append(frozenset((name(original), name(copy))))
    for _ in range(each):
        path = train.pop()
        other = next(label for label in labels if label != path.parent.name)
        moved = path.parent.parent / other / f"new{chance.randrange(10**8):08}{path.suffix}"
        path.rename(moved)
        planted.swapped.append(name(moved))
    for _ in range(each):
        path = train.pop()
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * chance.uniform(0.1, 0.9))])
        planted.cut.append(name(path))
    return planted


def _changed(
    pixels: cv2.typing.MatLike, kind: str, number: int, chance: random.Random
) -> cv2.typing.MatLike:
    """Return a scaled picture, every third brighter and every fourth mirrored; or a cropped one."""
    height, width = pixels.shape[:2]
    if kind == "scaled":
        factor = chance.uniform(0.4, 1.6)
        pixels = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        if number % 3 == 2:
            pixels = cv2.convertScaleAbs(pixels, alpha=chance.uniform(0.8, 1.2), beta=10)
        if number % 4 == 3:
            pixels = np.ascontiguousarray(pixels[:, ::-1])
        return pixels
    share = chance.uniform(0.03, 0.25)  # of each side
    rows, columns = round(height * (1 - share)), round(width * (1 - share))
    top, left = chance.randint(0, height - rows), chance.randint(0, width - columns)
    return pixels[top : top + rows, left : left + columns]
