"""A network that begins with the weights of a trained run, also for other classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgeinfer.converters.run_folder.trained_run import TrainedModel, read_trained
from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.network.load_network import load_network


def start_settings(run: Path) -> dict[str, Any]:
    """Return the settings that a training from a run's weights must have.

    Raises:
        ModelError: it is not a run, or damaged.
    """
    trained = read_trained(run)
    spec, facts = trained.preprocess, trained.provenance
    return {
        "architecture": facts.get("setting.architecture", "small-cnn"),
        "size": spec.size,
        "channels": spec.channels,
        "crop": spec.crop,
        "region": spec.region,
        "initializer": facts.get("setting.initializer", "he"),
    }


def start_network(run: Path, config: TrainConfig, lesson: Lesson) -> tuple[Any, TrainedModel]:
    """Return a run's network for a lesson, and the description of the run.

    Outputs that the run has keep their weights; new ones begin with random weights.

    Args:
        run: the run.
        config: the settings, which must fit the run.
        lesson: what the network is to learn.

    Raises:
        UsageError: the run has another task, or the settings do not fit it.
        ModelError: it is not a run, or damaged.
    """
    import keras

    trained = read_trained(run)
    if trained.task != lesson.task.name:
        raise UsageError(
            "--from", got=f"is a run for the task '{trained.task}'", expected=lesson.task.name
        )
    for name, expected in start_settings(run).items():
        got = getattr(config, name)
        if got != expected:
            option = "--init" if name == "initializer" else f"--{name}"
            raise UsageError(
                option,
                got=f"is {_text(got)}",
                expected=f"{_text(expected)}, as in {run}",
                next_step="leave it out, or train without --from",
            )
    rows = lesson.task.known_outputs(run, trained.said, lesson.said)
    keras.utils.set_random_seed(config.seed)
    model = load_network(run, trained)
    known = list(range(lesson.task.numbers(trained.said)))
    return (model if rows == known else _with_outputs(model, rows)), trained


def _with_outputs(model: Any, rows: Sequence[int | None]) -> Any:
    """Return a model with another last layer, whose known outputs keep their weights.

    Args:
        model: of `edgeinfer.host.models`.
        rows: for each output its place in the model's own, or None for a new one.
    """
    import keras

    old = model.get_layer("logits")
    settings = {**old.get_config(), "units": len(rows)}
    new = old.__class__.from_config(settings)
    network = keras.Model(model.input, new(old.input), name=model.name)
    arrays = [np.array(array) for array in new.get_weights()]
    for array, known in zip(arrays, old.get_weights(), strict=True):
        for place, row in enumerate(rows):
            if row is not None:
                array[..., place] = known[..., row]
    new.set_weights(arrays)
    return network


def _text(value: object) -> str:
    if not isinstance(value, tuple):
        return "not given" if value is None else str(value)
    return ("x" if len(value) == 2 else ",").join(map(str, value))
