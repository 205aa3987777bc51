"""`edgeinfer.train`, `evaluate`, `prune` and `optimize`: what the commands do, as functions.

They import what they need when they are called: the names are there without the [host] extra, and
then say what to install.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.converters.common.progress import Progress, shown_progress
from edgeinfer.device.core.errors import DataError, ModelError, UsageError
from edgeinfer.device.core.paths import AnyPath, file_path
from edgeinfer.host.extras import check_host_extra

if TYPE_CHECKING:
    from edgeinfer.converters.run_folder.trained_run import TrainedModel
    from edgeinfer.device.pictures.region import Region
    from edgeinfer.host.evaluation.evaluate import Result
    from edgeinfer.host.search.report.finish import Ending
    from edgeinfer.host.search.search import SearchOptions
    from edgeinfer.host.search.study.results import Found
    from edgeinfer.host.search.time_models import Timer
    from edgeinfer.host.training.config import TrainConfig
    from edgeinfer.host.training.distillation.teacher import TeacherConfig
    from edgeinfer.host.training.pruning.config import PruneConfig


def train(
    data: AnyPath,
    out: AnyPath,
    config: TrainConfig | None = None,
    *,
    task: str = "classification",
    labels: AnyPath | None = None,
    targets: Sequence[str] = (),
    units: Sequence[str] = (),
    periods: Sequence[float] = (),
    name_pattern: str | None = None,
    split_by: str | None = None,
    validation_share: float | None = None,
    test_share: float | None = None,
    teacher: TeacherConfig | None = None,
    progress: Progress | None = None,
    force: bool = False,
    resume: bool = False,
    tensorboard: AnyPath | None = None,
    start: AnyPath | None = None,
) -> TrainedModel:
    """Train a model on labelled pictures and write it to a folder, which `edgeinfer.convert` takes.

    Examples:
        >>> config = edgeinfer.train_config("small-cnn", epochs=5)
        >>> trained = edgeinfer.train("photos", "runs/photos", config)
        >>> trained.metrics["validation.keras.top1"]
        0.9642

    Args:
        data: a folder with one sub-folder of pictures for each class, or with such folders in
            `train`, `validation` and `test`; or "fashion-mnist", the pictures that come with
            edgeinfer.
        out: the folder to write. Its name becomes the name of the model.
        config: the network and its settings, made by `edgeinfer.train_config`. By default
            EfficientNet-Lite0 with ImageNet weights, or a small CNN for "fashion-mnist".
        task: what the network learns to predict: "classification", "value", or the name of a task
            of another package.
        labels: a CSV or JSON file with the label, or the values, of each picture of `data`. By
            default labels are the folders' names, or are in names such as `cat.0.jpg`.
        targets: for values, the columns of the table to learn. By default its one column of values.
        units: of the values, one for all or one each. By default those of the table.
        periods: for values on a circle, such as angles, what one turn is: one for all or one each,
            0 for a value that is not on a circle.
        name_pattern: where names of pictures have the values, such as `*_{value}`.
        split_by: which pictures stay together in one split: `group:{video}_*` those with the same
            text in the braces, `time` or `time:60` those taken within that many seconds.
        validation_share: share of the pictures for validation, 0 to 1, if `data` has no
            `validation` folder. By default 0.1.
        test_share: share of the pictures for the test, 0 to 1, if `data` has no `test` folder. By
            default 0.1.
        teacher: a trained model whose answers the network also learns. By default it learns only
            from the labels.
        progress: what shows the progress. By default it is shown on standard error;
            `edgeinfer.Silent()` shows nothing.
        force: whether to replace `out`, if it is an earlier trained model, and to start again if a
            training for it was stopped.
        resume: whether to go on with a training for `out` that was stopped. Needs the same settings
            and data; the model becomes exactly the one that an unbroken training gives.
        tensorboard: a folder for logs of TensorBoard, in which this training gets a new one. Needs
            the extra `tensorboard`. By default there are none.
        start: a trained model whose weights the network begins with; labels that it does not have
            are added. `config` must have its network, size and channels; by default it has.

    Returns:
        A description of the trained model, with its `labels` and its `metrics`.

    Raises:
        DataError: the folder or a picture in it cannot be used.
        MissingExtraError: the [host] extra is not installed.
        ModelError: the pretrained weights are missing or do not fit, or the teacher is damaged.
        StorageError: the disk is full or cannot be written.
        TrainingError: the loss became infinite or NaN.
        UsageError: two settings contradict each other, or `out` exists already; or a training for
            `out` was stopped, without `resume` or `force`; or there is none to
            go on with, or one with other settings or data.
    """
    check_host_extra("edgeinfer.train")
    from edgeinfer.host.data.dataset import DataOptions
    from edgeinfer.host.models import check_model
    from edgeinfer.host.training.config import default_config
    from edgeinfer.host.training.data.prepare import FASHION_MNIST, prepare_data
    from edgeinfer.host.training.keeping.workspace import check_destination
    from edgeinfer.host.training.network.start import start_settings
    from edgeinfer.host.training.train import train as train_model

    source = file_path(data, error=DataError, expected="a folder of photographs")
    folder = Path(file_path(out, error=UsageError, expected="the folder to make"))
    begin = None if start is None else Path(start)
    if config is None and begin is not None:
        settings = start_settings(begin)
        config = default_config(settings.pop("architecture"), **settings)
    if config is None and source in FASHION_MNIST:
        config = default_config("small-cnn", size=(28, 28), channels="grey")
    config = config or default_config("efficientnet-lite0", task=task)
    check_model(
        config.architecture,
        size=config.size,
        initializer=config.initializer,
        width=config.width,
        weights=config.weights,
    )
    if teacher is not None:
        teacher = replace(teacher, run=Path(teacher.run))
    check_destination(folder, force=force)
    with shown_progress(progress) as told:
        prepared = prepare_data(
            source,
            task=task,
            options=DataOptions(
                seed=config.seed,
                table=None if labels is None else Path(labels),
                validation_share=validation_share,
                test_share=test_share,
                targets=tuple(targets),
                units=tuple(units),
                periods=tuple(periods),
                name_pattern=name_pattern,
                split_by=split_by,
            ),
            progress=told,
        )
        for finding in prepared.findings:
            told.say(finding.sentence)
        return train_model(
            prepared,
            config,
            folder,
            teacher=teacher,
            progress=told,
            force=force,
            resume=resume,
            tensorboard=None if tensorboard is None else Path(tensorboard),
            start=begin,
        )


def evaluate(
    model: AnyPath,
    data: AnyPath,
    *,
    labels: AnyPath | None = None,
    targets: Sequence[str] = (),
    name_pattern: str | None = None,
    other: AnyPath | None = None,
    threads: int = 2,
    region: Region | None = None,
    progress: Progress | None = None,
) -> Result:
    """Answer all pictures of a folder, compare the answers with the truth, and return the score.

    Examples:
        >>> result = edgeinfer.evaluate("photos.edgebundle", "photos/test")
        >>> result.evaluation.score, result.evaluation.interval
        (0.97, (0.93, 0.99))

    Args:
        model: path of the model file: a `.edgebundle` or a `.tflite`.
        data: a folder of labelled pictures: for a classifier one sub-folder for each class.
        labels: a CSV or JSON file with the label, or the values, of each picture, as for
            `edgeinfer.train`.
        targets: for values, the columns of that file, in the model's order. By default those with
            the model's names.
        name_pattern: where names of pictures have the values, such as `*_{value}`.
        other: path of a second model file, to compare both on the same pictures.
        threads: how many pictures are answered at the same time.
        region: the part of each picture that the models see, see `PreprocessSpec`. None is what
            each model states, or the whole picture.
        progress: what shows the progress. By default it is shown on standard error;
            `edgeinfer.Silent()` shows nothing.

    Returns:
        The score of the model, in `evaluation`; the score of `other`; and their comparison.

    Raises:
        BundleError: a bundle is damaged.
        DataError: the folder cannot be used, or has classes that the model does not have.
        MissingExtraError: the [host] extra is not installed.
        ModelError: a model is damaged, its task cannot be measured, or the two models have
            different tasks or classes.
        UsageError: `threads` is below 1, or `region` is outside the picture.
    """
    check_host_extra("edgeinfer.evaluate")
    from edgeinfer.host.evaluation.evaluate import evaluate_model

    if threads < 1:
        raise UsageError("threads", got=f"is {threads}", expected="1 or more")
    path = Path(file_path(model, error=ModelError, expected="the path of a model file"))
    folder = Path(file_path(data, error=DataError, expected="a folder of photographs"))
    with shown_progress(progress) as told:
        return evaluate_model(
            path,
            folder,
            told,
            table=None if labels is None else Path(labels),
            targets=tuple(targets),
            name_pattern=name_pattern,
            other=None if other is None else Path(other),
            threads=threads,
            region=region,
        )


def prune(
    run: AnyPath,
    out: AnyPath,
    config: PruneConfig | None = None,
    *,
    teacher: TeacherConfig | None = None,
    data: AnyPath | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> TrainedModel:
    """Make a trained model faster: remove its least important channels and train it again.

    Examples:
        >>> edgeinfer.prune("runs/photos", "runs/fast", edgeinfer.PruneConfig(speedup=3))
        >>> edgeinfer.convert("runs/fast", "fast.edgebundle")

    Args:
        run: a folder that `edgeinfer.train` made. It is not changed.
        out: the folder to write. Its name becomes the name of the model.
        config: how much to remove, and how. By default the INT8 model becomes twice as fast on this
            machine.
        teacher: a trained model whose answers the smaller model also learns, such as
            `TeacherConfig(run=Path("runs/photos"))`. By default it learns only from the labels.
        data: the folder of the pictures that the model was trained on, if it is no longer where it
            was.
        progress: what shows the progress. By default it is shown on standard error;
            `edgeinfer.Silent()` shows nothing.
        force: whether to replace `out`, if it is an earlier trained model.

    Returns:
        A description of the smaller model, with its `labels` and its `metrics`.

    Raises:
        ConversionError: the model cannot be pruned, or does not become fast enough.
        DataError: a picture cannot be read.
        MissingExtraError: the [host] extra is not installed.
        ModelError: `run` or the teacher is not a folder of `edgeinfer.train`.
        StorageError: the disk is full or cannot be written.
        TrainingError: the loss became infinite or NaN.
        UsageError: `out` exists already or is `run` itself, or the teacher has other classes.
    """
    check_host_extra("edgeinfer.prune")
    from edgeinfer.host.training.pruning.config import PruneConfig
    from edgeinfer.host.training.pruning.prune import prune as prune_run

    source = Path(file_path(run, error=ModelError, expected="a folder of edgeinfer.train"))
    folder = Path(file_path(out, error=UsageError, expected="the folder to make"))
    if teacher is not None:
        teacher = replace(teacher, run=Path(teacher.run))
    with shown_progress(progress) as told:
        return prune_run(
            source,
            config or PruneConfig(speedup=2.0),
            folder,
            teacher=teacher,
            progress=told,
            force=force,
            data=None if data is None else Path(data),
        )


@dataclass(frozen=True, kw_only=True)
class Optimized:
    """The result of `edgeinfer.optimize`.

    Attributes:
        bundle: path of the best model's bundle.
        found: all models that were tried, in `models`; those that no other one beats, in `front`;
            and the best one, in `winner`.
        ending: the accuracy of the best model on the test pictures, which were not used to choose
            it.
    """

    bundle: Path
    found: Found
    ending: Ending


def optimize(
    run: AnyPath,
    out: AnyPath,
    options: SearchOptions | None = None,
    *,
    data: AnyPath | None = None,
    timer: Timer | None = None,
    progress: Progress | None = None,
) -> Optimized:
    """Try many smaller versions of a trained model, and return the best within a budget.

    A search can be stopped at any time. The same call continues it.

    Examples:
        >>> options = edgeinfer.SearchOptions(
        ...     budget=edgeinfer.Budget(accuracy_points=1.0), time_limit_s=3600
        ... )
        >>> edgeinfer.optimize("runs/photos", "runs/search", options).bundle
        PosixPath('runs/search/photos.edgebundle')

    Args:
        run: a folder that `edgeinfer.train` made. It is not changed.
        out: the folder of the search. If there is a search in it already, it is continued.
        options: the budget, the time limit and more. By default at most 1 point of accuracy may be
            lost, and the search takes 20 minutes.
        data: the folder of the pictures that the model was trained on, if it is no longer where it
            was.
        timer: measures how fast the models are. By default on the board that `options.measure_on`
            names, or on this machine.
        progress: what shows the progress. By default it is shown on standard error;
            `edgeinfer.Silent()` shows nothing.

    Returns:
        The best model's bundle, all models that were tried, and the accuracy on the test pictures.

    Raises:
        AccuracyError: on the test pictures the best model loses more accuracy than the budget
            allows.
        MissingExtraError: the [host] extra, or a compiler that the board needs, is not installed.
        ModelError: `run` is not a folder of `edgeinfer.train`, or has no validation pictures.
        RemoteError: the board that measures cannot be reached.
        SearchError: no model is within the budget.
        UsageError: `out` is `run` itself, or contains a search with other options.
    """
    check_host_extra("edgeinfer.optimize", "ai_edge_quantizer", "jinja2", "matplotlib", "optuna")
    from edgeinfer.host.search.budget import Budget
    from edgeinfer.host.search.report.finish import require_kept
    from edgeinfer.host.search.run_search import run_search
    from edgeinfer.host.search.search import SearchOptions

    source = Path(file_path(run, error=ModelError, expected="a folder of edgeinfer.train"))
    folder = Path(file_path(out, error=UsageError, expected="the folder of the search"))
    options = options or SearchOptions(budget=Budget(accuracy_points=1.0))
    found, ending = run_search(
        source,
        folder,
        options,
        timer=timer or _timer(options),
        show=lambda keep: shown_progress(progress, keep=keep),
        data=None if data is None else Path(data),
    )
    require_kept(found, ending)
    return Optimized(bundle=Path(ending.bundle), found=found, ending=ending)


def _timer(options: SearchOptions) -> Timer:
    from edgeinfer.device.core.ssh import SshHost
    from edgeinfer.host.search.time_models import BoardTimer, LocalTimer

    if options.measure_on:
        return BoardTimer(SshHost(options.measure_on, ()), threads=options.threads)
    return LocalTimer(threads=options.threads)
