"""`edgeinfer.train` and `edgeinfer.prune`: what the commands do, as functions.

They import what they need when they are called: the names are there without the [host] extra, and
then say what to install.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.converters.common.progress import Progress, shown_progress
from edgeinfer.device.core.errors import DataError, ModelError, UsageError
from edgeinfer.device.core.paths import AnyPath, file_path
from edgeinfer.host.extras import check_host_extra

if TYPE_CHECKING:
    from edgeinfer.converters.run_folder.trained_run import TrainedModel
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
        task: what the network learns to predict: "classification", "multilabel", "value",
            "detection", "points", or the name of a task of another package.
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
