"""One stage of training on pretrained weights: the new layers and the backbone's upper ones learn
together.

A network with several outputs has new layers at several depths, which lead the backbone's features
elsewhere than one vector does. So there is no stage on frozen features: all learn at one low rate,
the backbone with batch normalization in inference mode. The backbone's lower layers, most of its
arithmetic, stay as they are, unless the whole network is to be trained: they know edges and
textures, which any pictures have.
"""

from __future__ import annotations

from typing import Any

from edgeinfer.converters.common.progress import Progress
from edgeinfer.host.tasks.task import TaughtTask
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.data.batches import Batches
from edgeinfer.host.training.fit import FitStage
from edgeinfer.host.training.history import History


def train_jointly(
    model: Any,
    train: Batches,
    validation: Batches,
    config: TrainConfig,
    fit_stage: FitStage,
    *,
    stage: str = "train",
    history: History,
    progress: Progress,
) -> None:
    """Train a task's own network whose backbone has pretrained weights.

    Args:
        model: the network; it holds the best weights at the end.
        train: shuffled batches.
        validation: batches in order.
        config: the settings.
        fit_stage: trains the stage.
        stage: names the epochs in the history.
        history: gets every epoch.
        progress: reports every step.

    Raises:
        TrainingError: the loss became infinite or NaN.
        StorageError: the history or a checkpoint cannot be written.
    """
    task = train.lesson.task
    freeze(model, config, task)
    network = task.learner(model)
    fit_stage(network, train, validation, config, stage=stage, history=history, progress=progress)
    for layer in model.layers:
        layer.trainable = True


def freeze(model: Any, config: TrainConfig, task: TaughtTask) -> None:
    """Make the layers untrainable that stay as they are."""
    import keras

    lower = () if config.fine_tune == "whole" else task.lower_layers(model)
    names = {layer.name for layer in lower}
    for layer in task.backbone_layers(model):
        # Statistics of a few pictures are worse than those of a million.
        normalizes = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = not normalizes and layer.name not in names
