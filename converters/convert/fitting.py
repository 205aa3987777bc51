"""Which options work with which source and precision; the others are refused by name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

from edgeinfer.converters.tensorflow.convert_job import CALIBRATED
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.tensors import Precision

Kind = Literal["run", "foreign", "quantized"]
"""A folder that `edgeinfer train` made, someone else's model, or one that is quantized already."""

OF_FOREIGN = (
    *("--pictures", "--labels", "--input-range", "--mean", "--std", "--channels", "--crop"),
    "--region",
    *("--task", "--input-size", "--signature", "--unit", "--min-score", "--iou"),
    *("--min-agreement", "--trust-lambda"),
)
"""Options that a trained run does not need, or answers itself."""

OF_ADOPTED = (
    *("--pictures", "--labels", "--input-range", "--mean", "--std", "--channels", "--crop"),
    "--region",
    *("--task", "--input-size", "--signature", "--unit", "--min-score", "--iou"),
    *("--out", "--golden-frames", "--seed", "--install", "--json"),
)
"""Options of a model that is adopted as it is."""

OF_CALIBRATION = ("--calibration", "--calibration-images", "--calibration-draw")
"""Options that only precisions with integer activations need."""


def refuse_unfit(given: Collection[str], kind: Kind, precision: Precision) -> None:
    """Refuse an option that would be ignored.

    Args:
        given: the options on the command line, by their long names.
        kind: where the model comes from.
        precision: of the result.

    Raises:
        UsageError: names the first that does not fit.
    """
    if kind == "quantized":
        for option in sorted(name for name in {*given} - {*OF_ADOPTED} if name.startswith("-")):
            raise UsageError(
                option,
                got="given for a model that is quantized already, which is adopted as it is",
                next_step="leave it out, or convert the float model that it was made from",
            )
        return
    if {"--max-drop", "--min-agreement"} <= {*given}:
        raise UsageError(
            "--max-drop",
            got="is given together with --min-agreement",
            expected="one of the two: by labels, or by agreement with float32",
        )
    for option, reason, instead in _unfit(kind, precision):
        if option in given:
            raise UsageError(option, got=reason, next_step=instead or "leave it out")


def _unfit(kind: Kind, precision: Precision) -> Iterator[tuple[str, str, str]]:
    """Give each option that does not fit, why, and what to do instead."""
    if kind == "run":
        for option in OF_FOREIGN:
            instead = ""
            if option == "--region":
                instead = "it is chosen when a run is trained, or by `edgeinfer run --region`"
            yield (
                option,
                "given for a folder that `edgeinfer train` made, which does not need it",
                instead,
            )
    else:
        drawn = "given for someone else's model, whose calibration pictures are drawn as they come"
        yield "--calibration-draw", drawn, ""
        yield "--unknown", "given for someone else's model", "see --min-score, for any classifier"
        yield "--data", "given for someone else's model, whose photos are --pictures", ""
    if precision not in CALIBRATED:
        why = f"given with --precision {precision}, which needs no calibration"
        for option in OF_CALIBRATION:
            yield option, why, ""
        if kind == "run":  # another's are drawn to be compared on, too
            yield "--seed", why, ""
        yield "--per-tensor-dense", f"given with --precision {precision}", ""
    if precision != "int8":
        yield "--repair", f"given with --precision {precision}", "repairs are for int8"
