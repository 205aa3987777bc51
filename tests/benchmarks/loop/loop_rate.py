"""Distinct frames a second: the real loop against the bare interpreter, and peers on the same clip.

Each loop does everything: it decodes the video, prepares every frame, infers, decodes the output
and counts. One inference thread; `parallel 2` answers two frames side by side.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.loop.run_loop import run_loop
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.model import Model, open_models
from tests.benchmarks.measure import (
    CLIP,
    MOBILENET_V2,
    SAMPLE_BUNDLE,
    Row,
    interleaved,
    ratio,
)
from tests.benchmarks.peers import bare_interpreter, mediapipe, read_resize_invoke

UNLIMITED_FPS = 1e6
"""Above what any machine composes: the simulated camera then never waits."""
MEDIAPIPE_PYTHON = "EDGEINFER_MEDIAPIPE_PYTHON"
"""Names the Python of an environment with mediapipe; without it that peer is left out."""


def loop(models: list[Model], clip: Path) -> float:
    """Return the frames a second of the loop over a whole clip."""
    with open_camera(str(clip)) as camera:
        return run_loop(camera, models, []).fps


def clip_rows(model: Path, clip: Path, *, repeats: int) -> list[Row]:
    """Compare the loop and its peers on one model and clip."""
    content = model.read_bytes()
    models = open_models(model, 2)
    contenders: dict[str, Callable[[], float]] = {
        "bare interpreter": bare_interpreter(content, invocations=600),
        "edgeinfer": lambda: loop(models[:1], clip),
        "edgeinfer, parallel 2": lambda: loop(models, clip),
        "read-resize-invoke": read_resize_invoke(content, clip),
    }
    if python := os.environ.get(MEDIAPIPE_PYTHON):
        contenders["MediaPipe Tasks"] = mediapipe(Path(python), model, clip)
    figures = interleaved(contenders, repeats)
    bare = sorted(figures["bare interpreter"])[repeats // 2]
    wanted = {"edgeinfer": "0.95 or more", "edgeinfer, parallel 2": "1.3 or more"}
    return [
        Row(
            what=f"{name}: {model.stem} on {clip.name}",
            figure=f"{sorted(rates)[len(rates) // 2]:,.0f} frames/s",
            compared_with=f"bare interpreter {bare:,.0f}/s",
            ratio=ratio(rates, figures["bare interpreter"]),
            wanted=wanted.get(name, ""),
        )
        for name, rates in figures.items()
        if name != "bare interpreter"
    ]


def simulated_row(path: Path, *, repeats: int, frames: int = 1200) -> Row:
    """Compare the loop on simulated frames: composing them takes longer than a tiny network."""
    if path.suffix == ".tflite":
        content = path.read_bytes()
    else:
        with open_bundle(path) as opened:
            content = opened.member(opened.manifest.variants["cpu"].file)
    with Model.open(path) as model, Model.open(SAMPLE_BUNDLE) as pictures:

        def simulated() -> float:
            with open_camera(
                "simulated", pictures=pictures.golden_frames, fps=UNLIMITED_FPS
            ) as camera:
                return run_loop(camera, model, [], max_frames=frames).fps

        figures = interleaved(
            {"bare": bare_interpreter(content, invocations=frames), "loop": simulated}, repeats
        )
    return Row(
        what=f"edgeinfer: {path.stem} on the simulated camera",
        figure=f"{sorted(figures['loop'])[repeats // 2]:,.0f} frames/s",
        compared_with=f"bare interpreter {sorted(figures['bare'])[repeats // 2]:,.0f}/s",
        ratio=ratio(figures["loop"], figures["bare"]),
    )


def rows(repeats: int = 7) -> list[Row]:
    """Return this benchmark's part of the table."""
    found = []
    if MOBILENET_V2.is_file() and CLIP.is_file():
        found += clip_rows(MOBILENET_V2, CLIP, repeats=repeats)
        found.append(simulated_row(MOBILENET_V2, repeats=repeats))
    return [*found, simulated_row(SAMPLE_BUNDLE, repeats=repeats)]
