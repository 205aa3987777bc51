"""A detector that has learned nothing: what `edgeinfer train` leaves, without its time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, TrainedModel, write_trained
from edgeinfer.host.data.dataset import DataOptions, PreparedData
from edgeinfer.host.models import build_model
from edgeinfer.host.tasks.detection.task import TASK
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.training.config import TrainConfig, default_config
from edgeinfer.host.training.data.prepared_store import first_spec
from edgeinfer.host.training.network.head import with_head
from tests.host.tasks.detection.boxed_pictures import CAT, DOG, Box, voc

SIDE = 64
LABELS = ("cat", "dog")


def boxed_data(folder: Path, count: int = 30) -> PreparedData:
    """Write pictures with a cat, a dog, or both, and return them prepared."""
    kinds: list[list[Box]] = [[CAT], [DOG], [CAT, DOG]]
    for number in range(count):
        voc(folder, f"p{number:02}", kinds[number % len(kinds)], number)
    return TASK.prepare(folder, DataOptions())


def detector_config(**settings: Any) -> TrainConfig:
    """Return settings of a small detector."""
    small = {"size": (SIDE, SIDE), "width": 0.25, "epochs": 1}
    return default_config("small-cnn", task="detection", **{**small, **settings})


def detector(data: PreparedData, config: TrainConfig) -> Any:
    """Return a network whose biases and statistics are as different as training leaves them."""
    model = build_model(
        config.architecture,
        input_shape=(config.size[1], config.size[0], 3),
        classes=len(data.labels),
        initializer="he",
        width=config.width,
        seed=0,
    )
    model = with_head(model, Lesson(task=TASK, said=data.said))
    generator = np.random.default_rng(0)
    for variable in model.weights:
        if len(variable.shape) == 1:
            value = np.asarray(variable)
            variable.assign(value + generator.uniform(0.01, 0.2, value.shape))
    return model


def detector_run(folder: Path, **settings: Any) -> Path:
    """Write pictures and a run of them into a folder; return the run's."""
    data = boxed_data(folder / "pictures")
    config = detector_config(**settings)
    run = folder / "run"
    run.mkdir()
    detector(data, config).save(run / KERAS_FILE)
    trained = TrainedModel(
        name="run",
        task=data.task,
        labels=data.labels,
        decoder=data.decoder,
        preprocess=first_spec(config),
        provenance={f"setting.{name}": text for name, text in config.settings().items()},
        metrics={},
    )
    write_trained(run, trained, data.splits)
    (run / "history.json").write_text(json.dumps([{"stage": "train", "seconds": 1.0}]))
    return run
