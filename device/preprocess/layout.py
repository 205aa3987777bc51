"""Which axes of a model's input are height, width and channels, by its shape alone."""

from __future__ import annotations

from dataclasses import dataclass

from edgeinfer.device.pictures.model_image import Layout

EXPECTED = "(1, height, width, 1 or 3), (1, 1 or 3, height, width) or, for grey, (1, height, width)"
_DEPTHS = (1, 3)
_WITH_OPACITY = 4
_LEAST_SIDE = 8
"""Without an axis of channels, a smaller side is more likely no side of a picture."""


class LayoutError(ValueError):
    """A shape is not one of a picture.

    Attributes:
        got: what is wrong.
        expected: what would be right.
        next_step: what to do.
    """

    def __init__(self, got: str, *, expected: str = EXPECTED, next_step: str = "") -> None:
        super().__init__(f"{got}, expected {expected}")
        self.got, self.expected, self.next_step = got, expected, next_step


@dataclass(frozen=True, kw_only=True)
class InputForm:
    """What the axes of an input are.

    Attributes:
        layout: their order; the first axis, of 1, may be left out.
        size: (width, height) in pixels.
        depth: the number of channels: 1, 3 or 4.
    """

    layout: Layout
    size: tuple[int, int]
    depth: int


def read_form(shape: tuple[int, ...]) -> InputForm:
    """Return what the axes of an input of this shape are.

    Examples:
        >>> read_form((1, 3, 224, 192))
        InputForm(layout='chw', size=(192, 224), depth=3)

    Raises:
        LayoutError: it is not a picture's, or does not show which axis is which.
    """
    axes = shape
    if len(shape) == 4 or (len(shape) == 3 and shape[0] == 1):
        if shape[0] != 1:
            raise LayoutError(
                f"input shape is {shape}: {shape[0]} pictures at a time",
                next_step="export the model for a batch of 1",
            )
        axes = shape[1:]
    if len(axes) == 2 and min(axes) >= _LEAST_SIDE:
        return InputForm(layout="hw", size=(axes[1], axes[0]), depth=1)
    if len(axes) != 3:
        raise LayoutError(f"input shape is {shape}")
    first, last = axes[0] in _DEPTHS, axes[2] in _DEPTHS
    if first and last and axes[0] > 1:
        raise LayoutError(
            f"input shape is {shape}: its channels may be {axes[0]} or {axes[2]}",
            expected="one axis of 1 or 3",
            next_step="export the model for pictures of another size",
        )
    if last:
        return InputForm(layout="hwc", size=(axes[1], axes[0]), depth=axes[2])
    if first:
        return InputForm(layout="chw", size=(axes[2], axes[1]), depth=axes[0])
    if axes[2] == _WITH_OPACITY:
        return InputForm(layout="hwc", size=(axes[1], axes[0]), depth=_WITH_OPACITY)
    if axes[0] == _WITH_OPACITY:
        return InputForm(layout="chw", size=(axes[2], axes[1]), depth=_WITH_OPACITY)
    raise LayoutError(f"input shape is {shape}")
