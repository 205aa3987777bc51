"""How many epochs fine-tuning may take: a function of the data's size, so every repeat has it."""

from __future__ import annotations

from dataclasses import replace

from edgeinfer.host.training.config import TrainConfig

LEAST_EPOCHS = 2
MOST_EPOCHS = 12
PICTURES = 7_200
"""Fine-tuning may pass this many pictures through the network, or two epochs of more pictures.

That is the time of two epochs of 3,600 pictures. It is counted in pictures, not in seconds: a time
limit would train another model on another machine, and in a repeat on a busy one.
"""


def with_fine_tuning(config: TrainConfig, pictures: int) -> TrainConfig:
    """Return the settings with a number of epochs for fine-tuning, where it is left open.

    It is the most that the budget allows; the validation loss chooses among them.

    Args:
        config: the settings.
        pictures: in the training split.

    >>> from edgeinfer.host.training.config import default_config
    >>> config = default_config("efficientnet-lite0")
    >>> [with_fine_tuning(config, count).fine_tune_epochs for count in (100, 900, 3600, 60000)]
    [12, 8, 2, 2]
    """
    if config.fine_tune_epochs is not None:
        return config
    epochs = min(MOST_EPOCHS, max(LEAST_EPOCHS, PICTURES // max(1, pictures)))
    return replace(config, fine_tune_epochs=epochs)
