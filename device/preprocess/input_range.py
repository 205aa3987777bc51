"""The usual ranges of a model's input, by the names that `--input-range` takes."""

from __future__ import annotations

from collections.abc import Sequence

RANGES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "0..255": ((0.0,), (1.0,)),
    "0..1": ((0.0,), (255.0,)),
    "-1..1": ((127.5,), (127.5,)),
    "imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
}
"""Mean and deviation of pixels 0 to 255, for all channels or one for each: red, green, blue. Those
of ImageNet are the usual 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225 of pixels 0 to 1."""

Normalization = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and deviation, (pixel - mean) / deviation; one number for all channels or one for each."""


def told_normalization(
    input_range: str | None, mean: Sequence[float] | None, std: Sequence[float] | None
) -> Normalization | None:
    """Return what the user says of the input; None where nothing is said.

    Raises:
        ValueError: two things are said, or half of one.
    """
    if input_range is not None:
        if mean is not None or std is not None:
            raise ValueError("an input range is given together with a mean or std, expected one")
        if input_range not in RANGES:
            raise ValueError(f"input range is {input_range!r}, expected one of {', '.join(RANGES)}")
        return RANGES[input_range]
    if (mean is None) != (std is None):
        missing = "mean" if mean is None else "std"
        raise ValueError(f"{missing} is missing, expected mean and std together")
    return None if mean is None or std is None else (tuple(mean), tuple(std))


def channel_count(channels: str) -> int:
    """Return how many channels there are: 1 for "grey", 4 for "rgba", otherwise 3."""
    return {"grey": 1, "rgba": 4}.get(channels, 3)


def per_channel(values: tuple[float, ...], channels: str) -> tuple[float, ...]:
    """Return a number for each channel, in the order of `channels`.

    Args:
        values: one for all, or one for each of red, green and blue.
        channels: "rgb", "bgr", "grey" or "rgba"; for grey of three numbers the one that BT.601
            weighs, and for the fourth of rgba their average.

    >>> per_channel((1.0, 2.0, 3.0), "bgr")
    (3.0, 2.0, 1.0)
    """
    if len(values) == 1:
        return values * channel_count(channels)
    if channels == "bgr":
        return values[::-1]
    if channels == "rgba" and len(values) == 3:
        return (*values, sum(values) / 3)
    if channels == "grey" and len(values) == 3:
        red, green, blue = values
        return (0.299 * red + 0.587 * green + 0.114 * blue,)
    return values
