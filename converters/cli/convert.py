"""`edgeinfer convert`: makes a bundle of a trained model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from edgeinfer.converters.cli.options import data_option, install_option, out_option
from edgeinfer.device.cli.given import refuse_other
from edgeinfer.device.cli.help.names import BOARD, choice
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.options.common import json_option, labels_option, read_labels
from edgeinfer.device.cli.options.plain import plain_options
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import UsageError

if TYPE_CHECKING:
    from edgeinfer.converters.convert.run_source import CalibrationDraw
    from edgeinfer.converters.quantize.calibration import CalibrationMethod
    from edgeinfer.converters.quantize.quantize import Backend
    from edgeinfer.converters.quantize.repair import RepairLimit
    from edgeinfer.converters.targets.vela import Accelerator
    from edgeinfer.device.core.model_file import ModelKind
    from edgeinfer.device.core.tensors import Precision
    from edgeinfer.device.pictures.pixel_formats import JpegReduction


_TAKEN: tuple[ModelKind, ...] = (
    *("run", "keras", "hdf5", "saved-model", "tflite", "onnx", "pt2", "zip"),
    *("torch", "torchscript"),
)
"""What is converted, or judged by what converts it."""

FOREIGN = "Model that edgeinfer did not train"
_foreign = option_group(FOREIGN)
_quantization = option_group("Quantization")
_target = option_group("Board")
_output = option_group("Output")


@click.command(cls=Command)
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL")
@data_option
@_foreign(
    "--pictures",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Pictures like those that the model will see. Required for such a model.",
)
@labels_option(FOREIGN)
@plain_options(FOREIGN)
@_foreign(
    "--min-agreement",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    show_default="repair below 0.95, refuse where the 95 % interval ends below 0.9",
    help="Refuse the model if it keeps a smaller share of the float model's answers. Labels of the "
    "pictures do not matter then.",
)
@_foreign(
    "--trust-lambda",
    multiple=True,
    metavar="LAYER",
    help="Run the Python code that a Keras file has in this layer, with all your rights. Only if "
    "you trust who made the file. For several layers, repeat it.",
)
@_foreign(
    "--import-timeout",
    type=click.FloatRange(0, min_open=True),
    show_default="900",
    metavar="SECONDS",
    help="How long the importer of an ONNX or PyTorch model may take.",
)
@_quantization(
    "--precision",
    type=choice("int8", "uint8", "int16x8", "dynamic", "float16", "float32"),
    default="int8",
    help="int8, uint8: only integers. int16x8: 16-bit activations. dynamic: 8-bit weights, float "
    "activations. float16: 16-bit weights, float activations.",
)
@_quantization(
    "--per-tensor-dense",
    is_flag=True,
    help="Use one scale for all weights of a dense layer, which some accelerators' compilers need.",
)
@_quantization(
    "--calibration",
    type=choice("min-max", "percentile", "mse"),
    default="min-max",
    help="How the ranges of activations are chosen: all values, all but the outermost 0.01 %, or "
    "the range with the smallest error.",
)
@_quantization(
    "--calibration-images",
    type=click.IntRange(1),
    default=300,
    metavar="N",
    help="Training pictures that set the ranges of activations.",
)
@_quantization(
    "--calibration-draw",
    type=choice("balanced", "as-is"),
    default="balanced",
    help="How these pictures are chosen: equally many of each class, or as they come. Only for a "
    "run of `edgeinfer train`.",
)
@_quantization("--seed", type=int, default=0, metavar="N", help="Random seed of that choice.")
@_quantization(
    "--backend",
    type=choice("tensorflow", "ai-edge-quantizer"),
    show_default="tensorflow; ai-edge-quantizer for percentile and mse",
    help="Which library quantizes.",
)
@_quantization(
    "--max-drop",
    type=float,
    default=1.0,
    metavar="POINTS",
    help="Points of top-1 accuracy that the model may lose against float32 on validation pictures, "
    "or on --pictures in folders named as the model's labels.",
)
@_quantization(
    "--repair",
    type=choice("none", "clipping", "equalization", "mixed", "training"),
    default="training",
    help="How far to go if INT8 loses more than --max-drop. clipping: narrower ranges. "
    "equalization: similar channels and corrected biases. mixed: the worst layers stay in float32, "
    "for CPUs only. training: quantization-aware training, which takes minutes.",
)
@_target(
    "--board",
    type=BOARD,
    metavar="NAME",
    help="The board that the bundle is for. Adds a variant for its accelerator and prints which "
    "operators run there. Edge TPU: one scale for dense layers; compiled if edgetpu_compiler is "
    "installed. imx8mp: the CPU's file through the VX delegate. imx93: --npu ethos-u65-256.",
)
@_target(
    "--npu",
    type=choice("ethos-u65-256", "ethos-u55-128"),
    help="Add a variant for this Arm Ethos-U NPU, compiled by vela, with vela's estimates.",
)
@_target(
    "--gpu",
    is_flag=True,
    help="Add a float16 variant for the GPU delegate and print which operators run there.",
)
@_target(
    "--require-mapped",
    metavar="PERCENT",
    help="Refuse the model if the board's accelerator runs less of it, such as 100%.",
)
@_target(
    "--jpeg-reduction",
    type=choice("1", "2", "4", "8"),
    default="1",
    help="Decode JPEGs up to this many times smaller, but never smaller than the model's input. "
    "Faster with cameras that send MJPG. The accuracy is measured with it.",
)
@out_option
@_output(
    "--golden-frames",
    type=click.IntRange(1, 500),
    default=10,
    metavar="N",
    help="Real frames in the bundle, for `edgeinfer verify`.",
)
@install_option
@_output(
    "--report",
    "report_folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write the table of layer errors and its picture there too, even if the model is refused. "
    "The report of a bundle is always in NAME-report next to it.",
)
@json_option
def convert(
    model: Path,
    data: Path | None,
    pictures: Path | None,
    labels_file: Path | None,
    min_agreement: float | None,
    trust_lambda: tuple[str, ...],
    import_timeout: float | None,
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
    **plain: Any,
) -> None:
    """Quantize a model and write a verified bundle.

    MODEL is a folder that `edgeinfer train` made. With --pictures it may also be a model of single
    images that edgeinfer did not train: .keras, .h5, SavedModel or float .tflite, or a ZIP of one
    with its labels, as Teachable Machine makes it. A .tflite that is quantized already is adopted
    as it is, as `edgeinfer adopt` does.

    It may also be an .onnx or .pt2 file, or model.py:function, with a function that returns a
    torch.nn.Module; that is your own code and is run. For ONNX (0.6 GB) and PyTorch (2.1 GB) an
    importer is installed on first use.

    The accuracy of the float32 model and of the smaller model are both measured with the device
    package, on the original pictures. If the smaller model loses more than --max-drop points,
    nothing is written and the exit code is 1. Pictures without labels have no accuracy: then the
    smaller model must answer as the float32 model does, see --min-agreement.
    """
    from edgeinfer.converters.bundle.install import install_bundle
    from edgeinfer.converters.bundle.report import write_report_next_to
    from edgeinfer.converters.cli.adopt import adopt_and_tell
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.converters.common.require_extra import require_packages
    from edgeinfer.converters.convert.fitting import refuse_unfit
    from edgeinfer.converters.convert.foreign_model import ForeignModel
    from edgeinfer.converters.convert.foreign_source import ForeignSource, chosen_backend
    from edgeinfer.converters.convert.imported_source import ImportedSource
    from edgeinfer.converters.convert.model_zip import opened_model
    from edgeinfer.converters.convert.options import ConvertOptions
    from edgeinfer.converters.convert.pipeline import convert as run_pipeline
    from edgeinfer.converters.convert.run_source import TrainedRun
    from edgeinfer.converters.convert.source import Source
    from edgeinfer.converters.convert.summary import document, summary
    from edgeinfer.converters.importers.source import find_imported, import_options
    from edgeinfer.converters.quantize.quantize import QuantizeOptions
    from edgeinfer.converters.run_folder.trained_run import read_trained
    from edgeinfer.converters.targets.targets import chosen_targets
    from edgeinfer.converters.tensorflow.import_model import is_foreign, is_quantized, source_kind
    from edgeinfer.device.core.model_file import read_model_file

    # First: without these packages hardly any model can be converted.
    require_packages("edgeinfer convert", "ai_edge_quantizer", "matplotlib")
    refuse_other(model, _TAKEN, "a trained run, a model, or a ZIP of one")
    name = model.stem
    unpacked = click.get_current_context().with_resource(opened_model(model))
    model, labels_file = unpacked.model, labels_file or unpacked.labels
    given = given_options()
    imported = find_imported(model)
    importing = import_options(
        imported, plain["input_size"], import_timeout, grey=plain["channels"] == "grey"
    )
    kind = "tflite" if imported is not None else source_kind(model)
    if (
        kind == "tflite"
        and imported is None
        and is_quantized(read_model_file(model), subject=str(model))
    ):
        refuse_unfit(given, "quantized", precision)
        say(f"{model}: is quantized already, and is adopted as it is", err=True)
        adopt_and_tell(
            model,
            labels_file=labels_file,
            pictures=pictures,
            out=out or Path(f"{name}.edgebundle"),
            golden_frames=golden_frames,
            seed=seed,
            install=install,
            as_json=as_json,
            **plain,
        )
        return
    if kind != "tflite":
        require_packages("edgeinfer convert", "tensorflow", "keras")
    foreign = is_foreign(kind)
    refuse_unfit(given, "foreign" if foreign else "run", precision)
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
        chosen_backend(model, options.quantize, kind=kind)
        foreign_source = ForeignSource(
            path=model,
            form=unpacked.form,
            model=ForeignModel(
                pictures=pictures,
                labels=read_labels(labels_file),
                min_agreement=min_agreement,
                **plain,
                trust_lambda=trust_lambda,
            ),
            max_drop_points=max_drop if "--max-drop" in given else None,
        )
        source = (
            foreign_source
            if imported is None
            else ImportedSource(model=imported, options=importing, foreign=foreign_source)
        )
    else:
        name = read_trained(model).name
        source = TrainedRun(
            folder=model,
            data=data,
            max_drop_points=max_drop,
            calibration_draw=calibration_draw,
        )
    targets.require_tools(precision)
    out = out or Path(f"{name}.edgebundle")
    with tell_kept(out, report_folder), show_progress(keep=True) as progress:
        result = run_pipeline(source, out, options, progress, report_folder=report_folder)
    installed = install_bundle(result.bundle) if install else None
    for line in result.warnings:
        say(f"warning: {line}", err=True)
    report = write_report_next_to(result.bundle)
    if as_json:
        say(json.dumps(document(result, report)), whole=True)
    else:
        say(summary(result, installed, report))


def given_options() -> set[str]:
    """Return the long names of the options on the command line."""
    context = click.get_current_context()
    return {
        parameter.opts[0]
        for parameter in context.command.params
        if context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    }
