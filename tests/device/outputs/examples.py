"""Answers and outputs that several tests use."""

from __future__ import annotations

import time

import numpy as np

from edgeinfer.device.loop.results import Answer, LoopSummary
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.device.tasks.classification.prediction import Classification

SUMMARY = LoopSummary(
    frames=2,
    dropped=0,
    seconds=1.0,
    age_p50_ms=1.0,
    age_p99_ms=2.0,
    labelled_frames=0,
    correct_frames=0,
    unreadable=0,
)


def answer(
    label: str = "cat",
    *,
    probability: float = 0.9,
    truth: str | None = None,
    name: str | None = None,
    sequence: int = 0,
    pixels: Pixels | None = None,
    captured_ns: int | None = None,
    position_s: float | None = None,
) -> Answer:
    """Return an answer between `label` and "dog"."""
    frame = Frame(
        pixels=np.zeros((2, 2, 3), dtype=np.uint8) if pixels is None else pixels,
        sequence=sequence,
        captured_ns=time.monotonic_ns() if captured_ns is None else captured_ns,
        label=truth,
        name=name,
        position_s=position_s,
    )
    prediction = Classification(
        labels=(label, "dog"), probabilities=np.array([probability, 1 - probability])
    )
    return Answer(frame=frame, prediction=prediction, age_ms=12.3456)
