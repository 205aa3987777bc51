"""What a model is trained on: a folder's pictures, or a data set with a name, checked and split."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.data.dataset import PreparedData, prepare_fashion_mnist
from edgeinfer.host.tasks.registry import find_taught

FASHION_MNIST = ("fashion-mnist", "fashion-mnist:full")
"""What comes with edgeinfer, and the whole set, which is installed or downloaded."""


def prepare_data(
    data: str,
    *,
    task: str,
    seed: int,
    validation_share: float | None,
    test_share: float | None,
    progress: Progress,
) -> PreparedData:
    """Return the splits of a folder of pictures, or of a data set with a name.

    Args:
        data: a folder, or one of `FASHION_MNIST`.
        task: what is to be learned from it.
        seed: of the split.
        validation_share: of the pictures that are in no split; None for the task's own.
        test_share: also of those.
        progress: told what is going on.

    Raises:
        DataError: it cannot be used.
        UsageError: the data set is for another task, or the shares are impossible.
    """
    if data not in FASHION_MNIST:
        return find_taught(task).prepare(
            Path(data),
            seed=seed,
            validation_share=validation_share,
            test_share=test_share,
            progress=progress,
        )
    if task != "classification":
        raise UsageError(
            "--task", got=f"{task} for {data}", expected="classification, which it is for"
        )
    return prepare_fashion_mnist(
        seed=seed,
        full=data == FASHION_MNIST[1],
        validation_share=validation_share,
        test_share=test_share,
        progress=progress,
    )
