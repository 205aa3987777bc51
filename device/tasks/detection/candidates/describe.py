"""What the tasks with candidates share: their outputs checked, adjusted and shown to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.spec import CandidateSpec
from edgeinfer.device.tasks.task import Rows


def check_one_decoder(*decoders: object) -> None:
    """Refuse a description with none of the decoders that a task may have, or with several.

    Raises:
        ValueError: with how many there are.
    """
    there = sum(decoder is not None for decoder in decoders)
    if there != 1:
        raise ValueError(f"the task needs a decoder: {there} do not fit, expected one")


def check_candidates(spec: CandidateSpec, outputs: Sequence[TensorSpec]) -> None:
    """Refuse outputs that are not candidates of as many numbers, and prototypes that do not fit.

    Raises:
        ValueError: with what was found and what was expected.
    """
    number = max(spec.output, spec.prototypes or 0)
    if number >= len(outputs):
        raise ValueError(f"{len(outputs)} outputs, expected output {number} among them")
    shape, numbers = outputs[spec.output].shape, spec.extras_at[1]
    first = spec.layout == "channels-first"
    if len(shape) != 3 or shape[0] != 1 or shape[1 if first else 2] != numbers:
        wanted = f"(1, {numbers}, candidates)" if first else f"(1, candidates, {numbers})"
        raise ValueError(f"output of candidates is {shape}, expected {wanted}")
    if spec.prototypes is None:
        return
    shape = outputs[spec.prototypes].shape
    first = spec.prototypes_layout == "channels-first"
    if len(shape) != 4 or shape[0] != 1 or shape[1 if first else 3] != spec.coefficients:
        count = spec.coefficients
        wanted = f"(1, {count}, rows, columns)" if first else f"(1, rows, columns, {count})"
        raise ValueError(f"output of prototypes is {shape}, expected {wanted}")


def adjust_candidates(spec: CandidateSpec, answer: AnswerOptions) -> CandidateSpec:
    """Return the description with what the user says instead.

    Raises:
        UsageError: the model picks its objects itself, and an overlap is given.
    """
    if answer.iou is not None:
        if spec.picked:
            raise overlap_refused()
        spec = replace(spec, iou=answer.iou)
    return spec if answer.min_score is None else replace(spec, min_score=answer.min_score)


def overlap_refused() -> UsageError:
    """Return the error where an overlap is given for a model that picks its objects itself."""
    return UsageError(
        "--iou",
        got="is given for a model that leaves out overlapping objects itself",
        expected="a model that leaves this to the program",
        next_step="leave it out",
    )


def candidate_rows(spec: CandidateSpec) -> Rows:
    """Return which numbers are what, for people."""
    begin, end = spec.scores_at
    parts = ["box 0 to 3", *(["objectness 4"] if spec.objectness else [])]
    parts.append(
        f"score {begin}, class {end}" if spec.picked else f"{spec.classes} classes from {begin}"
    )
    first, last = spec.extras_at
    if spec.keypoints is not None:
        parts.append(f"{spec.keypoints[0]} keypoints of {spec.keypoints[1]} from {first}")
    if spec.coefficients:
        parts.append(f"{spec.coefficients} coefficients from {first}")
    if spec.angle:
        parts.append(f"angle {last - 1}")
    outputs = f"candidates {spec.output} ({spec.layout})"
    if spec.prototypes is not None:
        outputs += f", prototypes {spec.prototypes} ({spec.prototypes_layout})"
    unit = "ratios or pixels, as each answer shows" if spec.unit == "either" else f"{spec.unit}s"
    overlap = "picked by the model" if spec.picked else f"{spec.iou:g} iou at most"
    return [
        ("outputs", outputs),
        ("numbers", ", ".join(parts)),
        ("boxes", f"{spec.form} in {unit}"),
        ("overlap", overlap),
        ("min score", f"{spec.min_score:g}"),
    ]
