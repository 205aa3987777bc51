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
    if rows != known:
        model = _with_outputs(model, rows, lesson.task.last_layers())
    return model, trained


def _with_outputs(model: Any, rows: Sequence[int | None], last: Sequence[str]) -> Any:
    """Return a model with other last layers, whose known outputs keep their weights.

    Args:
        model: the network of a run.
        rows: for each output its place in the model's own, or None for a new one.
        last: the names of the layers with one unit, or filter, for each output.
    """
    import keras

    made = {name: _last_layer(model.get_layer(name), rows) for name in last}
    old = {id(model.get_layer(name).output): name for name in last}

    def new(output: Any) -> Any:
        name = old.get(id(output))
        return output if name is None else made[name]

    outputs = model.output
    outputs = list(map(new, outputs)) if isinstance(outputs, list) else new(outputs)
    return keras.Model(model.input, outputs, name=model.name)


def _last_layer(old: Any, rows: Sequence[int | None]) -> Any:
    """Return the output of a layer in another's place, which keeps the weights of known outputs."""
    count = "units" if "units" in old.get_config() else "filters"
    layer = old.__class__.from_config({**old.get_config(), count: len(rows)})
    output = layer(old.input)
    arrays = [np.array(array) for array in layer.get_weights()]
    for array, known in zip(arrays, old.get_weights(), strict=True):
        for place, row in enumerate(rows):
            if row is not None:
                array[..., place] = known[..., row]
    layer.set_weights(arrays)
    return output


def _text(value: object) -> str:
    if not isinstance(value, tuple):
        return "not given" if value is None else str(value)
    return ("x" if len(value) == 2 else ",").join(map(str, value))
