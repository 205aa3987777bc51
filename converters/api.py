"""`edgeinfer.convert` and `edgeinfer.adopt`: what the commands do, as Python functions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.converters.common.progress import Progress, shown_progress
from edgeinfer.converters.common.require_extra import require_packages
from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.core.paths import AnyPath, file_path

if TYPE_CHECKING:
    from edgeinfer.converters.convert.adopt.adopt import AdoptResult
    from edgeinfer.converters.convert.foreign_model import ForeignModel
    from edgeinfer.converters.convert.model_zip import UnpackedZip
    from edgeinfer.converters.convert.options import ConvertOptions
    from edgeinfer.converters.convert.pipeline import ConvertResult
    from edgeinfer.converters.convert.run_source import CalibrationDraw
    from edgeinfer.converters.convert.source import Source
    from edgeinfer.device.runtime.open_options import OpenOptions

_COMMAND = "edgeinfer.convert"


def convert(
    model: AnyPath,
    out: AnyPath,
    options: ConvertOptions | None = None,
    *,
    foreign: ForeignModel | None = None,
    max_drop_points: float | None = None,
    calibration_draw: CalibrationDraw | None = None,
    unknown_share: float | None = None,
    data: AnyPath | None = None,
    board: str | None = None,
    import_timeout_s: float | None = None,
    report: AnyPath | None = None,
    progress: Progress | None = None,
) -> ConvertResult:
    """Convert a trained model to a bundle for boards: quantize it, measure its accuracy, verify it.

    The folder NAME-report next to the bundle gets its report: a page, `report.html`, a model card
    and the tables behind them.

    Examples:
        >>> result = edgeinfer.convert("runs/photos", "photos.edgebundle")
        >>> result.evaluations["test"]["int8"].score
        0.9713
        >>> edgeinfer.convert(
        ...     "mobilenet.keras",
        ...     "mobilenet.edgebundle",
        ...     foreign=edgeinfer.ForeignModel(pictures=Path("photos")),
        ... )

    Args:
        model: a folder that `edgeinfer.train` made; or a model of single images that was made by
            another program, as a `.keras`, `.h5` or float `.tflite` file or a SavedModel folder,
            together with `foreign`. A `.tflite` that is quantized already is refused: use
            `edgeinfer.adopt`. Also an ONNX file, a program that PyTorch exported (`.pt2`), or
            "model.py:function" with a function that returns a `torch.nn.Module` and an example of
            its input; the function is called. For these an importer is installed on first use.
        out: path of the bundle to write.
        options: how to quantize the model and what to put into the bundle. By default INT8.
        foreign: what edgeinfer must know about a model that was made by another program. Not for a
            folder of `edgeinfer.train`.
        max_drop_points: how many points of accuracy the quantized model may lose on the validation
            pictures, compared with float32. By default 1. For a model that was made by another
            program, on pictures in folders that are named as its labels; without labels see
            `ForeignModel.min_agreement`.
        calibration_draw: how the pictures for the calibration are chosen: "balanced" takes the
            classes in turn, "as-is" takes the pictures as they come. By default "balanced". Only
            for a folder of `edgeinfer.train`.
        unknown_share: answer "unknown" below a probability that is chosen on validation pictures:
            as high as it can be where at most this share of the right answers is lost, such as
            0.02. By default a class is always named. Only for a folder of `edgeinfer.train`.
        data: the folder of the pictures that the model was trained on, if it is no longer where it
            was. Only for a folder of `edgeinfer.train`.
        board: name of a board, such as "coral-usb". The bundle gets a variant for the accelerator
            of this board as well. By default only the CPU variant.
        import_timeout_s: how long the importer of an ONNX or PyTorch model may take. By
            default 15 minutes.
        report: folder for a table and a picture that show how much accuracy each layer loses. It is
            also written if the model loses too much. By default nothing is written.
        progress: what shows the progress. By default it is shown on standard error;
            `edgeinfer.Silent()` shows nothing.

    Returns:
        The path of the bundle, and the accuracy of the model before and after.

    Raises:
        AccuracyError: the quantized model loses too much accuracy. No bundle is written.
        ConversionError: the model cannot be converted, or a runtime cannot load the result.
        DataError: there are no pictures that can be used.
        MissingExtraError: the [host] extra, or a compiler that the board needs, is not installed,
            or the importer of an ONNX or PyTorch model cannot be installed.
        ModelError: the model is missing or damaged.
        StorageError: the bundle cannot be written.
        UsageError: two arguments contradict each other, or one is given that this kind of model
            does not use.
    """
    require_packages(_COMMAND, "ai_edge_quantizer", "matplotlib")
    from edgeinfer.converters.convert.model_zip import opened_model

    path = Path(file_path(model, error=ModelError, expected="the path of a model"))
    bundle = Path(file_path(out, error=UsageError, expected="the path of the bundle to write"))
    with opened_model(path) as unpacked:
        return _convert(
            *(unpacked, bundle, options),
            foreign=foreign,
            max_drop_points=max_drop_points,
            calibration_draw=calibration_draw,
            unknown_share=unknown_share,
            data=data,
            board=board,
            import_timeout_s=import_timeout_s,
            report=report,
            progress=progress,
        )


def _convert(
    unpacked: UnpackedZip,
    bundle: Path,
    options: ConvertOptions | None,
    *,
    foreign: ForeignModel | None,
    max_drop_points: float | None,
    calibration_draw: CalibrationDraw | None,
    unknown_share: float | None,
    data: AnyPath | None,
    board: str | None,
    import_timeout_s: float | None,
    report: AnyPath | None,
    progress: Progress | None,
) -> ConvertResult:
    """Do what `convert` says, with a model that is unpacked."""
    from edgeinfer.converters.convert.fitting import changed_options, refuse_unfit, with_targets
    from edgeinfer.converters.convert.foreign_source import ForeignSource, chosen_backend
    from edgeinfer.converters.convert.imported_source import ImportedSource
    from edgeinfer.converters.convert.options import ConvertOptions
    from edgeinfer.converters.convert.page import write_report
    from edgeinfer.converters.convert.pipeline import convert as run_pipeline
    from edgeinfer.converters.convert.run_source import TrainedRun
    from edgeinfer.converters.importers.source import find_imported, import_options
    from edgeinfer.converters.tensorflow.import_model import is_foreign, source_kind
    from edgeinfer.device.tasks.labels import read_label_file

    path = unpacked.model
    imported = find_imported(path)
    importing = import_options(
        imported,
        None if foreign is None else foreign.input_size,
        import_timeout_s,
        grey=foreign is not None and foreign.channels == "grey",
    )
    kind = "tflite" if imported is not None else source_kind(path)
    if kind != "tflite":
        require_packages(_COMMAND, "tensorflow", "keras")
    options = with_targets(options or ConvertOptions(), board)
    of_foreign, precision = is_foreign(kind), options.quantize.precision
    refuse_unfit(
        changed_options(options, ConvertOptions()), "foreign" if of_foreign else "run", precision
    )
    source: Source
    if of_foreign:
        _refuse(path, calibration_draw=calibration_draw, data=data, unknown_share=unknown_share)
        if foreign is None:
            raise UsageError(
                "foreign",
                got=f"is not given, and {path} was not made by edgeinfer.train",
                expected="edgeinfer.ForeignModel(pictures=Path(FOLDER)), with pictures like those "
                "that the model will see",
            )
        chosen_backend(path, options.quantize, kind=kind)
        if max_drop_points is not None and foreign.min_agreement is not None:
            raise UsageError(
                "max_drop_points",
                got="is given together with foreign.min_agreement",
                expected="one of the two: by labels, or by agreement with float32",
            )
        labels = foreign.labels
        if labels is None and unpacked.labels is not None:
            labels = read_label_file(unpacked.labels)
        source = ForeignSource(
            path=path,
            model=replace(foreign, pictures=Path(foreign.pictures), labels=labels),
            max_drop_points=max_drop_points,
            form=unpacked.form,
        )
        if imported is not None:
            source = ImportedSource(model=imported, options=importing, foreign=source)
    else:
        _refuse(path, foreign=foreign)
        source = TrainedRun(
            folder=path,
            data=None if data is None else Path(data),
            max_drop_points=1.0 if max_drop_points is None else max_drop_points,
            calibration_draw=calibration_draw or "balanced",
            unknown_share=unknown_share,
        )
    options.targets.require_tools(precision)
    folder = None if report is None else Path(report)
    with shown_progress(progress) as told:
        result = run_pipeline(source, bundle, options, told, report_folder=folder)
        write_report(result, told.say)
    return result


def adopt(
    model: AnyPath,
    out: AnyPath,
    options: OpenOptions | None = None,
    *,
    pictures: AnyPath | None = None,
    golden_frames: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> AdoptResult:
    """Make a bundle of a finished `.tflite` model as it is: quantized, float or compiled.

    Where jinja2 is installed, the folder NAME-report next to it gets a page, `report.html`, and a
    model card.

    Examples:
        >>> options = edgeinfer.OpenOptions(labels=("cat", "dog"), input_range="-1..1")
        >>> edgeinfer.adopt("model.tflite", "model.edgebundle", options).manifest.task
        'classification'

    Args:
        model: the `.tflite` file.
        out: path of the bundle to write.
        options: what the file does not state, such as labels and the range of the input.
        pictures: a folder of pictures like those that the model will see. They become the test
            pictures of the bundle. In sub-folders with the names of the classes they also decide
            the range of the input if nothing states it. By default the test pictures are generated.
        golden_frames: how many test pictures the bundle gets.
        seed: seed of the choice of pictures.
        progress: what shows the progress. By default it is shown on standard error;
            `edgeinfer.Silent()` shows nothing.

    Returns:
        The path of the bundle, and what was found out about the model.

    Raises:
        ConversionError: the labels cannot be in a bundle, or ai-edge-litert is not installed.
        DataError: there are no pictures that can be used.
        ModelError: the model is missing or damaged, is none that edgeinfer reads, or nothing
            decides the range of its input.
        StorageError: the bundle cannot be written.
        UsageError: an option does not fit the model.
    """
    from edgeinfer.converters.convert.adopt.adopt import adopt as adopt_model
    from edgeinfer.converters.convert.adopt.page import write_adopted_page
    from edgeinfer.converters.convert.model_zip import opened_model, with_form
    from edgeinfer.device.runtime.open_options import checked_options
    from edgeinfer.device.tasks.labels import read_label_file

    path = Path(file_path(model, error=ModelError, expected="the path of a .tflite file"))
    bundle = Path(file_path(out, error=UsageError, expected="the path of the bundle to write"))
    checked = checked_options(options)
    with opened_model(path) as unpacked, shown_progress(progress) as shown:
        if checked.labels is None and unpacked.labels is not None:
            checked = replace(checked, labels=read_label_file(unpacked.labels))
        result = adopt_model(
            *(unpacked.model, bundle, with_form(checked, unpacked.form), shown),
            pictures=None if pictures is None else Path(pictures),
            golden_frames=golden_frames,
            seed=seed,
        )
        write_adopted_page(result, shown.say)
    return result


def _refuse(path: Path, **given: object) -> None:
    """Refuse arguments that would not be obeyed for this kind of model."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(
                name, got=f"is given, and does not go with {path}", next_step="leave it out"
            )
