"""The options of `edgeinfer train` that say what network it is and how it gets its pictures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from edgeinfer.device.cli.help.names import BOARD, Name, choice
from edgeinfer.device.cli.help.pages import option_group
from edgeinfer.device.cli.options.region import region_settings
from edgeinfer.device.cli.say import say
from edgeinfer.host.cli.training.student_options import list_students
from edgeinfer.host.cli.training.train_settings import IMAGENET


def _architecture_names() -> Iterable[str]:
    from edgeinfer.host.models import ARCHITECTURES

    return ARCHITECTURES


def task_names() -> Iterable[str]:
    """Return the names of all tasks that can be trained, those of other packages too."""
    from edgeinfer.device.core.installation.entry_points import entry_point_names
    from edgeinfer.host.tasks.registry import GROUP, OWN

    return sorted({*OWN, *entry_point_names(GROUP)})


def _list_architectures(context: click.Context) -> None:
    from edgeinfer.host.models import ARCHITECTURES

    for info in ARCHITECTURES.values():
        say(f"{info.name:20}{info.size:4}  {info.description}")
    context.exit()


ARCHITECTURE = Name(_architecture_names)
TASK = Name(task_names)

_network = option_group("Network")
_input = option_group("Input")

NETWORK_OPTIONS = (
    _network(
        "--architecture",
        "-a",
        type=ARCHITECTURE,
        metavar="NAME",
        show_default="efficientnet-lite0, for fashion-mnist small-cnn",
        help="The network; --list lists them.",
    ),
    _network(
        "--student",
        type=BOARD,
        metavar="BOARD",
        help="Use the network, size and settings that suit this board; --list-students lists them.",
    ),
    _network(
        "--width",
        type=float,
        metavar="FACTOR",
        show_default="1",
        help="Scale the channels of a network that starts from random weights.",
    ),
    _network(
        "--init",
        "initializer",
        type=choice("glorot", "he", "pretrained"),
        show_default="pretrained if the network has such weights",
        help="Initial weights.",
    ),
    _network(
        "--weights",
        metavar=f"{IMAGENET}|FILE",
        help=f"Pretrained weights: a file, or {IMAGENET} for those installed or downloaded.",
    ),
    _network(
        "--from",
        "start",
        metavar="RUN",
        type=click.Path(path_type=Path),
        help="Begin with the weights of this trained run; labels that it does not have are added.",
    ),
    _network(
        "--task",
        type=TASK,
        default="classification",
        metavar="NAME",
        help="What the network learns to predict: a task of edgeinfer or of another package.",
    ),
    _network(
        "--list",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=lambda context, _, wanted: _list_architectures(context) if wanted else None,
        help="List the networks and exit.",
    ),
    _network(
        "--list-students",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=lambda context, _, wanted: list_students(context) if wanted else None,
        help="List what --student uses for each board and exit.",
    ),
    _input(
        "--size",
        metavar="SIDE|WxH",
        show_default="the network's",
        help="Input size in pixels.",
    ),
    _input(
        "--channels",
        type=choice("rgb", "bgr", "grey"),
        show_default="rgb, for fashion-mnist grey",
        help="Input channels.",
    ),
    _input(
        "--crop",
        type=choice("stretch", "center-crop", "letterbox"),
        show_default="stretch",
        help="How pictures with another aspect ratio are prepared.",
    ),
    _input("--region", show_default="all of it", **region_settings("the model sees")),
    _input(
        "--augment",
        type=choice("auto", "none", "flip", "photos", "small-grey", "mosaic"),
        show_default="auto",
        help="Random changes to the training pictures.",
    ),
)
