"""From a trained folder to a bundle: quantize, check, evaluate, gate, prove, write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from edgeinfer.converters.bundle.golden import choose_samples, make_golden
from edgeinfer.converters.bundle.report import REPORT_FOLDER, report_members
from edgeinfer.converters.bundle.write import (
    CPU_MEMBER,
    cpu_variant,
    manifest_errors,
    tool_versions,
    write_verified,
)
from edgeinfer.converters.common.progress import Progress, Step
from edgeinfer.converters.convert.repair_run import model_factory, repair_trained
from edgeinfer.converters.measure.accuracy_gate import require_drop
from edgeinfer.converters.measure.evaluate import Evaluation, evaluate
from edgeinfer.converters.quantize.layer_errors import LayerError
from edgeinfer.converters.quantize.layer_report import (
    compare_layers,
    layer_report,
    worst_layer_text,
)
from edgeinfer.converters.quantize.quantize import QuantizeOptions, quantize_trained
from edgeinfer.converters.quantize.repair import Attempt, RepairLimit, best_attempt
from edgeinfer.converters.quantize.repair_report import repair_provenance, repair_table, tried_text
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import (
    KERAS_FILE,
    Split,
    TrainedModel,
    read_samples,
    read_trained,
)
from edgeinfer.converters.runtime_support.op_versions import require_loadable
from edgeinfer.converters.targets.targets import Targets, with_targets
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.decoding import Decoder
from edgeinfer.device.models.model import Model
from edgeinfer.device.models.verify import VerifyReport
from edgeinfer.device.pictures.pixel_formats import JpegReduction

CalibrationDraw = Literal["balanced", "as-is"]


@dataclass(frozen=True, kw_only=True)
class ConvertOptions:
    """What the user may choose.

    Attributes:
        max_drop_points: the largest loss of top-1 on validation, in percentage points.
        calibration_images: how many train samples calibrate the activations.
        golden_frames: how many frames the bundle carries for `verify`.
        seed: picks the calibration samples.
        layer_pictures: how many validation samples the layer error table is made of.
        quantize: how the model that the bundle carries is made.
        repair: how far to go where INT8 loses more than `max_drop_points`.
        jpeg_reduction: how much smaller at most JPEGs are decoded, in calibration and evaluation
            here and from the camera on the board; see `PreprocessSpec`.
        calibration_draw: which train samples calibrate: `balanced` takes the classes in turn,
            `as-is` draws from all, so that frequent classes count for more.
        targets: the accelerators that get a variant of their own.
    """

    max_drop_points: float = 1.0
    calibration_images: int = 300
    golden_frames: int = 10
    seed: int = 0
    layer_pictures: int = 64
    quantize: QuantizeOptions = field(default_factory=QuantizeOptions)
    repair: RepairLimit = "training"
    jpeg_reduction: JpegReduction = 1
    calibration_draw: CalibrationDraw = "balanced"
    targets: Targets = field(default_factory=Targets)

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if min(self.calibration_images, self.golden_frames, self.layer_pictures) < 1:
            raise ValueError("calibration_images, golden_frames, layer_pictures must be 1 or more")
        if self.calibration_draw not in get_args(CalibrationDraw):
            raise ValueError(f"calibration_draw is {self.calibration_draw!r}")


@dataclass(frozen=True, kw_only=True)
class ConvertResult:
    """What came out.

    Attributes:
        bundle: the file.
        manifest: what it says of itself.
        validation: evaluations on the validation split, by precision.
        test: likewise on the test split.
        attempts: the plain quantization, and what the repair tried after it.
        layers: what each operator loses against float32.
        verified: the bundle's own golden vectors, replayed here.
    """

    bundle: Path
    manifest: ModelManifest
    attempts: tuple[Attempt, ...]
    validation: dict[str, Evaluation]
    test: dict[str, Evaluation]
    layers: list[LayerError]
    verified: VerifyReport


def convert_trained(
    folder: Path,
    out: Path,
    options: ConvertOptions,
    step: Step,
    *,
    report_folder: Path | None = None,
) -> ConvertResult:
    """Convert what `edgeinfer train` left in `folder` and write the bundle to `out`.

    Args:
        folder: the trained model's.
        out: the bundle.
        options: what the user chose.
        step: told what is going on.
        report_folder: where the layer error table and its picture go, even if the model is refused;
            they are in the bundle as well.

    Raises:
        AccuracyError: INT8 loses too much on validation; nothing is written.
        ConversionError: the model cannot be converted, or a runtime could not load the result.
        ModelError: the folder is not a trained model's.
        StorageError: the bundle cannot be written.
    """
    trained, splits = read_trained(folder), read_samples(folder)
    preprocess = replace(trained.preprocess, jpeg_reduction=options.jpeg_reduction)
    trained = replace(trained, preprocess=preprocess)
    precision = options.quantize.precision
    calibration = calibration_samples(splits["train"], options)
    models = quantize_trained(
        folder / KERAS_FILE,
        trained.preprocess,
        calibration,
        options.quantize,
        step(f"convert to {precision}"),
    )
    step("check ops and versions")
    _require_usable(trained, models, options)
    validation = _evaluate(trained, models, splits["validation"], step("evaluate on validation"))
    attempts = repair_trained(
        folder / KERAS_FILE,
        trained,
        models,
        validation,
        samples=splits["validation"],
        train=splits["train"],
        calibration=calibration,
        max_drop_points=options.max_drop_points,
        quantize=options.quantize,
        limit=options.repair,
        cpu_only=options.targets.floats_allowed,
        step=step,
    )
    chosen = best_attempt(attempts)
    if chosen.models is not models:
        _require_usable(trained, chosen.models, options)
        models = replace(chosen.models, float32=models.float32)
        validation = {**validation, precision: chosen.evaluation}
    layers = compare_layers(
        chosen.models,
        trained.preprocess,
        choose_samples(splits["validation"], options.layer_pictures),
        step("compare layer by layer"),
    )
    layer_files = layer_report(layers, trained.name, precision)
    if report_folder is not None:
        for name, content in layer_files.items():
            write_atomically(report_folder / name, content)
    require_drop(
        trained.name,
        validation["float32"],
        validation[precision],
        options.max_drop_points,
        precision=precision,
        lost_where=worst_layer_text(layers),
        tried=tried_text(attempts),
    )
    test = _evaluate(trained, models, splits["test"], step("evaluate on test, once"))

    step("write and verify the bundle")
    golden_samples = choose_samples(splits["test"] or splits["validation"], options.golden_frames)
    golden = make_golden(models.small, trained.preprocess, golden_samples, trained.labels)
    metrics = {**trained.metrics, **_metrics(validation, test, models)}
    with manifest_errors(out):
        manifest = ModelManifest(
            name=trained.name,
            labels=trained.labels,
            preprocess=trained.preprocess,
            decoder=Decoder(activation="softmax"),
            variants={
                "cpu": cpu_variant(models.small, precision, golden),
            },
            golden=golden.frames,
            metrics=metrics,
            provenance={
                **trained.provenance,
                **tool_versions(),
                "convert.backend": options.quantize.chosen_backend,
                "convert.calibration": options.quantize.calibration,
                "convert.calibration-draw": options.calibration_draw,
                **repair_provenance(attempts),
            },
        )
    evaluations = {
        **{f"validation.{name}": result for name, result in validation.items()},
        **{f"test.{name}": result for name, result in test.items()},
    }
    members = {
        CPU_MEMBER: models.small,
        **golden.members,
        **report_members(metrics, evaluations, precision),
        **{f"{REPORT_FOLDER}/{name}": content for name, content in layer_files.items()},
    }
    if len(attempts) > 1:
        members[f"{REPORT_FOLDER}/repair.csv"] = repair_table(attempts)
    manifest, members = with_targets(
        manifest,
        members,
        options.targets,
        step,
        float32=models.float32,
        samples=golden_samples,
        labels=trained.labels,
    )
    manifest, verified = write_verified(out, manifest, members)
    return ConvertResult(
        bundle=out,
        manifest=manifest,
        attempts=attempts,
        validation=validation,
        test=test,
        layers=layers,
        verified=verified,
    )


def calibration_samples(train: list[Sample], options: ConvertOptions) -> list[Sample]:
    """Return a seeded draw from the train samples; balanced, it takes the classes in turn."""
    order = np.random.default_rng(options.seed).permutation(len(train))
    drawn = [train[i] for i in order]
    if options.calibration_draw == "as-is":
        return drawn[: options.calibration_images]
    return choose_samples(drawn, options.calibration_images)


def _require_usable(trained: TrainedModel, models: TfliteModels, options: ConvertOptions) -> None:
    """Refuse what a runtime could not load, or of which an accelerator would take too little."""
    subject = f"{trained.name} {models.precision}"
    require_loadable(models.small, subject=subject)
    options.targets.require_mapped(models.small, subject=subject)


def _evaluate(
    trained: TrainedModel, models: TfliteModels, samples: list[Sample], progress: Progress
) -> dict[str, Evaluation]:
    factories: dict[str, Callable[[], Model]] = {
        "float32": model_factory(trained, "float32", models.float32),
        models.precision: model_factory(trained, models.precision, models.small),
    }
    return evaluate(factories, samples, trained.labels, progress=progress)


def _metrics(
    validation: dict[str, Evaluation], test: dict[str, Evaluation], models: TfliteModels
) -> dict[str, float]:
    splits: tuple[tuple[Split, dict[str, Evaluation]], ...] = (
        ("validation", validation),
        ("test", test),
    )
    figures = {
        f"{split}.{precision}.top1": result.top1
        for split, results in splits
        for precision, result in results.items()
    }
    figures |= {f"{split}.samples": float(r["float32"].samples) for split, r in splits}
    return {
        **figures,
        "size.float32.bytes": float(len(models.float32)),
        f"size.{models.precision}.bytes": float(len(models.small)),
    }
