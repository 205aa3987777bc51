"""The network of a trained run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, TRAINED_FILE, TrainedModel
from edgeinfer.device.core.errors import ModelError
from edgeinfer.host.tasks.registry import find_taught


def load_network(run: Path, trained: TrainedModel) -> Any:
    """Return a run's Keras model.

    Raises:
        ModelError: it is missing, damaged, or not the model that `trained.json` describes.
    """
    import keras

    path = run / KERAS_FILE
    try:
        model = keras.saving.load_model(path, compile=False)
    # Keras passes on any exception of its readers of ZIP, JSON and HDF5.
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ModelError(
            path, got=f"cannot be loaded ({reason})", next_step="train that run again"
        ) from error
    shapes = (tuple(model.input_shape[1:]), tuple(model.output_shape[1:]))
    expected = (trained.preprocess.shape, (find_taught(trained.task).numbers(trained.said),))
    if shapes != expected:
        raise ModelError(
            path,
            got=f"takes {shapes[0]} and gives {shapes[1]}",
            expected=f"{expected[0]} and {expected[1]} as {TRAINED_FILE} next to it says",
            next_step="train that run again",
        )
    return model
