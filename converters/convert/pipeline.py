"""From a model to a bundle: quantize, check, measure, repair, gate, verify, write.

One sequence for every source of models; `source.py` says what a source provides.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgeinfer.converters.bundle.golden import choose_samples, make_golden
from edgeinfer.converters.bundle.report import REPORT_FOLDER, report_members
from edgeinfer.converters.bundle.write import (
    CPU_MEMBER,
    cpu_variant,
    manifest_errors,
    tool_versions,
    write_verified,
)
from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.source import Opened, Source
from edgeinfer.converters.measure.accuracy_gate import Gate
from edgeinfer.converters.measure.evaluate import evaluate, evaluation_model
from edgeinfer.converters.quantize.layer_errors import LayerError
from edgeinfer.converters.quantize.layer_report import (
    compare_layers,
    layer_report,
    worst_layer_text,
)
from edgeinfer.converters.quantize.repair import Attempt, RepairTask, best_attempt, repair
from edgeinfer.converters.quantize.repair_report import repair_provenance, repair_table, tried_text
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.runtime_support.op_versions import require_loadable
from edgeinfer.converters.targets.target import Draft
from edgeinfer.converters.targets.targets import with_targets
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.converters.tensorflow.to_tflite import TfliteModels
from edgeinfer.converters.tensorflow.worker.job import Worker
from edgeinfer.converters.tensorflow.worker.process import TensorflowProcess
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.models.bundle.manifest import CPU, ModelManifest, least_schema
from edgeinfer.device.models.verify import VerifyReport
from edgeinfer.device.tasks.task import Said

Evaluations = dict[str, dict[str, Evaluation]]
"""Evaluations by the name of the pictures, then by precision."""


@dataclass(frozen=True, kw_only=True)
class ConvertResult:
    """The result of `edgeinfer.convert`.

    Attributes:
        bundle: path of the bundle that was written.
        manifest: the manifest of the bundle.
        attempts: the plain quantization, and then each attempt to repair it.
        evaluations: the accuracy, by the name of the pictures and the precision:
            `evaluations["test"]["int8"].score`.
        gate: the rule that accepted the accuracy.
        layers: how much each layer loses compared with float32.
        verified: the test pictures of the bundle, answered again on this machine.
        warnings: what makes the model, or the measurement itself, doubtful, a sentence each.
        opened: the model as its source described it, with the pictures that were used.
    """

    bundle: Path
    manifest: ModelManifest
    attempts: tuple[Attempt, ...]
    evaluations: Evaluations
    gate: Gate
    layers: list[LayerError]
    verified: VerifyReport
    warnings: tuple[str, ...] = ()
    opened: Opened = field(repr=False)


def convert(
    source: Source,
    out: Path,
    options: ConvertOptions,
    progress: Progress,
    *,
    tensorflow: Worker | None = None,
    report_folder: Path | None = None,
) -> ConvertResult:
    """Convert a model and write the bundle to `out`.

    Args:
        source: the model, with what only its source knows.
        out: the bundle.
        options: what the user chose.
        progress: reports what is going on.
        tensorflow: runs what needs TensorFlow; by default a process for this conversion.
        report_folder: where the layer error table and its picture go, even if the model is refused;
            they are in the bundle as well.

    Raises:
        AccuracyError: the smaller model loses too much; nothing is written.
        ConversionError: the model cannot be converted, or a runtime could not load the result.
        DataError: there are no usable pictures.
        ModelError: the model is missing or damaged.
        StorageError: the bundle cannot be written.
        UsageError: an option does not work with this source.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeinfer-convert-")))
        worker = tensorflow or stack.enter_context(TensorflowProcess())
        model = source.open(options, folder, tensorflow=worker, progress=progress)
        return _Conversion(model, out, options, progress).run(report_folder)


