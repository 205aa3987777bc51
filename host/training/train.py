"""train(): writes a folder with a trained model from prepared data."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeinfer.converters.common.progress import LineProgress, Progress
from edgeinfer.converters.run_folder.trained_run import (
    Split,
    TrainedModel,
    write_trained,
)
from edgeinfer.converters.tasks.registry import find_measured
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.preprocess import PreprocessSpec, normalize_table
from edgeinfer.host.extras import require_host_extra
from edgeinfer.host.models import build_model
from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.tasks.task import Floats, Lesson
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches, ImageSource
from edgeinfer.host.training.data.choose_augmentation import choose_augmentation
from edgeinfer.host.training.data.prepared_store import (
    first_spec,
    mover,
    prepare_store,
    with_statistics,
)
from edgeinfer.host.training.distillation.teacher import TeacherConfig, ask_teacher
from edgeinfer.host.training.distillation.teacher_split import follow_teacher
from edgeinfer.host.training.history import History
from edgeinfer.host.training.keeping.workspace import workspace
from edgeinfer.host.training.network.head import with_head
from edgeinfer.host.training.network.save_network import save_network
from edgeinfer.host.training.provenance import provenance

if TYPE_CHECKING:
    from edgeinfer.host.data.dataset import PreparedData
    from edgeinfer.host.data.store import ImageStore
    from edgeinfer.host.training.fit import FitStage

METRIC_ACCURACY = "validation.keras.top1"
METRIC_LOSS = "validation.keras.loss"


def train(
    data: PreparedData,
    config: TrainConfig,
    out: Path,
    *,
    teacher: TeacherConfig | None = None,
    teacher_cache: Path | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> TrainedModel:
    """Train a model and write it to a folder that `edgeinfer convert` takes.

    The folder holds `model.keras`, `trained.json`, `samples.csv`, `history.csv` and
    `history.json`. It appears when everything is done; before that, and after an error or Ctrl-C,
    there is nothing. Memory does not grow with the data set: prepared pictures and cached
    activations are on the same disk as `out`, and are removed at the end.

    Args:
        data: the splits; `test` is only written to the run, never used.
        config: the settings.
        out: the folder; its name becomes the model's.
        teacher: a trained run whose answers are learned as well as the labels. Pictures that it
            knows are then in its splits, see `follow_teacher`.
        teacher_cache: a folder that keeps the teacher's answers for the next training on the same
            samples; by default they are removed after this one.
        progress: reports every step; by default lines on standard error.
        force: replace an earlier run.

    Raises:
        UsageError: the settings do not fit together, the teacher does not fit the data, or `out`
            exists.
        MissingExtraError: TensorFlow and Keras, or the weights' package, are not installed.
        DataError: a sample cannot be read.
        ModelError: the pretrained weights are not available or do not fit; the teacher is damaged.
        TrainingError: the loss became infinite or NaN.
        StorageError: the disk is full or cannot be written.
    """
    require_host_extra("edgeinfer train", progress)
    if teacher is not None and out.resolve() == teacher.run.resolve():
        raise UsageError(
            out, got="is the teacher's own run", next_step="choose another --out for the student"
        )
    # Not before: it needs Keras.
    from edgeinfer.host.training.validate import validate

    started = time.monotonic()
    with ExitStack() as stack:
        place = stack.enter_context(workspace(out, force=force))
        shown = progress or LineProgress()
        if teacher is not None:
            data = follow_teacher(data, teacher.run)
        spec, lesson = first_spec(config), Lesson(task=find_taught(data.task), said=data.said)
        lesson.task.check_loss(config.loss_settings, lesson.said)
        # Built first: missing or wrong weights are an error before minutes of preparing.
        model = with_head(
            build_model(
                config.architecture,
                input_shape=spec.shape,
                classes=lesson.numbers,
                initializer=config.initializer,
                width=config.width,
                seed=config.seed,
                weights=config.weights,
                channels=config.channels,
            ),
            lesson,
        )
        # The teacher comes before the pictures, for the same reason.
        fit_stage = _fit_stage(data, config, lesson, teacher, teacher_cache or place.cache, shown)
        stores: dict[Split, ImageStore] = {
            split: stack.enter_context(
                prepare_store(data.splits[split], split, spec, place.cache, shown, lesson.task)
            )
            for split in ("train", "validation")
        }
        spec = with_statistics(spec, config, stores["train"])
        history = History(place.run)
        checked = _fit(model, stores, spec, config, lesson, fit_stage, place.cache, history, shown)
        answered = validate(model, checked, data.splits["validation"], spec, config.loss_settings)
        said = find_measured(data.task).settled(data.said, answered.evaluation)
        figures = answered.evaluation.under(said).figures()
        trained = TrainedModel(
            name=out.absolute().name,
            task=data.task,
            labels=data.labels,
            decoder=said.decoder,
            value=said.value,
            settings=dict(said.settings) or None,
            preprocess=spec,
            provenance={
                **provenance(data, config, model, history, time.monotonic() - started),
                **(teacher.settings() if teacher is not None else {}),
            },
            metrics={
                METRIC_ACCURACY: answered.score.accuracy,
                METRIC_LOSS: answered.score.loss,
                **{f"validation.keras.{name}": figure for name, figure in figures.items()},
            },
        )
        save_network(model, place.run, out)
        write_trained(place.run, trained, data.splits, home=out)
    return trained


def _fit_stage(
    data: PreparedData,
    config: TrainConfig,
    lesson: Lesson,
    teacher: TeacherConfig | None,
    cache: Path,
    progress: Progress,
) -> FitStage:
    """Return the function that trains each stage: `fit`, or one with a teacher's answers."""
    from edgeinfer.host.training.fit import fit

    if teacher is None:
        return fit
    from edgeinfer.host.training.distillation.distillation import fit_with_teacher

    _, mirrored = choose_augmentation(config, lesson.task)
    answers = ask_teacher(
        teacher,
        data.splits["train"],
        lesson,
        cache=cache,
        mirrored=mirrored,
        progress=progress,
    )
    return partial(fit_with_teacher, teacher=teacher, answers=answers)


