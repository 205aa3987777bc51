"""`edgeinfer convert`: a trained model to a bundle."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from edgeinfer.device.cli.options import json_option

if TYPE_CHECKING:
    from edgeinfer.converters.calibration import CalibrationMethod
    from edgeinfer.converters.convert import ConvertResult
    from edgeinfer.converters.quantize import Backend
    from edgeinfer.device.preprocess.spec import JpegReduction
    from edgeinfer.device.types import Precision


@click.command()
@click.argument("trained", type=click.Path(path_type=Path), metavar="FOLDER")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    help="The bundle; by default NAME.edgebundle here.",
)
@click.option(
    "--precision",
    type=click.Choice(["int8", "uint8", "int16x8", "dynamic", "float16", "float32"]),
    default="int8",
    show_default=True,
    help="int8, uint8: integers from end to end. int16x8: 16-bit activations. dynamic: 8-bit "
    "weights, float activations. float16: 16-bit weights, float activations.",
)
@click.option(
    "--per-tensor-dense",
    is_flag=True,
    help="One scale for all weights of a dense layer, as some accelerators' compilers want it.",
)
@click.option(
    "--calibration",
    type=click.Choice(["min-max", "percentile", "mse"]),
    default="min-max",
    show_default=True,
    help="How the ranges of activations are chosen: all that occurs, all but the outermost 0.01 %, "
    "or what errs least.",
)
@click.option(
    "--backend",
    type=click.Choice(["tensorflow", "ai-edge-quantizer"]),
    help="What quantizes.  [tensorflow; ai-edge-quantizer for percentile and mse]",
)
@click.option(
    "--max-drop",
    type=float,
    default=1.0,
    show_default=True,
    help="Most points of top-1 that it may lose against float32 on validation.",
)
@click.option(
    "--calibration-images", type=click.IntRange(1), default=300, show_default=True,
    help="Train pictures that set the activation ranges.",
)  # fmt: skip
@click.option(
    "--golden-frames", type=click.IntRange(1, 500), default=10, show_default=True,
    help="Real frames that the bundle carries for `verify`.",
)  # fmt: skip
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Picks the calibration pictures."
)
@click.option(
    "--jpeg-reduction",
    type=click.Choice(["1", "2", "4", "8"]),
    default="1",
    show_default=True,
    help="Decode JPEGs up to so many times smaller, never smaller than the model's input: faster "
    "with cameras that send MJPG. Accuracy is measured with it.",
)
@click.option(
    "--install/--no-install",
    default=True,
    show_default=True,
    help="Make it the model that `edgeinfer run` takes when none is named.",
)
@click.option(
    "--report",
    "report_folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Put the layer error table and its picture there, even if the model is refused.",
)
@json_option
def convert(
    trained: Path,
    out: Path | None,
    precision: Precision,
    per_tensor_dense: bool,
    calibration: CalibrationMethod,
    backend: Backend | None,
    max_drop: float,
    calibration_images: int,
    golden_frames: int,
    seed: int,
    jpeg_reduction: str,
    install: bool,
    report_folder: Path | None,
    as_json: bool,
) -> None:
    """Quantize the model that `edgeinfer train` left in FOLDER and write a verified bundle.

    Float32 and the smaller model are both measured through the device package, on the original
    pictures. Where it loses more than --max-drop points on validation, nothing is written and the
    exit code is 1.
    """
    from edgeinfer.converters.convert import ConvertOptions, convert_trained, install_bundle
    from edgeinfer.converters.extras import require_packages
    from edgeinfer.converters.progress import step_display
    from edgeinfer.converters.quantize import QuantizeOptions
    from edgeinfer.converters.trained import read_trained

    # First of all: nothing about FOLDER matters where it could not be converted anyway.
    require_packages("edgeinfer convert", "tensorflow", "keras")
    name = read_trained(trained).name
    options = ConvertOptions(
        max_drop_points=max_drop,
        calibration_images=calibration_images,
        golden_frames=golden_frames,
        seed=seed,
        quantize=QuantizeOptions(
            precision=precision,
            per_tensor_dense=per_tensor_dense,
            calibration=calibration,
            backend=backend,
        ),
        jpeg_reduction=cast("JpegReduction", int(jpeg_reduction)),
    )
    with step_display(sys.stderr) as step:
        result = convert_trained(
            trained,
            out or Path(f"{name}.edgebundle"),
            options,
            step,
            report_folder=report_folder,
        )
    installed = install_bundle(result.bundle) if install else None
    if as_json:
        click.echo(json.dumps({"bundle": str(result.bundle), **result.manifest.metrics}))
    else:
        click.echo(summary(result, installed))


def summary(result: ConvertResult, installed: Path | None) -> str:
    """Return what a person wants to know, a few lines."""
    from edgeinfer.converters.layer_report import worst_layer_text

    size = result.manifest.metrics
    precision = result.manifest.variants["cpu"].precision
    name = precision.upper() if precision.startswith(("int", "uint")) else precision
    lines = [
        f"{result.bundle}: {result.bundle.stat().st_size:,} bytes, the {name} model "
        f"{size[f'size.{precision}.bytes']:,.0f} (float32 {size['size.float32.bytes']:,.0f})",
        f"{'top-1':12}{'float32':>10}{name:>10}{'pictures':>10}",
    ]
    for split, results in (("validation", result.validation), ("test", result.test)):
        lines.append(
            f"{split:12}{results['float32'].top1:>10.2%}{results[precision].top1:>10.2%}"
            f"{results[precision].samples:>10,}"
        )
    if lost := worst_layer_text(result.layers):
        lines.append(f"most lost in {lost}")
    lines.append(
        f"verified: {result.verified.frames} frames bit-equal through "
        f"{' and '.join(result.verified.implementations)} preprocessing"
    )
    if installed is not None:
        lines.append(f"installed as {installed}")
        lines.append("next: edgeinfer run --camera")
    else:
        lines.append(f"next: edgeinfer run --camera --model {result.bundle}")
    return "\n".join(lines)
