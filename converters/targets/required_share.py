"""How much of a model must run on an accelerator, and the error if less does."""

from __future__ import annotations

from edgeinfer.device.accelerators.accelerator import Accelerator
from edgeinfer.device.accelerators.mapping import OpMapping
from edgeinfer.device.accelerators.remedies import remedies
from edgeinfer.device.core.errors import ConversionError, UsageError

_SHARE_SLACK = 1e-9


def parse_percent(text: str) -> float:
    """Read `100%` or `100`.

    Raises:
        UsageError: it is not a percentage from 0 to 100.
    """
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise UsageError(
            f"--require-mapped {text}",
            got="is not a percentage",
            expected="0% to 100%, such as 100%",
        )
    return value


def require_share(
    mapping: OpMapping,
    needed_percent: float | None,
    accelerator: Accelerator,
    *,
    subject: str,
    mapped: int | None = None,
) -> None:
    """Refuse a model that is not mapped enough.

    Args:
        mapping: the prediction.
        needed_percent: the smallest share that is accepted; None for any.
        accelerator: the accelerator.
        subject: the subject of errors.
        mapped: how many operators are mapped, if a compiler counted them.

    Raises:
        ConversionError: names the first operator that is not mapped, and what helps.
    """
    count, total = mapping.mapped if mapped is None else mapped, len(mapping.ops)
    if needed_percent is None or 100 * count >= (needed_percent - _SHARE_SLACK) * total:
        return
    # If the compiler maps less than predicted, the prediction does not know its reasons.
    predicted = count == mapping.mapped
    why = accelerator.summary(mapping) if predicted else "its log names those that are left"
    raise ConversionError(
        subject,
        got=f"{count} of {total} operators, {100 * count / total if total else 0:.1f} %, go to "
        f"{accelerator.target}: {why}",
        expected=f"at least {needed_percent:g} %",
        next_step="; ".join(remedies(mapping)) or "require less with --require-mapped",
    )
