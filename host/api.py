"""`edgeinfer.train`, `evaluate`, `prune` and `optimize`: what the commands do, as functions.

They import what they need when they are called: the names are there without the [host] extra, and
then say what to install.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.converters.common.progress import Progress, shown_progress
from edgeinfer.device.core.errors import DataError, ModelError, UsageError
from edgeinfer.device.core.paths import AnyPath, file_path
from edgeinfer.host.extras import check_host_extra

if TYPE_CHECKING:
    from edgeinfer.converters.run_folder.trained_run import TrainedModel
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
    validation_share: float | None = None,
    test_share: float | None = None,
    teacher: TeacherConfig | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> TrainedModel:
    """Train a model on labelled pictures and leave it in a folder for `edgeinfer.convert`.

    Examples:
        >>> config = edgeinfer.train_config("small-cnn", epochs=5)
        >>> trained = edgeinfer.train("photos", "runs/photos", config)
        >>> trained.metrics["validation.keras.top1"]
        0.9642

    Args:
        data: a folder of photographs, one sub-folder per class (or train, validation and test
            folders of those); or "fashion-mnist", the pictures that come with edgeinfer.
        out: the folder to make; its name becomes the model's.
        config: the network and its settings, see `edgeinfer.train_config`; None takes
            EfficientNet-Lite0 with ImageNet weights, and a small CNN for "fashion-mnist".
        task: what the network learns to predict.
        validation_share: of the pictures that are in no split; None for 0.1.
        test_share: also of those; None for 0.1.
        teacher: a trained run whose answers are learned in addition to the labels.
        progress: told what goes on; None shows it on standard error, `edgeinfer.Silent()` nowhere.
        force: replace an earlier run.

    Returns:
        What `out` says of itself: labels, metrics, and how it came about.

    Raises:
        DataError: the folder or a picture in it cannot be used.
        MissingExtraError: the [host] extra is not installed.
        ModelError: the pretrained weights cannot be had or do not fit; the teacher is damaged.
        StorageError: the disk is full or cannot be written.
        TrainingError: the loss became infinite or no number.
        UsageError: the settings do not go together, or `out` is taken.
    """
    check_host_extra("edgeinfer.train")
    from edgeinfer.host.models import check_model
    from edgeinfer.host.training.config import default_config
    from edgeinfer.host.training.data.prepare import FASHION_MNIST, prepare_data
    from edgeinfer.host.training.train import train as train_model
    from edgeinfer.host.training.workspace import check_destination

    source = file_path(data, error=DataError, expected="a folder of photographs")
    folder = Path(file_path(out, error=UsageError, expected="the folder to make"))
    if config is None and source in FASHION_MNIST:
        config = default_config("small-cnn", size=(28, 28), channels="grey")
    config = config or default_config("efficientnet-lite0")
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
            seed=config.seed,
            validation_share=validation_share,
            test_share=test_share,
            progress=told,
        )
        for finding in prepared.findings:
            told.say(f"left out: {finding.path}: {finding.kind}, {finding.detail}")
        return train_model(prepared, config, folder, teacher=teacher, progress=told, force=force)


def evaluate(
    model: AnyPath,
    data: AnyPath,
    *,
    other: AnyPath | None = None,
    threads: int = 2,
    progress: Progress | None = None,
) -> Result:
    """Answer all pictures of a folder and score the answers, with their 95 % interval.

    Examples:
        >>> result = edgeinfer.evaluate("photos.edgebundle", "photos/test")
        >>> result.evaluation.score, result.evaluation.interval
        (0.97, (0.93, 0.99))

    Args:
        model: a bundle or a `.tflite`.
        data: a folder with what the model's task wants: for classes one sub-folder per class.
        other: another model, to be compared on the same pictures.
        threads: how many pictures are answered side by side.
        progress: told what goes on; None shows it on standard error, `edgeinfer.Silent()` nowhere.

    Raises:
        BundleError: a bundle is damaged.
        DataError: the folder cannot be used, or has targets that the model does not know.
        MissingExtraError: the [host] extra is not installed.
        ModelError: a model is damaged, its task cannot be measured here, or the two do not predict
            the same.
        UsageError: `threads` is below 1.
    """
    check_host_extra("edgeinfer.evaluate")
    from edgeinfer.host.evaluation.evaluate import evaluate_model

    if threads < 1:
        raise UsageError("threads", got=f"is {threads}", expected="1 or more")
    path = Path(file_path(model, error=ModelError, expected="the path of a model file"))
    folder = Path(file_path(data, error=DataError, expected="a folder of photographs"))
    with shown_progress(progress) as told:
        return evaluate_model(
            path, folder, told, other=None if other is None else Path(other), threads=threads
        )


def prune(
    run: AnyPath,
    out: AnyPath,
    config: PruneConfig | None = None,
    *,
    teacher: TeacherConfig | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> TrainedModel:
    """Take the channels that matter least out of a trained run, and train what is left again.

    Examples:
        >>> edgeinfer.prune("runs/photos", "runs/fast", edgeinfer.PruneConfig(speedup=3))

    Args:
        run: a folder that `edgeinfer.train` made; it stays as it is.
        out: the folder to make; its name becomes the model's.
        config: how far and how; None makes INT8 twice as fast, timed here.
        teacher: whose answers the training after the cuts learns from as well.
        progress: told what goes on; None shows it on standard error, `edgeinfer.Silent()` nowhere.
        force: replace an earlier run.

    Raises:
        ConversionError: the model cannot be pruned, or does not become fast enough.
        DataError: a picture cannot be read.
        MissingExtraError: the [host] extra is not installed.
        ModelError: `run` or the teacher is not a trained run.
        StorageError: the disk is full or cannot be written.
        TrainingError: the loss became infinite or no number.
        UsageError: `out` is taken or is `run` itself, or the teacher knows other classes.
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
        )


