"""prune(): makes a run with fewer channels, as fast as requested, from a trained run.

1. Scores from training pictures say which channels matter least for the time they cost; timing INT8
   models with fewer channels gives the number that each layer keeps.
2. Channels are removed in a few cuts, most of them in the first ones (the polynomial schedule),
   with training after each, which restores accuracy; scores are computed again before each.
3. The end is a longer training with a falling learning rate. With a teacher, which may be the
   unpruned model itself, all training also learns from its answers.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.converters.common.progress import LineProgress, Progress
from edgeinfer.converters.run_folder.trained_run import (
    Split,
    TrainedModel,
    find_samples,
    read_trained,
    write_trained,
)
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.preprocess import PreprocessSpec, normalize_table
from edgeinfer.host.extras import check_host_extra, require_host_extra
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.training.choices.fitting import require_fitting
from edgeinfer.host.training.config import TrainConfig, default_config
from edgeinfer.host.training.data.batches import ImageSource
from edgeinfer.host.training.data.choose_augmentation import (
    choose_augmentation,
    training_pictures,
)
from edgeinfer.host.training.data.part import choosing
from edgeinfer.host.training.data.prepared_store import prepare_store
from edgeinfer.host.training.distillation.teacher import TeacherConfig
from edgeinfer.host.training.distillation.teacher_fit import teacher_fit
from edgeinfer.host.training.history import History
from edgeinfer.host.training.keeping.workspace import workspace
from edgeinfer.host.training.network.save_network import save_network
from edgeinfer.host.training.pruning.config import PruneConfig
from edgeinfer.host.training.report.page import write_run_page
from edgeinfer.host.training.train import (
    METRIC_ACCURACY,
    METRIC_LOSS,
    METRIC_SCORE,
)

if TYPE_CHECKING:
    from edgeinfer.host.training.fit import FitStage

FINE_TUNED_RATE = 1e-4
SCRATCH_RATE = 1e-3
"""Default peak learning rates: a model with ImageNet's weights loses them in large steps, a model
trained from scratch recovers slowly in small ones. A task whose networks train in one stage has a
rate for both their old and their new layers, which is taken again."""

_BATCH_SIZE = 32
_DROPOUT = 0.2
"""Where the task has no other."""

_USED: tuple[Split, ...] = ("train", "validation")


def prune(
    run: Path,
    config: PruneConfig,
    out: Path,
    *,
    teacher: TeacherConfig | None = None,
    teacher_cache: Path | None = None,
    progress: Progress | None = None,
    force: bool = False,
    data: Path | None = None,
    page: bool = True,
) -> TrainedModel:
    """Prune the result of `edgeinfer train` in `run`, and write a run of the same form to `out`.

    Args:
        run: the trained run; it does not change.
        config: the settings.
        out: the folder; its name becomes the model's.
        teacher: the training after the cuts also learns from its answers.
        teacher_cache: a folder that keeps the teacher's answers for the next training on the same
            pictures; None keeps them only for this one.
        progress: reports every step; by default lines on standard error.
        force: replace an earlier run.
        data: the folder that the run's data has moved to; None where it has not.
        page: write `report.html` and a model card, too, when the run is complete.

    Raises:
        UsageError: `out` exists or is `run` itself, or the teacher knows other classes.
        MissingExtraError: TensorFlow and Keras are not installed.
        ModelError: `run` or the teacher is not a trained run.
        ConversionError: the model cannot be pruned, or cannot become so fast.
        DataError: a sample cannot be read.
        TrainingError: the loss became infinite or NaN.
        StorageError: the disk is full or cannot be written.
    """
    check_host_extra("edgeinfer prune")
    if out.resolve() == run.resolve():
        raise UsageError("--out", got="is the run to prune", expected="another folder")
    trained, samples = read_trained(run), find_samples(run, data)
    spec = replace(trained.preprocess, size=config.size or trained.preprocess.size)
    if teacher is not None:
        find_taught(trained.task).require_teachers()
    settings = training_settings(trained, spec, config)
    require_fitting(settings, Lesson(task=find_taught(trained.task), said=trained.said))
    # It takes seconds, so the errors above are reported first.
    require_host_extra("edgeinfer prune", progress)
    started = time.monotonic()
    with ExitStack() as stack:
        place = stack.enter_context(workspace(out, force=force))
        shown = progress or LineProgress()
        from edgeinfer.host.training.pruning.steps import Pruning

        task = find_taught(trained.task)
        train, validation = (
            stack.enter_context(
                prepare_store(samples[split], split, spec, place.cache, shown, task)
            )
            for split in _USED
        )
        _, mirrored = choose_augmentation(settings, task)
        stage: FitStage | None = None
        if teacher is not None:
            stage = teacher_fit(
                *(teacher, samples["train"], Lesson(task=task, said=trained.said), spec),
                cache=teacher_cache or place.cache,
                mirrored=mirrored,
                progress=shown,
            )
        table = normalize_table(spec)
        history = History(place.run)
        pruning = Pruning(
            run=run,
            trained=trained,
            preprocess=spec,
            config=config,
            settings=settings,
            train=training_pictures(train, spec, settings, task),
            validation=ImageSource(validation, table),
            watched=ImageSource(choosing(validation, trained.task), table),
            calibration=samples["train"],
            stage=stage,
            history=history,
            progress=shown,
        )
        model, metrics = pruning.run_cuts()
        answered = pruning.validate(model, samples["validation"])
        said = trained.measured.settled(trained.said, answered.evaluation)
        evaluation = answered.evaluation.under(said)
        figures = evaluation.figures()
        result = TrainedModel(
            decoder=said.decoder,
            value=said.value,
            name=out.absolute().name,
            task=trained.task,
            labels=trained.labels,
            settings=trained.settings,
            preprocess=spec,
            provenance={
                **trained.provenance,
                "prune.run": trained.name,
                **{f"prune.{name}": value for name, value in config.settings().items()},
                **({} if teacher is None else teacher.settings()),
                "prune.epochs-done": str(len(history.epochs)),
                "prune.seconds": f"{time.monotonic() - started:.0f}",
                "parameters": str(model.count_params()),
            },
            metrics={
                METRIC_ACCURACY: answered.score.accuracy,
                METRIC_LOSS: answered.score.loss,
                METRIC_SCORE: evaluation.score,
                **{f"validation.keras.{name}": figure for name, figure in figures.items()},
                **metrics,
            },
        )
        save_network(model, place.run, out)
        write_trained(place.run, result, samples, home=out)
    if page:
        write_run_page(out, result, samples, history.epochs, evaluation, shown)
    return result


def training_settings(
    trained: TrainedModel, spec: PreprocessSpec, config: PruneConfig
) -> TrainConfig:
    """Return the settings for training the pruned model: the run's own loss and augmentation.

    Raises:
        UsageError: the run's architecture is not known here.
    """
    facts, task = trained.provenance, find_taught(trained.task)
    fine_tuned = facts.get("setting.initializer") == "pretrained"
    rate: float | None = FINE_TUNED_RATE if fine_tuned else SCRATCH_RATE
    if fine_tuned and not task.in_two_stages:
        rate = float(facts["setting.learning_rate"]) if "setting.learning_rate" in facts else None
    dropout = config.dropout
    if dropout is None:
        dropout = _DROPOUT if task.drops_features else 0.0
    kept = {
        name: convert(facts[f"setting.{name}"])
        for name, convert in (
            ("loss", str),
            ("focal_gamma", float),
            ("label_smoothing", float),
            ("augment", str),
            ("weight_decay", float),
            ("clip_norm", float),
        )
        if f"setting.{name}" in facts
    }
    return default_config(
        facts.get("setting.architecture", "small-cnn"),
        **kept,
        task=trained.task,
        size=spec.size,
        channels=spec.channels,
        crop=spec.crop,
        region=spec.region,
        initializer="pretrained" if fine_tuned else "he",
        optimizer="adamw",
        schedule="cosine",
        learning_rate=rate if config.learning_rate is None else config.learning_rate,
        epochs=max(1, config.epochs),
        patience=config.patience,
        batch_size=config.batch_size or task.settings.get("batch_size", _BATCH_SIZE),
        dropout=dropout,
        seed=config.seed,
    )
