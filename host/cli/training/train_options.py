"""The options of `edgeinfer train`, under their headings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edgeinfer.device.cli.help.names import choice
from edgeinfer.device.cli.help.pages import option_group
from edgeinfer.device.cli.options.common import json_option
from edgeinfer.host.cli.labels_option import (
    LABELS_NAMES,
    LABELS_SETTINGS,
    PATTERN_NAMES,
    PATTERN_SETTINGS,
    TARGET_NAMES,
    TARGET_SETTINGS,
)
from edgeinfer.host.cli.training.network_options import NETWORK_OPTIONS

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_data = option_group("Data")
_training = option_group("Training")
_fine_tuning = option_group("Fine-tuning, the second stage with pretrained weights")
_teaching = option_group("Teacher")
_output = option_group("Output")

_OPTIONS = (
    *NETWORK_OPTIONS,
    _data(*LABELS_NAMES, **LABELS_SETTINGS),
    _data(*TARGET_NAMES, **TARGET_SETTINGS),
    _data(*PATTERN_NAMES, **PATTERN_SETTINGS),
    _data(
        "--unit",
        metavar="UNIT[,UNIT...]",
        show_default="that of the table",
        help="Unit of the values, such as bar; of several values one for all, or one each.",
    ),
    _data(
        "--period",
        metavar="NUMBER[,NUMBER...]",
        help="For angles and dials: what one turn is, such as 360. Of several values one for all, "
        "or one each, with 0 for a value that is not on a circle.",
    ),
    _data(
        "--split-by",
        metavar="group:PATTERN|time[:S]",
        help="Keep pictures that belong together in one split: those with the same text in the "
        "braces of 'group:{video}_*', or with less than S seconds (60) between them.",
    ),
    _data(
        "--validation-share",
        type=float,
        metavar="SHARE",
        show_default="0.1",
        help="Share of the pictures for validation, if DATA has no validation folder.",
    ),
    _data(
        "--test-share",
        type=float,
        metavar="SHARE",
        show_default="0.1",
        help="Share of the pictures for the test, if DATA has no test folder.",
    ),
    _data(
        "--seed",
        type=click.IntRange(0),
        default=0,
        metavar="N",
        help="Random seed of the split and of the training.",
    ),
    _training(
        "--loss",
        type=choice(
            *("crossentropy", "focal", "huber", "mse", "mae", "circular", "overlap", "centres")
        ),
        show_default="crossentropy; for values huber; detection overlap; points centres",
        help="Loss function: the first two are for classes, overlap for boxes, centres for points, "
        "others for values.",
    ),
    _training(
        "--label-smoothing",
        type=float,
        metavar="SHARE",
        show_default="0.1, for values 0",
        help="Share of each label that is spread over all classes, from 0 to below 1.",
    ),
    _training(
        "--class-weights",
        type=choice("none", "balanced"),
        show_default="none",
        help="balanced: rare classes count more.",
    ),
    _training(
        "--optimizer",
        type=choice("sgd", "adam", "adamw", "rmsprop", "muon"),
        show_default="adamw",
        help="muon: for networks that start from random weights.",
    ),
    _training(
        "--learning-rate",
        type=float,
        metavar="RATE",
        show_default="0.001 with pretrained weights, else 0.002",
        help="Highest learning rate.",
    ),
    _training(
        "--weight-decay", type=float, metavar="RATE", show_default="0.0001", help="Weight decay."
    ),
    _training(
        "--clip-norm",
        type=float,
        metavar="LENGTH",
        show_default="0",
        help="Shorten the gradients of each step to at most this length; 0 leaves them.",
    ),
    _training(
        "--schedule",
        type=choice("constant", "cosine", "step", "plateau"),
        show_default="cosine",
        help="How the learning rate changes.",
    ),
    _training(
        "--epochs",
        type=int,
        metavar="N",
        show_default="20 with pretrained weights, else 40",
        help="Most epochs.",
    ),
    _training(
        "--more-epochs",
        type=int,
        metavar="N",
        help="Train the finished run --out for up to N more epochs, with its own settings.",
    ),
    _training(
        "--patience",
        type=int,
        metavar="N",
        show_default="5 with pretrained weights, else 8",
        help="Stop after this many epochs without progress.",
    ),
    _training(
        "--batch-size", type=int, metavar="N", show_default="64", help="Pictures in each step."
    ),
    _training(
        "--dropout",
        type=float,
        metavar="SHARE",
        show_default="0.5 with pretrained weights, else 0; for values 0",
        help="Share of features left out of each step.",
    ),
    _training(
        "--folds",
        type=choice("auto", "none"),
        show_default="auto with pretrained weights and without --epochs",
        help="auto: with less than 50 pictures a class, five folds choose how long the first stage "
        "trains, from --epochs to eight times as many.",
    ),
    _fine_tuning(
        "--fine-tune",
        type=choice("upper", "whole"),
        show_default="whole",
        help="Which part of the network it trains.",
    ),
    _fine_tuning(
        "--fine-tune-epochs",
        type=int,
        metavar="N",
        show_default="by the number of pictures, 2 to 12",
        help="Most epochs of this stage, until the validation loss stops falling; 0 leaves it out.",
    ),
    _fine_tuning(
        "--fine-tune-learning-rate",
        type=float,
        metavar="RATE",
        show_default="0.0001",
        help="Its highest learning rate.",
    ),
    _teaching(
        "--teacher",
        metavar="RUN",
        type=click.Path(path_type=Path),
        help="Also learn from the answers of this trained run.",
    ),
    _teaching(
        "--teacher-weight",
        type=float,
        metavar="SHARE",
        show_default="0.9",
        help="Share of the teacher in the loss.",
    ),
    _teaching(
        "--temperature",
        type=float,
        metavar="T",
        show_default="2",
        help="Makes the answers of both networks softer before they are compared.",
    ),
    _teaching("--teacher-features", is_flag=True, help="Also learn the teacher's feature vectors."),
    _output(
        "--out",
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        show_default="runs/DATA, with --teacher runs/DATA-student",
        help="Folder to create.",
    ),
    _output(
        "--force",
        is_flag=True,
        help="Replace an earlier run, and start again if a training was stopped.",
    ),
    _output(
        "--resume",
        is_flag=True,
        help="Go on with a training that was stopped, with the same options and photos.",
    ),
    _output(
        "--tensorboard",
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        help="Also write logs for TensorBoard into a new folder there, while it trains.",
    ),
    json_option,
)


def train_options(command: Decorated) -> Decorated:
    """Add all options to the command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
