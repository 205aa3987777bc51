"""The file of a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeinfer.converters.run_folder.trained_run import KERAS_FILE
from edgeinfer.device.core.errors import storage_error


def save_network(model: Any, folder: Path, out: Path) -> None:
    """Write only the network, without the optimizer, whose state is twice as large and not needed.

    Args:
        model: the network.
        folder: where it is written.
        out: where the folder will be, for messages.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    import keras

    bare = keras.Model(model.input, model.output, name=model.name)
    try:
        bare.save(folder / KERAS_FILE)
    except OSError as error:
        raise storage_error(out / KERAS_FILE, error) from error
