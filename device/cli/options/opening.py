"""Options that say how a model is opened."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.cli.help.names import DELEGATE
from edgeinfer.device.cli.help.pages import Decorated, option_group
from edgeinfer.device.cli.options.plain import ANSWER_PARAMETERS, INPUT_PARAMETERS, plain_options
from edgeinfer.device.cli.options.tiles import tiles_settings

if TYPE_CHECKING:
    from edgeinfer.device.pictures.model_image import CropPolicy, InputChannels
    from edgeinfer.device.pictures.region import Region, Tiles
    from edgeinfer.device.runtime.open_options import OpenOptions

_accelerator = option_group("Accelerator")
_model = option_group("Model")

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
    "tiles",
    *INPUT_PARAMETERS,
    *ANSWER_PARAMETERS,
)
"""The parameters of these options, which `read_opening` takes."""


def opening_options(command: Decorated) -> Decorated:
    """Add `--variant`, `--delegate` and its options, `--trust`, `--tiles`, and `plain_options`.

    The command takes them as `opening`, an `OpenOptions`.
    """

    @functools.wraps(command)
    def with_opening(*args: Any, **kwargs: Any) -> Any:
        given = {name: kwargs.pop(name) for name in OPENING_PARAMETERS}
        return command(*args, opening=read_opening(**given), **kwargs)

    tiles = option_group("Picture")("--tiles", show_default="none", **tiles_settings())
    wrapped: Any = plain_options()(tiles(with_opening))
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
    region: Region | None = None,
    tiles: Tiles | None = None,
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
        region=region,
        tiles=tiles,
        unit=unit,
        min_score=min_score,
        iou=iou,
    )
