"""Other people's models: `.keras`, `.h5`, SavedModel or float `.tflite`, to a verified INT8 bundle.

There is no data set and so no accuracy. What is measured, on pictures that the user names, is how
often INT8 decides as float does.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.bundle.golden import make_golden
from edgeinfer.converters.bundle.report import REPORT_FOLDER
from edgeinfer.converters.bundle.write import (
    CPU_MEMBER,
    cpu_variant,
    manifest_errors,
    tool_versions,
    write_verified,
)
from edgeinfer.converters.common.progress import Progress, Step
from edgeinfer.converters.convert.foreign_model import (
    ForeignModel,
    foreign_labels,
    foreign_pictures,
    foreign_preprocess,
    require_contrast,
)
from edgeinfer.converters.convert.pipeline import ConvertOptions
from edgeinfer.converters.measure.evaluate import Evaluation, evaluate, evaluation_model
from edgeinfer.converters.qat.retrain import Retrain, retrainer
from edgeinfer.converters.quantize.calibration import choose_ranges, sample_histograms
from edgeinfer.converters.quantize.layer_errors import LayerError
from edgeinfer.converters.quantize.layer_report import (
    compare_layers,
    layer_report,
    worst_layer_text,
)
from edgeinfer.converters.quantize.litert import quantize_int8
from edgeinfer.converters.quantize.repair import Attempt, RepairTask, best_attempt, repair
from edgeinfer.converters.quantize.repair_report import repair_provenance, repair_table, tried_text
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.runtime_support.op_versions import require_loadable
from edgeinfer.converters.targets.targets import with_targets
from edgeinfer.converters.tensorflow.import_model import KERAS_SUFFIXES, float_tflite
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels
from edgeinfer.device.core.errors import AccuracyError
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.decoding import Decoder
from edgeinfer.device.models.plain_tflite import ends_in_probabilities
from edgeinfer.device.models.verify import VerifyReport
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.first_opening import ensure_opens
from edgeinfer.device.tflite.reader import read_tflite


@dataclass(frozen=True, kw_only=True)
class ForeignResult:
    """What came out.

    Attributes:
        bundle: the file.
        manifest: what it says of itself.
        agreement: INT8's decisions, with float's as the truth.
        attempts: the plain quantization, and what the repair tried after it.
        layers: what each operator loses against float32.
        verified: the bundle's own golden vectors, replayed here.
    """

    bundle: Path
    manifest: ModelManifest
    agreement: Evaluation
    attempts: tuple[Attempt, ...]
    layers: list[LayerError]
    verified: VerifyReport


def convert_foreign(
    path: Path,
    out: Path,
    model: ForeignModel,
    options: ConvertOptions,
    step: Step,
    *,
    report_folder: Path | None = None,
) -> ForeignResult:
    """Quantize another's model to INT8 and write the bundle to `out`.

    Args:
        path: the `.keras`, `.h5` or float `.tflite` file, or a SavedModel's folder.
        out: the bundle.
        model: what only the user knows of it.
        options: calibration, golden frames, seed, targets.
        step: told what is going on.
        report_folder: where the layer error table and its picture go as well.

    Raises:
        AccuracyError: INT8 decides otherwise too often; nothing is written.
        ConversionError: the model cannot be converted, or is no classifier of single images.
        DataError: the folder holds no usable pictures.
        ModelError: the file is absent, damaged, or quantized already.
        StorageError: the bundle cannot be written.
    """
    step("read the model")
    content = float_tflite(path)
    graph = read_tflite(content, subject=str(path))
    ensure_opens(content, graph, subject=str(path), runtime="ai-edge-litert")
    spec = foreign_preprocess(path, graph, model, jpeg_reduction=options.jpeg_reduction)
    labels = foreign_labels(path, graph, model)
    calibration, compared = foreign_pictures(
        model.pictures, options.calibration_images, seed=options.seed
    )

    histograms = sample_histograms(content, spec, calibration, step("convert to int8"))
    require_contrast(model.pictures, histograms[graph.inputs[0].name])
    ranges = choose_ranges(histograms, options.quantize.calibration)
    small = quantize_int8(
        content, ranges, subject=path.name, per_tensor_dense=options.quantize.per_tensor_dense
    )
    models = TfliteModels(float32=content, small=small, precision="int8")
    step("check ops and versions")
    require_loadable(small, subject=f"{path.name} INT8")
    options.targets.require_mapped(small, subject=f"{path.name} INT8")

    def measure(form: bytes, progress: Progress) -> Evaluation:
        return _agreement(
            path, {"float32": content, "int8": form}, compared, labels, spec, progress
        )

    method = options.quantize.calibration
    plain = Attempt(
        stage=f"plain, {method}",
        models=models,
        evaluation=measure(small, step("compare decisions")),
    )
    attempts: tuple[Attempt, ...] = (plain,)
    if plain.score < model.min_agreement:
        task = RepairTask(
            name=path.name,
            preprocess=spec,
            calibration=calibration,
            measure=measure,
            good_enough=lambda evaluation: evaluation.top1 >= model.min_agreement,
            limit=options.repair,
            cpu_only=options.targets.floats_allowed,
            per_tensor_dense=options.quantize.per_tensor_dense,
            retrain=_retrain(path, spec, calibration, options),
        )
        attempts = repair(plain, method, task, step)
    chosen = best_attempt(attempts)
    agreement, small = chosen.evaluation, chosen.models.small
    if chosen is not plain:
        require_loadable(small, subject=f"{path.name} INT8")
        options.targets.require_mapped(small, subject=f"{path.name} INT8")
    layers = compare_layers(
        chosen.models, spec, compared[: options.layer_pictures], step("compare layer by layer")
    )
    files = layer_report(layers, path.stem, "int8")
    if report_folder is not None:
        for name, data in files.items():
            write_atomically(report_folder / name, data)
    _require_agreement(path.name, attempts, model.min_agreement, worst_layer_text(layers))

    step("write and verify the bundle")
    golden_samples = compared[: options.golden_frames]
    golden = make_golden(small, spec, golden_samples, None)
    with manifest_errors(out):
        manifest = ModelManifest(
            name=path.stem,
            labels=labels,
            preprocess=spec,
            decoder=Decoder(activation="none" if ends_in_probabilities(graph) else "softmax"),
            variants={
                "cpu": cpu_variant(small, "int8", golden),
            },
            golden=golden.frames,
            metrics={
                "agreement.int8": agreement.top1,
                "agreement.samples": float(agreement.samples),
                "size.float32.bytes": float(len(content)),
                "size.int8.bytes": float(len(small)),
            },
            provenance={
                **tool_versions(),
                "source": path.name,
                "convert.backend": "ai-edge-quantizer",
                "convert.calibration": method,
                **repair_provenance(attempts),
            },
        )
    members = {CPU_MEMBER: small, **golden.members}
    members |= {f"{REPORT_FOLDER}/{name}": data for name, data in files.items()}
    if len(attempts) > 1:
        members[f"{REPORT_FOLDER}/repair.csv"] = repair_table(attempts)
    manifest, members = with_targets(
        manifest,
        members,
        options.targets,
        step,
        float32=content,
        samples=golden_samples,
        labels=None,
    )
    manifest, verified = write_verified(out, manifest, members)
    return ForeignResult(
        bundle=out,
        manifest=manifest,
        agreement=agreement,
        attempts=attempts,
        layers=layers,
        verified=verified,
    )


def _agreement(
    path: Path,
    forms: dict[str, bytes],
    samples: list[Sample],
    labels: tuple[str, ...],
    spec: PreprocessSpec,
    progress: Progress,
) -> Evaluation:
    """Return how INT8 decides, with float32's decisions as the truth."""
    factories = {
        name: lambda form=form, name=name: evaluation_model(
            form, subject=f"{path.name} {name}", labels=labels, preprocess=spec
        )
        for name, form in forms.items()
    }
    return evaluate(factories, samples, labels, truth="float32", progress=progress)["int8"]


def _retrain(
    path: Path, spec: PreprocessSpec, samples: list[Sample], options: ConvertOptions
) -> Retrain | None:
    """Return what trains the model further; None for one without its Keras layers."""
    if path.suffix.lower() not in KERAS_SUFFIXES:
        return None
    return retrainer(path, spec, samples, per_tensor_dense=options.quantize.per_tensor_dense)


def _require_agreement(
    name: str, attempts: tuple[Attempt, ...], least: float, lost_where: str
) -> None:
    agreement, tried = best_attempt(attempts).evaluation, tried_text(attempts)
    if agreement.top1 >= least:
        return
    raise AccuracyError(
        name,
        got=f"INT8 decides as float32 does on {agreement.top1:.2%} of {agreement.samples} pictures"
        + (f"; most is lost in {lost_where}" if lost_where else "")
        + (f"; tried in vain: {tried}" if tried else ""),
        expected=f"at least {least:.2%}",
        next_step="try other --pictures, or a lower --min-agreement",
    )
