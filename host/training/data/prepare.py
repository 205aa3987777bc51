"""What a model is trained on: a folder's pictures, or a data set with a name, checked and split."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.data.dataset import (
    OPTION_NAMES,
    DataOptions,
    PreparedData,
    prepare_fashion_mnist,
)
from edgeinfer.host.tasks.registry import find_taught

FASHION_MNIST = ("fashion-mnist", "fashion-mnist:full")
"""What comes with edgeinfer, and the whole set, which is installed or downloaded."""


def prepare_data(data: str, *, task: str, options: DataOptions, progress: Progress) -> PreparedData:
    """Return the splits of a folder of pictures, or of a data set with a name.

    Args:
        data: a folder, or one of `FASHION_MNIST`.
        task: what is to be learned from it.
        options: how to read and split it.
        progress: told what is going on.

    Raises:
        DataError: it cannot be used.
        UsageError: the data set is for another task, or the shares are impossible.
    """
    if data not in FASHION_MNIST:
        trained = find_taught(task)
        trained.require_options(options)
        return trained.prepare(Path(data), options, progress=progress)
    if options.table is not None:
        raise UsageError(
            "--labels-csv", got=f"given for {data}, which has labels", next_step="leave it out"
        )
    for field, option in OPTION_NAMES.items():
        if getattr(options, field):
            raise UsageError(
                option, got=f"given for {data}, which has it all", next_step="leave it out"
            )
    if task != "classification":
        raise UsageError(
            "--task", got=f"{task} for {data}", expected="classification, which it is for"
        )
    return prepare_fashion_mnist(
        seed=options.seed,
        full=data == FASHION_MNIST[1],
        validation_share=options.validation_share,
        test_share=options.test_share,
        progress=progress,
    )
