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
    size = trained.preprocess.size
    outputs = find_taught(trained.task).output_shapes(trained.said, size)
    shapes = (tuple(model.input_shape[1:]), output_shapes(model))
    expected = (trained.preprocess.shape, list(outputs.values()))
    if shapes != expected:
        raise ModelError(
            path,
            got=f"takes {shapes[0]} and gives {_text(shapes[1])}",
            expected=f"{expected[0]} and {_text(expected[1])} as {TRAINED_FILE} next to it says",
            next_step="train that run again",
        )
    return model


def output_shapes(model: Any) -> list[tuple[int, ...]]:
    """Return the shapes of a model's outputs without the batch, in their order."""
    outputs = model.output
    several = outputs if isinstance(outputs, list) else [outputs]
    return [tuple(output.shape[1:]) for output in several]


def _text(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))
