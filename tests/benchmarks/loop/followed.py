"""Distinct frames a second of the real loop with a detector whose objects are followed and counted.

EDGEINFER_DETECTOR names a bundle, for example one of `python -m tests.benchmarks.training
raccoons`; without it this part is left out. The clip is read, each frame prepared, answered and
decoded, objects get their numbers and a line and a zone are counted, on one inference thread.
"""

from __future__ import annotations

import os
from pathlib import Path

from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.loop.following.follower import Follow
from edgeinfer.device.loop.run_loop import run_loop
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.model import Model
from edgeinfer.device.runtime.open_options import OpenOptions
from tests.benchmarks.measure import CLIP, Row, interleaved, ratio
from tests.benchmarks.peers import bare_interpreter

DETECTOR = "EDGEINFER_DETECTOR"
LEAST = 0.05
"""So that a clip of other things gives objects to follow, too."""

_FOLLOW = Follow(
    lines={"door": ((0.5, 0.0), (0.5, 1.0))},
    zones={"left": ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))},
)


def rows(repeats: int = 7) -> list[Row]:
    """Return this benchmark's part of the table."""
    named = os.environ.get(DETECTOR)
    if not named or not CLIP.is_file():
        return []
    path = Path(named)
    with open_bundle(path) as opened:
        content = opened.member(opened.manifest.variants["cpu"].file)
    with Model.open(path, OpenOptions(min_score=LEAST)) as model:

        def loop(follow: Follow | None) -> float:
            with open_camera(str(CLIP)) as camera:
                return run_loop(camera, model, [], follow=follow).fps

        figures = interleaved(
            {
                "bare": bare_interpreter(content, invocations=200),
                "loop": lambda: loop(None),
                "followed": lambda: loop(_FOLLOW),
            },
            repeats,
        )
    bare = sorted(figures["bare"])[repeats // 2]
    return [
        Row(
            what=f"loop with {what}: {path.stem} on {CLIP.name}",
            figure=f"{sorted(figures[name])[repeats // 2]:,.0f} frames/s",
            compared_with=f"bare interpreter {bare:,.0f}/s",
            ratio=ratio(figures[name], figures["bare"]),
        )
        for name, what in (("loop", "a detector"), ("followed", "a detector, followed and counted"))
    ]