def _fit(
    model: Any,
    stores: dict[Split, ImageStore],
    spec: PreprocessSpec,
    config: TrainConfig,
    lesson: Lesson,
    fit_stage: FitStage,
    cache: Path,
    history: History,
    progress: Progress,
) -> Batches:
    """Train in one stage or two and return the validation's pictures, in order."""
    from edgeinfer.host.training.fit import with_dropout
    from edgeinfer.host.training.transfer import train_in_two_stages

    table = normalize_table(spec)
    augment, mirrored = choose_augmentation(config, lesson.task)
    source = ImageSource(stores["train"], table, augment, mover(lesson.task, spec.size))
    checked = ImageSource(stores["validation"], table)
    weights = None
    if config.class_weights == "balanced":
        weights = _balanced(lesson, stores["train"])
    validation = Batches(source=checked, lesson=lesson, batch_size=config.batch_size)
    if config.pretrained:
        train_in_two_stages(
            model,
            source,
            checked,
            config,
            lesson=lesson,
            fit_stage=fit_stage,
            cache=cache,
            mirrored=mirrored,
            weights=weights,
            history=history,
            progress=progress,
        )
    else:
        batches = Batches(
            source=source,
            lesson=lesson,
            batch_size=config.batch_size,
            seed=config.seed,
            weights=weights,
        )
        network = with_dropout(model, config.dropout)
        fit_stage(
            network,
            batches,
            validation,
            config,
            stage="train",
            history=history,
            progress=progress,
        )
    return validation


def _balanced(lesson: Lesson, store: ImageStore) -> Floats:
    weights = lesson.task.balanced(store.rows, lesson.said)
    if weights is None:
        raise UsageError(
            "--class-weights",
            got=f"balanced for the task '{lesson.task.name}'",
            expected="none for this task",
        )
    return weights
