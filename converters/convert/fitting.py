"""Which options work with which source and precision; the others are refused by name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Literal

from edgeinfer.converters.tensorflow.convert_job import CALIBRATED
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.tensors import Precision

if TYPE_CHECKING:
    from edgeinfer.converters.convert.options import ConvertOptions
    from edgeinfer.converters.targets.targets import Targets

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


_OPTION_OF = {
    "calibration": "--calibration",
    "calibration_images": "--calibration-images",
    "per_tensor_dense": "--per-tensor-dense",
    "repair": "--repair",
    "seed": "--seed",
}
"""Fields of `ConvertOptions` and `QuantizeOptions` that not every precision obeys, as options."""


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


def with_targets(options: ConvertOptions, board: str | None) -> ConvertOptions:
    """Return the options with a board's accelerator, and with what its compiler needs."""
    from edgeinfer.converters.targets.targets import chosen_targets

    targets: Targets = options.targets
    if board is not None:
        if targets.wanted:
            raise UsageError(
                "board", got="is given, and so is options.targets", expected="one of the two"
            )
        targets = chosen_targets(board=board)
    dense = options.quantize.per_tensor_dense or targets.per_tensor_dense
    return replace(
        options, targets=targets, quantize=replace(options.quantize, per_tensor_dense=dense)
    )


def changed_options(options: ConvertOptions, default: ConvertOptions) -> set[str]:
    """Return the options that differ from their default, by the names of the command line.

    What the board's compiler needs was not asked for by the user.
    """
    pairs: list[tuple[Any, Any]] = [(options, default), (options.quantize, default.quantize)]
    changed = {
        field.name
        for ours, theirs in pairs
        for field in fields(ours)
        if getattr(ours, field.name) != getattr(theirs, field.name)
    }
    if options.targets.per_tensor_dense:
        changed.discard("per_tensor_dense")
    return {_OPTION_OF[name] for name in changed if name in _OPTION_OF}
