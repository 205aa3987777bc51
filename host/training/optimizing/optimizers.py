"""Optimizers by name."""

from __future__ import annotations

from typing import Any

import keras

from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.optimizing.muon import Muon


def make_optimizer(config: TrainConfig) -> Any:
    """Return the Keras optimizer; `Schedule` changes its learning rate."""
    shared: dict[str, Any] = {"learning_rate": config.learning_rate}
    # Keras applies weight_decay decoupled from the gradient in every optimizer.
    shared["weight_decay"] = config.weight_decay or None
    if config.clip_norm:
        shared["global_clipnorm"] = config.clip_norm
    if config.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(momentum=config.momentum, nesterov=True, **shared)
    elif config.optimizer == "rmsprop":
        optimizer = keras.optimizers.RMSprop(**shared)
    elif config.optimizer == "adam":
        optimizer = keras.optimizers.Adam(**shared)
    else:
        shared["weight_decay"] = config.weight_decay
        optimizer = (Muon if config.optimizer == "muon" else keras.optimizers.AdamW)(**shared)
    # Decay pulls weights towards 0, which makes no sense for a bias or a normalization's scale.
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