class _Conversion:
    """One conversion, from the opened model to the written bundle."""

    def __init__(
        self, model: Opened, out: Path, options: ConvertOptions, progress: Progress
    ) -> None:
        self._model, self._out, self._options, self._progress = model, out, options, progress
        self._precision = options.quantize.precision
        # If float32's answers are the truth, the pictures' true labels are not known.
        self._known = model.gate.truth is None
        self._grouping = model.task if self._known else None

    def run(self, report_folder: Path | None) -> ConvertResult:
        model, progress, precision = self._model, self._progress, self._precision
        plain = model.quantize(progress)
        progress.start("check ops and versions")
        self._require_usable(plain)
        first, *others = model.measured
        samples = [*model.measured[first], *model.further]
        deciding = self._answers(_forms(plain), samples, model.gate.step(first))
        attempts = self._repaired(plain, deciding, samples)
        chosen = best_attempt(attempts)
        models = plain
        if chosen.models is not plain:
            self._require_usable(chosen.models)
            models = replace(chosen.models, float32=plain.float32)
            deciding = {**deciding, precision: chosen.evaluation}
        compared = choose_samples(
            model.measured[first], self._options.layer_pictures, self._grouping
        )
        progress.start("compare layer by layer", len(compared))
        layers = compare_layers(chosen.models, model.preprocess, compared, progress)
        layer_files = layer_report(layers, model.name, precision)
        if report_folder is not None:
            for name, content in layer_files.items():
                write_atomically(report_folder / name, content)
        model.gate.require(
            model.subject,
            deciding["float32"],
            deciding[precision],
            precision=precision,
            lost_where=worst_layer_text(layers),
            tried=tried_text(attempts),
        )
        if model.further:
            # They were trained with: what is reported and settled is of the others alone.
            deciding = self._evaluate(models, first, f"evaluate on {first} alone")
        if model.settles:
            said = self._settled(deciding[precision])
            self._model = model = replace(model, said=said)
            deciding = {name: one.under(said) for name, one in deciding.items()}
        evaluations = {first: deciding}
        for name in others:
            evaluations[name] = self._evaluate(models, name, f"evaluate on {name}, once")
        progress.start("write and verify the bundle")
        manifest, members = self._bundle(models, attempts, evaluations, layer_files)
        manifest, verified = write_verified(self._out, manifest, members)
        return ConvertResult(
            bundle=self._out,
            manifest=manifest,
            attempts=attempts,
            evaluations=evaluations,
            gate=model.gate,
            layers=layers,
            verified=verified,
            warnings=tuple(model.gate.warnings(evaluations, precision)),
            opened=model,
        )

    def _settled(self, evaluation: Evaluation) -> Said:
        """Return what is said of the outputs with what the small model's answers decide."""
        model = self._model
        said = model.task.settled(model.said, evaluation)
        if model.unknown_share is None:
            return said
        return model.task.with_unknown(said, evaluation, model.unknown_share)

    def _require_usable(self, models: TfliteModels) -> None:
        """Refuse a model that a runtime could not load, or with too little for an accelerator."""
        subject = f"{self._model.subject} {models.precision}"
        require_loadable(models.small, subject=subject)
        self._options.targets.require_mapped(models.small, subject=subject)

    def _evaluate(self, models: TfliteModels, pictures: str, title: str) -> dict[str, Evaluation]:
        return self._answers(_forms(models), self._model.measured[pictures], title)

    def _answers(
        self, forms: Mapping[str, bytes], samples: Sequence[Sample], title: str
    ) -> dict[str, Evaluation]:
        """Return the evaluation of each form of the model, by its name."""
        self._progress.start(title, len(samples))
        model, asked = self._model, self._model.said
        if self._known and isinstance(model.task, MeasuredTask):
            asked = model.task.asking(asked)
        factories = {
            name: lambda form=form, name=name: evaluation_model(
                form,
                subject=f"{model.subject} {name}",
                task=model.task.name,
                said=asked,
                preprocess=model.preprocess,
            )
            for name, form in forms.items()
        }
        return evaluate(
            *(factories, samples, model.task, model.said),
            truth=model.gate.truth,
            progress=self._progress,
        )

    def _repaired(
        self, plain: TfliteModels, deciding: dict[str, Evaluation], samples: Sequence[Sample]
    ) -> tuple[Attempt, ...]:
        """Return the plain quantization and, if it is not good enough, the repair's attempts."""
        model, options, reference = self._model, self._options, deciding["float32"]
        first = Attempt(
            stage=f"plain, {options.quantize.calibration}",
            models=plain,
            evaluation=deciding[self._precision],
        )
        if self._precision != "int8" or model.gate.passes(reference, first.evaluation):
            return (first,)

        def measure(content: bytes, title: str) -> Evaluation:
            forms = {"int8": content}
            if model.gate.truth == "float32":
                forms["float32"] = plain.float32
            return self._answers(forms, samples, title)["int8"]

        task = RepairTask(
            name=model.subject,
            preprocess=model.preprocess,
            calibration=model.calibration,
            measure=measure,
            good_enough=lambda evaluation: model.gate.passes(reference, evaluation),
            limit=options.repair,
            cpu_only=options.targets.floats_allowed,
            per_tensor_dense=options.quantize.per_tensor_dense,
            retrain=model.retrain,
        )
        return repair(first, model.ranges, task, self._progress)

    def _bundle(
        self,
        models: TfliteModels,
        attempts: tuple[Attempt, ...],
        evaluations: Evaluations,
        layer_files: Mapping[str, bytes],
    ) -> tuple[ModelManifest, dict[str, bytes]]:
        """Return the manifest and all members of the bundle, by name."""
        model, options, precision = self._model, self._options, self._precision
        samples = choose_samples(model.golden, options.golden_frames, self._grouping)
        golden = make_golden(
            *(models.small, model.preprocess, samples),
            task=model.task.name,
            said=model.said,
            known=self._known,
        )
        metrics = {
            **model.metrics,
            **{
                name: figure
                for pictures, results in evaluations.items()
                for name, figure in model.gate.figures(pictures, results, precision).items()
            },
            "size.float32.bytes": float(len(models.float32)),
            f"size.{precision}.bytes": float(len(models.small)),
        }
        variants = {CPU: cpu_variant(models.small, precision, golden)}
        with manifest_errors(self._out):
            manifest = ModelManifest(
                name=model.name,
                schema_version=least_schema(
                    model.task.name, model.said, variants, model.preprocess
                ),
                task=model.task.name,
                labels=model.said.labels,
                value=model.said.value,
                settings=dict(model.said.settings) or None,
                preprocess=model.preprocess,
                decoder=model.said.decoder,
                variants=variants,
                golden=golden.frames,
                metrics=metrics,
                provenance={
                    **model.provenance,
                    **tool_versions(),
                    "convert.backend": model.backend,
                    "convert.calibration": options.quantize.calibration,
                    **repair_provenance(attempts),
                },
            )
        members = {
            CPU_MEMBER: models.small,
            **golden.members,
            **report_members(metrics, {**layer_files, **self._report(evaluations)}),
        }
        if len(attempts) > 1:
            members[f"{REPORT_FOLDER}/repair.csv"] = repair_table(attempts, self._model.gate.figure)
        draft = Draft(manifest=manifest, members=members, float32=models.float32, samples=samples)
        draft = with_targets(draft, options.targets, self._progress)
        return draft.manifest, dict(draft.members)

    def _report(self, evaluations: Evaluations) -> dict[str, bytes]:
        """Return the task's report files for pictures whose truth is known."""
        named = self._model.gate.reported(evaluations)
        *_, last = self._model.measured
        return self._model.task.report(named, f"{last}.{self._precision}")


def _forms(models: TfliteModels) -> dict[str, bytes]:
    return {"float32": models.float32, models.precision: models.small}
