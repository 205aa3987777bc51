"""Which augmentation to use for which data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeinfer.device.preprocess import PreprocessSpec, normalize_table
from edgeinfer.host.data.augment import AugmentConfig, augment_batch
from edgeinfer.host.tasks.task import Motions, TaughtTask
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Augment, Images, ImageSource
from edgeinfer.host.training.data.mosaic_source import MosaicSource
from edgeinfer.host.training.data.prepared_store import mover

MOSAIC = "mosaic"


def training_pictures(
    images: Images, spec: PreprocessSpec, config: TrainConfig, task: TaughtTask
) -> ImageSource:
    """Return the pictures to learn from, with the random changes of the settings.

    Args:
        images: prepared.
        spec: how they were prepared, and how they become the network's input.
        config: the settings.
        task: the task; `require_fitting` says whether it takes the settings.
    """
    augment, _ = choose_augmentation(config, task)
    table, move = normalize_table(spec), mover(task, spec.size)
    if config.augment == MOSAIC:
        return MosaicSource(images, table, augment, move, task=task)
    return ImageSource(images, table, augment, move)


def choose_augmentation(config: TrainConfig, task: TaughtTask) -> tuple[Augment | None, bool]:
    """Return the function that changes a training batch, and whether pictures may be mirrored.

    Changes that would make the task's targets wrong are left out.

    `auto` takes `small-grey` for grey input, and `photos` for colour and for pretrained weights,
    which were trained on photographs.
    """
    name = config.augment
    if name == "auto":
        name = "small-grey" if config.channels == "grey" and not config.pretrained else "photos"
    settings = {
        "none": AugmentConfig.none(),
        "flip": AugmentConfig(flip=True),
        "photos": AugmentConfig.photos(),
        "small-grey": AugmentConfig.small_grey(),
        MOSAIC: AugmentConfig.photos(),
    }[name]
    settings = task.allowed(settings)
    if settings == AugmentConfig.none():
        return None, False

    def augment(
        images: NDArray[np.uint8], generator: np.random.Generator
    ) -> tuple[NDArray[np.uint8], Motions]:
        return augment_batch(images, settings, generator)

    return augment, settings.flip
