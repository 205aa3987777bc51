"""train(): writes a folder with a trained model from prepared data."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeinfer.converters.common.progress import LineProgress, Progress
from edgeinfer.converters.run_folder.trained_run import (
    Split,
    TrainedModel,
    find_samples,
    read_trained,
    write_trained,
)
from edgeinfer.converters.tasks.registry import find_measured
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.extras import require_host_extra
from edgeinfer.host.models import build_model
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.training.choices.fine_tune import with_fine_tuning
from edgeinfer.host.training.choices.fitting import require_fitting
from edgeinfer.host.training.config import TrainConfig, run_config
from edgeinfer.host.training.data.prepared_store import (
    first_spec,
    prepare_store,
    with_statistics,
)
from edgeinfer.host.training.distillation.teacher import TeacherConfig
from edgeinfer.host.training.distillation.teacher_split import follow_teacher
from edgeinfer.host.training.history import History
from edgeinfer.host.training.keeping.keeper import Keeper
from edgeinfer.host.training.keeping.workspace import kept_workspace, workspace
from edgeinfer.host.training.network.head import with_head
from edgeinfer.host.training.network.save_network import save_network
from edgeinfer.host.training.network.start import start_network
from edgeinfer.host.training.report.device import device_note, training_device
from edgeinfer.host.training.report.page import write_run_page
from edgeinfer.host.training.report.provenance import provenance, training_identity
from edgeinfer.host.training.report.tensorboard import TensorBoardLogs
from edgeinfer.host.training.stages.train_stages import choose_fit, train_stages

if TYPE_CHECKING:
    from edgeinfer.host.data.dataset import PreparedData
    from edgeinfer.host.data.store import ImageStore

METRIC_ACCURACY = "validation.keras.top1"
METRIC_LOSS = "validation.keras.loss"
METRIC_SCORE = "validation.keras.score"
"""The task's own score of the answers, where `METRIC_ACCURACY` is the metric of the training."""

_USED: tuple[Split, ...] = ("train", "validation")


