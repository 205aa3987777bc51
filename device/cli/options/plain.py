"""Options that say what a plain `.tflite` leaves open: its input, its task, its answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from edgeinfer.device.cli.help.names import choice
from edgeinfer.device.cli.help.pages import Decorated, option_group
from edgeinfer.device.cli.options.region import region_settings

_plain = option_group("A .tflite file without a bundle")
_picture = option_group("Picture")
_answers = option_group("Answers")


class _Numbers(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """One number, or three separated by commas: for red, green and blue."""

    name = "numbers"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Return the numbers.

        Raises:
            click.BadParameter: they are not one or three finite numbers.
        """
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            numbers = ()
        if len(numbers) not in (1, 3) or not all(abs(number) < 1e12 for number in numbers):
            self.fail(f"{value!r} is not one number or three, expected such as 127.5", param, ctx)
        return numbers


class _Deviations(_Numbers):
    """The same, of numbers above 0."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Return the numbers.

        Raises:
            click.BadParameter: they are not one or three numbers above 0.
        """
        numbers = super().convert(value, param, ctx)
        if min(numbers) <= 0:
            self.fail(f"{value!r} is not above 0, expected such as 127.5", param, ctx)
        return numbers


class _Size(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """WIDTHxHEIGHT in pixels."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return (width, height).

        Raises:
            click.BadParameter: it is none.
        """
        parts = str(value).lower().split("x")
        if len(parts) == 2 and all(p.isascii() and p.isdigit() and len(p) < 6 for p in parts):
            return int(parts[0]), int(parts[1])
        self.fail(f"{value!r} is not a size, expected such as 224x224", param, ctx)


_INPUT_OPTIONS = (
    (
        "--input-range",
        {
            "type": choice("0..255", "0..1", "-1..1", "imagenet"),
            "show_default": "what the file states",
            "help": "The range of the pixels that the model takes. imagenet: ImageNet's mean and "
            "deviation.",
        },
    ),
    (
        "--mean",
        {
            "type": _Numbers(),
            "metavar": "VALUE|R,G,B",
            "help": "Instead of --input-range: the input is (pixel - mean) / std, with pixels from "
            "0 to 255.",
        },
    ),
    ("--std", {"type": _Deviations(), "metavar": "VALUE|R,G,B", "help": "See --mean."}),
    (
        "--channels",
        {
            "type": choice("rgb", "bgr", "grey", "rgba"),
            "show_default": "rgb, or grey for one channel",
            "help": "Order of the input channels. rgba: a fourth channel of 255.",
        },
    ),
    (
        "--crop",
        {
            "type": choice("stretch", "center-crop", "letterbox"),
            "show_default": "stretch, or what models of its form take",
            "help": "How pictures with another aspect ratio are prepared.",
        },
    ),
    (
        "--task",
        {
            "metavar": "NAME",
            "show_default": "by its outputs",
            "help": "What the model predicts, such as classification, value or detection.",
        },
    ),
    (
        "--input-size",
        {
            "type": _Size(),
            "metavar": "WIDTHxHEIGHT",
            "help": "Size of the input of a model that takes any.",
        },
    ),
    (
        "--signature",
        {"metavar": "NAME", "help": "Which signature runs, of a model with several."},
    ),
)
_PICTURE_OPTIONS = (
    (
        "--region",
        {
            **region_settings("the model sees"),
            "show_default": "what the bundle states, or all of it",
        },
    ),
)
_ANSWER_OPTIONS = (
    (
        "--unit",
        {
            "metavar": "TEXT",
            "help": "The unit of a model that measures a value; of several, one for each: deg,%.",
        },
    ),
    (
        "--min-score",
        {
            "type": click.FloatRange(0, 1),
            "metavar": "SCORE",
            "show_default": "what the model states",
            "help": "Leave out objects, people and classes that score less. Of one class a "
            "picture: answer `unknown` where it scores less; 0 always names a class.",
        },
    ),
    (
        "--iou",
        {
            "type": click.FloatRange(0, 1),
            "metavar": "SHARE",
            "show_default": "what the model states",
            "help": "Of objects of a class that overlap more, keep one. Only for models that leave "
            "this to the program.",
        },
    ),
)
INPUT_PARAMETERS = (
    *("input_range", "mean", "std", "channels", "crop", "task"),
    *("input_size", "signature", "region"),
)
ANSWER_PARAMETERS = ("unit", "min_score", "iou")


def plain_options(heading: str = "") -> Callable[[Decorated], Decorated]:
    """Return what adds the options that say what a model file leaves open, under a heading.

    Those about its input and its task come under the heading, the part of the picture there too or
    under "Picture", those about its answers under "Answers".
    """
    under = option_group(heading) if heading else _plain
    seen = under if heading else _picture

    def add(command: Decorated) -> Decorated:
        for group, options in (
            (_answers, _ANSWER_OPTIONS),
            (seen, _PICTURE_OPTIONS),
            (under, _INPUT_OPTIONS),
        ):
            for name, settings in reversed(options):
                command = group(name, **settings)(command)
        return command

    return add
