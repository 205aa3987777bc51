"""`edgeinfer convert`: a trained model to a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from click.core import ParameterSource

from edgeinfer.device.cli.options.common import json_option, labels_option, read_labels
from edgeinfer.device.core.errors import UsageError

if TYPE_CHECKING:
    from edgeinfer.converters.convert.run_source import CalibrationDraw
    from edgeinfer.converters.quantize.calibration import CalibrationMethod
    from edgeinfer.converters.quantize.quantize import Backend
    from edgeinfer.converters.quantize.repair import RepairLimit
    from edgeinfer.converters.targets.vela import Accelerator
    from edgeinfer.device.core.tensors import Precision
    from edgeinfer.device.pictures.pixel_formats import JpegReduction
    from edgeinfer.device.preprocess.spec import Channels, CropPolicy


@click.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Pictures like those that another's model will see; needed for such a model.",
)
@labels_option
@click.option(
    "--channels",
    type=click.Choice(["rgb", "bgr", "grey"]),
    help="Channels of another's model.  [rgb, or grey for one]",
)
@click.option(
    "--crop",
    type=click.Choice(["stretch", "center-crop", "letterbox"]),
    default="stretch",
    show_default=True,
    help="What another's model does with other aspect ratios.",
)
@click.option(
    "--mean", type=float, default=127.5, show_default=True,
    help="Of another's model: its input is (pixel - mean) / std, pixels from 0 to 255.",
)  # fmt: skip
@click.option("--std", type=click.FloatRange(0, min_open=True), default=127.5, show_default=True)
@click.option(
    "--min-agreement",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Refuse another's model where INT8 decides as float does less often (0 to 1).",
)
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
    "--repair",
    type=click.Choice(["none", "clipping", "equalization", "mixed", "training"]),
    default="training",
    show_default=True,
    help="Where INT8 loses more than --max-drop, how far to go: narrower ranges; channels made "
    "alike and biases corrected; the layers that lose most kept in float32 (for CPUs only); "
    "quantization-aware training, which takes minutes.",
)
@click.option(
    "--calibration-images", type=click.IntRange(1), default=300, show_default=True,
    help="Train pictures that set the activation ranges.",
)  # fmt: skip
@click.option(
    "--calibration-draw",
    type=click.Choice(["balanced", "as-is"]),
    default="balanced",
    show_default=True,
    help="Which of them: the classes in turn, or as they come, frequent classes more often. "
    "Another's pictures have no classes.",
)
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
    "--npu",
    type=click.Choice(["ethos-u65-256", "ethos-u55-128"]),
    help="Add a variant for this Arm Ethos-U NPU, compiled by vela, with vela's estimates.",
)
@click.option(
    "--board",
    metavar="NAME",
    help="The board it is for; adds its accelerator's variant and tells what is mapped. Edge TPU: "
    "one scale for dense layers, compiled where edgetpu_compiler is installed. imx8mp: the CPU's "
    "file through the VX delegate. imx93: --npu ethos-u65-256.",
)
@click.option(
    "--gpu", is_flag=True, help="Add a float16 variant for the GPU delegate; tells what is mapped."
)
@click.option(
    "--require-mapped",
    metavar="PERCENT",
    help="Refuse a model of which less is mapped to the board's accelerator, such as 100%.",
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
    model: Path,
    pictures: Path | None,
    labels_file: Path | None,
    channels: Channels | None,
    crop: CropPolicy,
    mean: float,
    std: float,
    min_agreement: float,
    out: Path | None,
    precision: Precision,
    per_tensor_dense: bool,
    calibration: CalibrationMethod,
    backend: Backend | None,
    max_drop: float,
    repair: RepairLimit,
    calibration_images: int,
    calibration_draw: CalibrationDraw,
    golden_frames: int,
    seed: int,
    jpeg_reduction: str,
    npu: Accelerator | None,
    board: str | None,
    gpu: bool,
    require_mapped: str | None,
    install: bool,
    report_folder: Path | None,
    as_json: bool,
) -> None:
    """Quantize a model and write a verified bundle.

    MODEL is a folder that `edgeinfer train` made; or another's image classifier, as .keras, .h5,
    SavedModel or float .tflite, together with --pictures.

    Float32 and the smaller model are both measured through the device package, on the original
    pictures. Where it loses more than --max-drop points on validation, nothing is written and the
    exit code is 1.
    """
    from edgeinfer.converters.bundle.install import install_bundle
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.converters.common.require_extra import require_packages
    from edgeinfer.converters.convert.fitting import refuse_unfit
    from edgeinfer.converters.convert.foreign_model import ForeignModel
    from edgeinfer.converters.convert.foreign_source import ForeignSource, chosen_backend
    from edgeinfer.converters.convert.options import ConvertOptions
    from edgeinfer.converters.convert.pipeline import convert as run_pipeline
    from edgeinfer.converters.convert.run_source import TrainedRun
    from edgeinfer.converters.convert.source import Source
    from edgeinfer.converters.convert.summary import document, summary
    from edgeinfer.converters.quantize.quantize import QuantizeOptions
    from edgeinfer.converters.run_folder.trained_run import read_trained
    from edgeinfer.converters.targets.targets import chosen_targets
    from edgeinfer.converters.tensorflow.import_model import is_foreign, source_kind

    # First of all: nothing about a model matters where it could not be converted anyway.
    require_packages("edgeinfer convert", "ai_edge_quantizer", "matplotlib")
    kind = source_kind(model)
    if kind != "tflite":
        require_packages("edgeinfer convert", "tensorflow", "keras")
    foreign = is_foreign(kind)
    refuse_unfit(given_options(), "foreign" if foreign else "run", precision)
    targets = chosen_targets(board=board, require_mapped=require_mapped, npu=npu, gpu=gpu)
    options = ConvertOptions(
        calibration_images=calibration_images,
        golden_frames=golden_frames,
        seed=seed,
        quantize=QuantizeOptions(
            precision=precision,
            per_tensor_dense=per_tensor_dense or targets.per_tensor_dense,
            calibration=calibration,
            backend=backend,
        ),
        repair=repair,
        jpeg_reduction=cast("JpegReduction", int(jpeg_reduction)),
        targets=targets,
    )
    source: Source
    if foreign:
        if pictures is None:
            raise UsageError(
                "--pictures",
                got="is missing",
                expected="a folder of pictures like those that the model will see",
            )
        chosen_backend(model, options.quantize)
        name = model.stem
        source = ForeignSource(
            path=model,
            model=ForeignModel(
                pictures=pictures,
                labels=read_labels(labels_file),
                channels=channels,
                crop=crop,
                mean=mean,
                std=std,
                min_agreement=min_agreement,
            ),
        )
    else:
        name = read_trained(model).name
        source = TrainedRun(
            folder=model, max_drop_points=max_drop, calibration_draw=calibration_draw
        )
    targets.require_tools(precision)
    out = out or Path(f"{name}.edgebundle")
    with show_progress(keep=True) as progress:
        result = run_pipeline(source, out, options, progress, report_folder=report_folder)
    installed = install_bundle(result.bundle) if install else None
    click.echo(json.dumps(document(result)) if as_json else summary(result, installed))


def given_options() -> set[str]:
    """Return the long names of the options that the command line names."""
    context = click.get_current_context()
    return {
        parameter.opts[0]
        for parameter in context.command.params
        if context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    }
