"""Scenes of bright boxes and discs on noise, with YOLO's texts: learned within seconds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

SIDE = 64
LABELS = ("box", "disc")
SETTINGS = {"size": (SIDE, SIDE), "width": 0.5}
"""Of `train_config("small-cnn", task="detection")`, with which scenes are learned."""


def draw_scenes(root: Path, count: int, *, seed: int = 0) -> Path:
    """Write pictures with one or two things each, and return the folder."""
    generator = np.random.default_rng(seed)
    for name in ("images", "labels"):
        (root / name).mkdir(parents=True)
    for number in range(count):
        pixels = generator.integers(60, 120, (SIDE, SIDE, 3), dtype=np.uint8)
        lines = []
        for place in range(1 + number % 2):
            side = int(generator.integers(14, 30))
            x = int(generator.integers(0, SIDE // 2 - side + 1)) + place * SIDE // 2
            y = int(generator.integers(0, SIDE - side))
            kind = int(generator.integers(2))
            if kind == 0:
                cv2.rectangle(pixels, (x, y), (x + side - 1, y + side - 1), (230, 220, 40), -1)
            else:
                cv2.circle(pixels, (x + side // 2, y + side // 2), side // 2, (20, 20, 240), -1)
            shares = (np.array([x + side / 2, y + side / 2, side, side]) / SIDE).tolist()
            lines.append(" ".join(map(str, [kind, *shares])))
        assert cv2.imwrite(str(root / "images" / f"{number:03}.png"), pixels)
        (root / "labels" / f"{number:03}.txt").write_text("\n".join(lines))
    (root / "data.yaml").write_text("names: [box, disc]\n")
    return root
