"""Options that say how a model is opened: its accelerator, and what a `.tflite` leaves open."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.cli.help.names import DELEGATE, choice
from edgeinfer.device.cli.help.pages import Decorated, option_group

if TYPE_CHECKING:
    from edgeinfer.device.pictures.model_image import CropPolicy, InputChannels
    from edgeinfer.device.runtime.open_options import OpenOptions

_accelerator = option_group("Accelerator")
_model = option_group("Model")
_plain = option_group("A .tflite file without a bundle")
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
            "help": "Leave out objects, people and classes that score less.",
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
    *("input_size", "signature"),
)
ANSWER_PARAMETERS = ("unit", "min_score", "iou")


def plain_options(heading: str = "") -> Callable[[Decorated], Decorated]:
    """Return what adds the options that say what a model file leaves open, under a heading.

    Those about its input and its task come under the heading, those about its answers under
    "Answers".
    """
    under = option_group(heading) if heading else _plain

    def add(command: Decorated) -> Decorated:
        for group, options in ((_answers, _ANSWER_OPTIONS), (under, _INPUT_OPTIONS)):
            for name, settings in reversed(options):
                command = group(name, **settings)(command)
        return command

    return add


_OPENING_OPTIONS = (
    _accelerator(
        "--variant",
        metavar="NAME",
        show_default="the best that works here",
        help="Which variant of the bundle to run.",
    ),
    _accelerator(
        "--delegate",
        type=DELEGATE,
        metavar="NAME|PATH",
        help="edgetpu, ethos-u, vx, gpu, or the library of another delegate.",
    ),
    _accelerator(
        "--delegate-option",
        "delegate_options",
        multiple=True,
        metavar="KEY=VALUE",
        help="An option of the delegate, such as device=usb:0. May be repeated.",
    ),
    _accelerator(
        "--edgetpu",
        "edgetpus",
        metavar="all|DEVICE,...",
        help="Edge TPUs that share the work, such as usb:0,usb:1.",
    ),
    _accelerator("--require-delegate", is_flag=True, help="Fail instead of running on the CPU."),
    _accelerator(
        "--delegate-deadline",
        type=click.FloatRange(0.001, 3600),
        metavar="SECONDS",
        show_default="10 times the slowest of its first frames, at least 1",
        help="How long the delegate may take for one frame.",
    ),
    _accelerator(
        "--delegate-restarts",
        type=click.IntRange(0, 1_000_000),
        default=5,
        metavar="N",
        help="Restart a failing delegate at most this often in 10 minutes.",
    ),
    _model(
        "--trust",
        is_flag=True,
        help="Run a model with operators that edgeinfer cannot check. Only if you know who made "
        "it.",
    ),
)
OPENING_PARAMETERS = (
    "variant",
    "delegate",
    "delegate_options",
    "edgetpus",
    "require_delegate",
    "delegate_deadline",
    "delegate_restarts",
    "trust",
    *INPUT_PARAMETERS,
    *ANSWER_PARAMETERS,
)
"""The parameters of these options, which `read_opening` takes."""


def opening_options(command: Decorated) -> Decorated:
    """Add `--variant`, `--delegate` and its options, `--trust`, and `plain_options`.

    The command takes them as `opening`, an `OpenOptions`.
    """

    @functools.wraps(command)
    def with_opening(*args: Any, **kwargs: Any) -> Any:
        given = {name: kwargs.pop(name) for name in OPENING_PARAMETERS}
        return command(*args, opening=read_opening(**given), **kwargs)

    wrapped: Any = plain_options()(with_opening)
    for option in reversed(_OPENING_OPTIONS):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[no-any-return]


def read_opening(
    *,
    variant: str | None = None,
    delegate: str | None = None,
    delegate_options: tuple[str, ...] = (),
    edgetpus: str | None = None,
    require_delegate: bool = False,
    delegate_deadline: float | None = None,
    delegate_restarts: int = 5,
    trust: bool = False,
    input_range: str | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    channels: InputChannels | None = None,
    crop: CropPolicy | None = None,
    task: str | None = None,
    input_size: tuple[int, int] | None = None,
    signature: str | None = None,
    unit: str | None = None,
    min_score: float | None = None,
    iou: float | None = None,
) -> OpenOptions:
    """Return the values of the options that `opening_options` adds.

    Raises:
        UsageError: they contradict each other, or one is wrong.
    """
    from edgeinfer.device.runtime.delegates.request import DelegateRequest
    from edgeinfer.device.runtime.delegates.spec import parse_option
    from edgeinfer.device.runtime.delegates.worker.restart_policy import WorkerPolicy
    from edgeinfer.device.runtime.open_options import OpenOptions

    request = DelegateRequest(
        variant=variant,
        delegate=delegate,
        options=tuple(map(parse_option, delegate_options)),
        edgetpus=() if edgetpus is None else tuple(edgetpus.split(",")),
        require=require_delegate,
        policy=WorkerPolicy(deadline_s=delegate_deadline, restarts=delegate_restarts),
    )
    return OpenOptions(
        delegates=request,
        trust=trust,
        input_range=input_range,
        mean=mean,
        std=std,
        channels=channels,
        crop=crop,
        task=task,
        input_size=input_size,
        signature=signature,
        unit=unit,
        min_score=min_score,
        iou=iou,
    )
