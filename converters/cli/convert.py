"""`edgeinfer convert`: makes a bundle of a trained model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from edgeinfer.converters.cli.convert_options import convert_options
from edgeinfer.device.cli.given import refuse_other
from edgeinfer.device.cli.help.pages import Command
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.options.common import read_labels
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import UsageError, printable

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


@click.command(cls=Command)
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL")
@convert_options
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
    unknown_share: float | None,
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
    from edgeinfer.converters.cli.adopt import adopt_and_tell
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.converters.common.require_extra import require_packages
    from edgeinfer.converters.convert.fitting import refuse_unfit
    from edgeinfer.converters.convert.foreign_model import ForeignModel
    from edgeinfer.converters.convert.foreign_source import ForeignSource, chosen_backend
    from edgeinfer.converters.convert.imported_source import ImportedSource
    from edgeinfer.converters.convert.model_zip import opened_model
    from edgeinfer.converters.convert.options import ConvertOptions
    from edgeinfer.converters.convert.page import write_report
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
            unknown_share=unknown_share,
            calibration_draw=calibration_draw,
        )
    targets.require_tools(precision)
    out = out or Path(f"{name}.edgebundle")
    with tell_kept(out, report_folder), show_progress(keep=True) as progress:
        result = run_pipeline(source, out, options, progress, report_folder=report_folder)
    installed = install_bundle(result.bundle) if install else None
    for line in result.warnings:
        say(f"warning: {line}", err=True)
    report = write_report(result, lambda line: say(printable(line), err=True))
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