@dataclass(frozen=True, kw_only=True)
class Optimized:
    """What a search came to.

    Attributes:
        bundle: the winner's file.
        found: all that was tried, the front, and the winner.
        ending: the winner on the test pictures, which nothing was chosen by.
    """

    bundle: Path
    found: Found
    ending: Ending


def optimize(
    run: AnyPath,
    out: AnyPath,
    options: SearchOptions | None = None,
    *,
    timer: Timer | None = None,
    progress: Progress | None = None,
) -> Optimized:
    """Search for the fastest model that keeps a budget; the same call goes on with a search.

    Examples:
        >>> options = edgeinfer.SearchOptions(
        ...     budget=edgeinfer.Budget(accuracy_points=1.0), time_limit_s=3600
        ... )
        >>> edgeinfer.optimize("runs/photos", "runs/search", options).bundle
        PosixPath('runs/search/photos.edgebundle')

    Args:
        run: a folder that `edgeinfer.train` made.
        out: the folder of the search; a search that is there already goes on.
        options: budget and time limit; None allows 1 point of accuracy and 20 minutes.
        timer: what times the models; None times on `options.measure_on`, or on this machine.
        progress: told what goes on; None shows it on standard error, `edgeinfer.Silent()` nowhere.

    Raises:
        AccuracyError: pictures that the winner was not chosen by contradict the budget.
        MissingExtraError: the [host] extra, or a compiler that the board needs, is not installed.
        ModelError: `run` is not a trained run, or has no pictures to measure on.
        RemoteError: the board cannot be reached.
        SearchError: nothing keeps the budget.
        UsageError: `out` is `run` itself, or holds another search.
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
    )
    require_kept(found, ending)
    return Optimized(bundle=Path(ending.bundle), found=found, ending=ending)


def _timer(options: SearchOptions) -> Timer:
    from edgeinfer.device.core.ssh import SshHost
    from edgeinfer.host.search.time_models import BoardTimer, LocalTimer

    if options.measure_on:
        return BoardTimer(SshHost(options.measure_on, ()), threads=options.threads)
    return LocalTimer(threads=options.threads)
