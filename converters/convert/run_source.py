"""A folder that `edgeinfer train` made, as a source of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from edgeinfer.converters.bundle.golden import choose_samples
from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.convert.options import ConvertOptions
from edgeinfer.converters.convert.source import Opened
from edgeinfer.converters.measure.accuracy_gate import LabelGate
from edgeinfer.converters.quantize.qat.retrain import retrainer
from edgeinfer.converters.quantize.quantize import quantize_trained
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, find_samples, read_trained
from edgeinfer.converters.tasks.task import MeasuredTask
from edgeinfer.converters.tensorflow.worker.job import Worker

DECIDING_PICTURES = 400
"""As many pictures decide whether the small model is good enough: with 30 validation pictures one
that lost 8.5 points on others seemed to gain three."""

CalibrationDraw = Literal["balanced", "as-is"]
"""How calibration pictures are chosen, see `edgeinfer.convert`."""


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """A trained run, with the options that only a run has.

    Attributes:
        folder: the run's folder.
        data: the folder that its data has moved to; None where it has not.
        max_drop_points: the largest loss of top-1 on validation, in percentage points.
        calibration_draw: which train samples calibrate: `balanced` takes the classes in turn,
            `as-is` draws from all samples, so frequent classes count for more.
        unknown_share: of the right answers on validation, the largest share that may become
            `unknown`, 0 to below 1; None for a model that always names a class.
    """

    folder: Path
    data: Path | None = None
    max_drop_points: float = 1.0
    calibration_draw: CalibrationDraw = "balanced"
    unknown_share: float | None = None

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if self.calibration_draw not in get_args(CalibrationDraw):
            raise ValueError(f"calibration_draw is {self.calibration_draw!r}")
        if self.unknown_share is not None and not 0 <= self.unknown_share < 1:
            raise ValueError(f"unknown_share is {self.unknown_share}, expected 0 to below 1")

    def open(
        self, options: ConvertOptions, folder: Path, *, tensorflow: Worker, progress: Progress
    ) -> Opened:
        """Read the run; see `Source.open`."""
        trained, splits = read_trained(self.folder), find_samples(self.folder, self.data)
        spec = replace(trained.preprocess, jpeg_reduction=options.jpeg_reduction)
        quantize, keras_model = options.quantize, self.folder / KERAS_FILE
        calibration = calibration_samples(
            splits["train"],
            options.calibration_images,
            seed=options.seed,
            draw=self.calibration_draw,
            task=trained.measured,
        )
        # Rounding errors show on pictures that were trained with as well, if less.
        few = max(0, DECIDING_PICTURES - len(splits["validation"]))
        further = calibration_samples(
            splits["train"], few, seed=options.seed + 1, task=trained.measured
        )
        decided = f"{len(splits['validation'])} validation pictures"
        if further:
            decided += f" and {len(further)} training pictures"
        # TensorFlow chooses ranges in its own way, even where that is called min-max.
        ours = quantize.chosen_backend == "ai-edge-quantizer"
        return Opened(
            name=trained.name,
            subject=trained.name,
            task=trained.measured,
            said=trained.said,
            preprocess=spec,
            calibration=calibration,
            measured={"validation": splits["validation"], "test": splits["test"]},
            golden=splits["test"] or splits["validation"],
            further=further,
            gate=LabelGate(
                max_drop_points=self.max_drop_points,
                figure=trained.measured.figure,
                pictures="validation and training pictures" if further else LabelGate.pictures,
            ),
            backend=quantize.chosen_backend,
            quantize=lambda progress: quantize_trained(
                keras_model, spec, calibration, quantize, progress, tensorflow=tensorflow
            ),
            ranges=quantize.calibration if ours else None,
            retrain=retrainer(
                keras_model,
                spec,
                splits["train"],
                per_tensor_dense=quantize.per_tensor_dense,
                distribution=trained.measured.distribution,
                tensorflow=tensorflow,
            ),
            settles=True,
            unknown_share=self.unknown_share,
            metrics=trained.metrics,
            provenance={
                **trained.provenance,
                "convert.calibration-draw": self.calibration_draw,
                "convert.decided-on": decided,
            },
        )


def calibration_samples(
    train: Sequence[Sample],
    count: int,
    *,
    task: MeasuredTask,
    seed: int = 0,
    draw: CalibrationDraw = "balanced",
) -> list[Sample]:
    """Return a seeded draw from the train samples; balanced, it takes the task's groups in turn."""
    order = np.random.default_rng(seed).permutation(len(train))
    drawn = [train[i] for i in order]
    return drawn[:count] if draw == "as-is" else choose_samples(drawn, count, task)
