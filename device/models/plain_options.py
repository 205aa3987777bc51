"""What may be said of a plain `.tflite` only: a bundle states it itself."""

from __future__ import annotations

from dataclasses import replace

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.runtime.open_options import OpenOptions

PLAIN_ONLY = (
    "labels",
    "input_range",
    "mean",
    "std",
    "channels",
    "crop",
    "task",
    "input_size",
    "signature",
)


ANSWERS = ("unit", "min_score", "iou")
"""What changes an answer and not the model's outputs."""

NOT_GOLDEN = (*ANSWERS, "region", "tiles")
"""What the golden frames of a bundle have no use for."""


def for_golden(options: OpenOptions) -> OpenOptions:
    """Return the options without what the golden frames of a bundle have no use for."""
    default = OpenOptions()
    return replace(options, **{name: getattr(default, name) for name in NOT_GOLDEN})


def refuse_plain_options(options: OpenOptions, *, subject: str, also: tuple[str, ...] = ()) -> None:
    """Refuse what only a plain `.tflite` needs, for a model that states it itself.

    Args:
        options: the user's.
        subject: the model, for errors.
        also: other options that are refused, such as `NOT_GOLDEN` where no picture is answered.

    Raises:
        UsageError: names the option.
    """
    default = OpenOptions()
    for name in (*PLAIN_ONLY, *also):
        if getattr(options, name) != getattr(default, name):
            expected = (
                "it for a .tflite only" if name in PLAIN_ONLY else "it where pictures are answered"
            )
            raise UsageError(
                f"--{name.replace('_', '-')}",
                got=f"is given for {subject}, which has its own",
                expected=expected,
                next_step="leave it out",
            )
