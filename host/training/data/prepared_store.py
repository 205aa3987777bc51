"""The pictures of a split, prepared on disk, and the spec that they are prepared by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.models import architecture
from edgeinfer.host.tasks.task import Motions, Rows, TaughtTask
from edgeinfer.host.training.config import TrainConfig

if TYPE_CHECKING:
    from edgeinfer.host.data.store import ImageStore


def first_spec(config: TrainConfig) -> PreprocessSpec:
    """Return the spec of the settings, with the backbone's normalization or without one."""
    spec = PreprocessSpec(
        size=config.size,
        channels=config.channels,
        crop=config.crop,
        region=config.region,
        mean=(127.5,) * (1 if config.channels == "grey" else 3),
        std=(127.5,) * (1 if config.channels == "grey" else 3),
    )
    known = architecture(config.architecture).normalization_for(config.channels)
    if not config.pretrained or known is None:
        return spec
    return replace(spec, mean=known[0], std=known[1])


def with_statistics(spec: PreprocessSpec, config: TrainConfig, store: ImageStore) -> PreprocessSpec:
    """Normalize with the training pictures' own mean and deviation, unless weights need another."""
    from edgeinfer.host.data.dataset import channel_statistics

    if config.pretrained:
        return spec
    mean, std = channel_statistics(store)
    return replace(spec, mean=mean, std=std)


def prepare_store(
    samples: Sequence[Sample],
    split: Split,
    spec: PreprocessSpec,
    folder: Path,
    progress: Progress,
    task: TaughtTask,
) -> ImageStore:
    """Prepare a split's pictures on disk, in a file in `folder`, with the task's targets.

    A file that is there is of a training that was stopped, and is used.

    Raises:
        DataError: a sample cannot be read.
        StorageError: the disk is full or cannot be written.
    """
    from edgeinfer.host.data.store import ImageStore, build_store

    path, rows = folder / f"{split}.u8", task.rows(samples, spec)
    if path.is_file():
        return ImageStore(path, rows, spec.shape)
    progress.start(f"{split}: preparing {len(samples)} pictures", len(samples))
    return build_store(
        *(samples, spec, path, rows),
        progress=progress,
    )


def mover(task: TaughtTask, size: tuple[int, int]) -> Callable[[Rows, Motions], Rows]:
    """Return the function that moves a task's targets with their pictures of (width, height)."""
    return lambda rows, motions: task.moved(rows, motions, size)