def train(
    data: PreparedData,
    config: TrainConfig,
    out: Path,
    *,
    teacher: TeacherConfig | None = None,
    teacher_cache: Path | None = None,
    progress: Progress | None = None,
    force: bool = False,
    resume: bool = False,
    resumable: bool = True,
    page: bool = True,
    tensorboard: Path | None = None,
    start: Path | None = None,
    more: bool = False,
) -> TrainedModel:
    """Train a model and write it to a folder that `edgeinfer convert` takes.

    The folder holds `model.keras`, `trained.json`, `samples.csv`, `history.csv` and
    `history.json`. It appears when everything is done. Until then a hidden folder next to it holds
    checkpoints, which stay after an error, Ctrl-C and the end of the process: `resume` goes on with
    them, and gives the weights that an unbroken training gives. Memory does not grow with the data
    set: prepared pictures and cached activations are on the same disk as `out`, and are removed at
    the end.

    Args:
        data: the splits; `test` is only written to the run, never used.
        config: the settings.
        out: the folder; its name becomes the model's.
        teacher: a trained run whose answers are learned as well as the labels. Pictures that it
            knows are then in its splits, see `follow_teacher`.
        teacher_cache: a folder that keeps the teacher's answers for the next training on the same
            samples; by default they are removed after this one.
        progress: reports every step; by default lines on standard error.
        force: replace an earlier run, and a training for `out` that was stopped.
        resume: go on with a training for `out` that was stopped.
        resumable: whether to keep checkpoints; without them nothing is left after an error.
        page: write `report.html` and a model card, too, when the run is complete.
        tensorboard: a folder that gets logs for TensorBoard while it trains; None writes none.
        start: a trained run whose weights the network begins with; labels that it does not have
            begin with random weights. The pictures are prepared as its own were.
        more: `start` is `out`: train it for more epochs, in one stage, and replace it.

    Raises:
        UsageError: the settings do not fit together, the teacher does not fit the data, or `out`
            exists; a training for `out` was stopped, and `resume` and `force` are not given; or
            `resume` is given and there is none, or one with other settings or other data.
        MissingExtraError: TensorFlow and Keras, the weights' package, or TensorBoard's library for
            its logs, are not installed.
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

    shown = progress or LineProgress()
    if teacher is not None:
        find_taught(data.task).require_teachers()
        data = follow_teacher(data, teacher.run)
        # A teacher's answers are another loss than that of the folds.
        config = replace(config, folds="none")
    config = with_fine_tuning(config, len(data.splits["train"]))
    note = device_note(training_device())
    if note:
        shown.say(note)
    with ExitStack() as stack:
        if resumable:
            identity = training_identity(data, config, teacher, start)
            place = stack.enter_context(
                kept_workspace(
                    *(out, identity),
                    force=force,
                    resume=resume,
                    progress=shown,
                    replace=more,
                )
            )
        else:
            place = stack.enter_context(workspace(out, force=force, progress=shown))
        lesson = Lesson(task=find_taught(data.task), said=data.said)
        require_fitting(config, lesson)
        # Built first: missing or wrong weights are an error before minutes of preparing.
        model, spec = _first_network(config, lesson, start)
        # The teacher comes before the pictures, for the same reason.
        fit = choose_fit(
            *(data, config, lesson, spec, teacher, teacher_cache or place.cache, shown)
        )
        stores: dict[Split, ImageStore] = {}
        for split in _USED:
            samples = data.splits[split]
            stores[split] = prepare_store(samples, split, spec, place.cache, shown, lesson.task)
            stack.callback(stores[split].close)
            for doubt in lesson.task.doubts(samples, stores[split].rows):
                shown.say(f"{split}: {doubt}")
        if start is None:
            spec = with_statistics(spec, config, stores["train"])
        logs = None
        if tensorboard is not None:
            logs = stack.enter_context(closing(TensorBoardLogs(tensorboard, out.absolute().name)))
        history = History(place.run, logs)
        if more:
            history.read(out)
        keeper = Keeper(place.checkpoints, seed=config.seed, progress=shown)
        checked, folded = train_stages(
            *(model, stores, spec, config, lesson, keeper.stages(fit), place.cache, history, shown),
            more=more,
        )
        answered = validate(model, checked, data.splits["validation"], spec, config.loss_settings)
        said = find_measured(data.task).settled(data.said, answered.evaluation)
        evaluation = answered.evaluation.under(said)
        figures = evaluation.figures()
        trained = TrainedModel(
            name=out.absolute().name,
            task=data.task,
            labels=data.labels,
            decoder=said.decoder,
            value=said.value,
            settings=dict(said.settings) or None,
            preprocess=spec,
            provenance={
                **provenance(data, config, model, history, keeper.seconds),
                **(_settings_before(start) if start is not None and more else {}),
                **(teacher.settings() if teacher is not None else {}),
                **({"from": str(start)} if start is not None and not more else {}),
            },
            metrics={
                METRIC_ACCURACY: answered.score.accuracy,
                METRIC_LOSS: answered.score.loss,
                METRIC_SCORE: evaluation.score,
                **({} if folded is None else folded.metrics()),
                **{f"validation.keras.{name}": figure for name, figure in figures.items()},
            },
        )
        save_network(model, place.run, out)
        write_trained(place.run, trained, data.splits, home=out)
    if page:
        # The run is complete and in its place: nothing that happens now can lose it.
        write_run_page(
            *(out, trained, data.splits, history.epochs, evaluation, shown),
            findings=data.findings,
        )
    return trained


def train_more(
    run: Path,
    epochs: int,
    *,
    data: Path | None = None,
    progress: Progress | None = None,
    resume: bool = False,
) -> TrainedModel:
    """Train a finished run for more epochs, with its own settings and pictures, and replace it.

    The learning rate rises and falls again. The old weights stay if the validation loss does not
    fall.

    Args:
        run: the run.
        epochs: at most this many more.
        data: the folder that the run's data has moved to; None where it has not.
        progress: reports every step; by default lines on standard error.
        resume: go on with such a training that was stopped.

    Raises:
        UsageError: `epochs` is not possible, or `resume` as `train` says.
        DataError: a picture is missing, or cannot be read.
        ModelError: it is not a run, or damaged.
        TrainingError: the loss became infinite or NaN.
        StorageError: the disk is full or cannot be written.
    """
    from edgeinfer.host.data.of_run import data_of_run

    trained = read_trained(run)
    if epochs < 1:
        raise UsageError("--more-epochs", got=str(epochs), expected="1 or more")
    prepared = data_of_run(trained, find_samples(run, data))
    config = replace(run_config(trained), epochs=epochs)
    return train(prepared, config, run, progress=progress, resume=resume, start=run, more=True)


def _settings_before(run: Path) -> dict[str, str]:
    """Return the settings that a run has, which more epochs do not change."""
    facts = read_trained(run).provenance
    settings = {name: text for name, text in facts.items() if name.startswith("setting.")}
    return {**settings, **({"from": facts["from"]} if "from" in facts else {})}


def _first_network(
    config: TrainConfig, lesson: Lesson, start: Path | None
) -> tuple[Any, PreprocessSpec]:
    """Return the network before the training, and how pictures become its input."""
    if start is not None:
        model, trained = start_network(start, config, lesson)
        return model, trained.preprocess
    spec = first_spec(config)
    model = build_model(
        config.architecture,
        input_shape=spec.shape,
        classes=lesson.numbers,
        initializer=config.initializer,
        width=config.width,
        seed=config.seed,
        weights=config.weights,
        channels=config.channels,
    )
    return with_head(model, lesson), spec
