"""The options of `edgeinfer convert`, under their headings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from edgeinfer.converters.cli.options import data_option, install_option, out_option
from edgeinfer.device.cli.help.names import BOARD, choice
from edgeinfer.device.cli.help.pages import option_group
from edgeinfer.device.cli.options.common import json_option, labels_option
from edgeinfer.device.cli.options.plain import plain_options

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

FOREIGN = "Model that edgeinfer did not train"
_foreign = option_group(FOREIGN)
_quantization = option_group("Quantization")
_target = option_group("Board")
_output = option_group("Output")

_OPTIONS = (
    data_option,
    _foreign(
        "--pictures",
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        help="Pictures like those that the model will see. Required for such a model.",
    ),
    labels_option(FOREIGN),
    plain_options(FOREIGN),
    _foreign(
        "--min-agreement",
        type=click.FloatRange(0, 1),
        metavar="SHARE",
        show_default="repair below 0.95, refuse where the 95 % interval ends below 0.9",
        help="Refuse the model if it keeps a smaller share of the float model's answers. Labels of "
        "the pictures do not matter then.",
    ),
    _foreign(
        "--trust-lambda",
        multiple=True,
        metavar="LAYER",
        help="Run the Python code that a Keras file has in this layer, with all your rights. Only "
        "if you trust who made the file. For several layers, repeat it.",
    ),
    _foreign(
        "--import-timeout",
        type=click.FloatRange(0, min_open=True),
        show_default="900",
        metavar="SECONDS",
        help="How long the importer of an ONNX or PyTorch model may take.",
    ),
    _quantization(
        "--precision",
        type=choice("int8", "uint8", "int16x8", "dynamic", "float16", "float32"),
        default="int8",
        help="int8, uint8: only integers. int16x8: 16-bit activations. dynamic: 8-bit weights, "
        "float activations. float16: 16-bit weights, float activations.",
    ),
    _quantization(
        "--per-tensor-dense",
        is_flag=True,
        help="Use one scale for all weights of a dense layer, which some accelerators' compilers "
        "need.",
    ),
    _quantization(
        "--calibration",
        type=choice("min-max", "percentile", "mse"),
        default="min-max",
        help="How the ranges of activations are chosen: all values, all but the outermost 0.01 %, "
        "or the range with the smallest error.",
    ),
    _quantization(
        "--calibration-images",
        type=click.IntRange(1),
        default=300,
        metavar="N",
        help="Training pictures that set the ranges of activations.",
    ),
    _quantization(
        "--calibration-draw",
        type=choice("balanced", "as-is"),
        default="balanced",
        help="How these pictures are chosen: equally many of each class, or as they come. Only for "
        "a run of `edgeinfer train`.",
    ),
    _quantization("--seed", type=int, default=0, metavar="N", help="Random seed of that choice."),
    _quantization(
        "--backend",
        type=choice("tensorflow", "ai-edge-quantizer"),
        show_default="tensorflow; ai-edge-quantizer for percentile and mse",
        help="Which library quantizes.",
    ),
    _quantization(
        "--max-drop",
        type=float,
        default=1.0,
        metavar="POINTS",
        help="Points of top-1 accuracy that the model may lose against float32 on validation "
        "pictures, or on --pictures in folders named as the model's labels.",
    ),
    _quantization(
        "--unknown",
        "unknown_share",
        type=click.FloatRange(0, 0.99),
        metavar="SHARE",
        show_default="always name a class",
        help="Answer `unknown` below a probability that is chosen on validation pictures: as high "
        "as it can be where at most this share of the right answers is lost, such as 0.02.",
    ),
    _quantization(
        "--repair",
        type=choice("none", "clipping", "equalization", "mixed", "training"),
        default="training",
        help="How far to go if INT8 loses more than --max-drop. clipping: narrower ranges. "
        "equalization: similar channels and corrected biases. mixed: the worst layers stay in "
        "float32, for CPUs only. training: quantization-aware training, which takes minutes.",
    ),
    _target(
        "--board",
        type=BOARD,
        metavar="NAME",
        help="The board that the bundle is for. Adds a variant for its accelerator and prints "
        "which operators run there. Edge TPU: one scale for dense layers; compiled if "
        "edgetpu_compiler is installed. imx8mp: the CPU's file through the VX delegate. imx93: "
        "--npu ethos-u65-256.",
    ),
    _target(
        "--npu",
        type=choice("ethos-u65-256", "ethos-u55-128"),
        help="Add a variant for this Arm Ethos-U NPU, compiled by vela, with vela's estimates.",
    ),
    _target(
        "--gpu",
        is_flag=True,
        help="Add a float16 variant for the GPU delegate and print which operators run there.",
    ),
    _target(
        "--require-mapped",
        metavar="PERCENT",
        help="Refuse the model if the board's accelerator runs less of it, such as 100%.",
    ),
    _target(
        "--jpeg-reduction",
        type=choice("1", "2", "4", "8"),
        default="1",
        help="Decode JPEGs up to this many times smaller, but never smaller than the model's "
        "input. Faster with cameras that send MJPG. The accuracy is measured with it.",
    ),
    out_option,
    _output(
        "--golden-frames",
        type=click.IntRange(1, 500),
        default=10,
        metavar="N",
        help="Real frames in the bundle, for `edgeinfer verify`.",
    ),
    install_option,
    _output(
        "--report",
        "report_folder",
        type=click.Path(path_type=Path),
        metavar="FOLDER",
        help="Write the table of layer errors and its picture there too, even if the model is "
        "refused. The report of a bundle is always in NAME-report next to it.",
    ),
    json_option,
)


def convert_options(command: Decorated) -> Decorated:
    """Add all options to the command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
