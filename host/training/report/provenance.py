"""How a model was made, as text; and what must be the same to go on making it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, TRAINED_FILE
from edgeinfer.device.core.errors import ModelError
from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.distillation.teacher import TeacherConfig
from edgeinfer.host.training.history import History
from edgeinfer.host.training.keeping.identity import Identity, sample_lines
from edgeinfer.host.training.report.device import training_device

if TYPE_CHECKING:
    from edgeinfer.host.data.dataset import PreparedData


def provenance(
    data: PreparedData, config: TrainConfig, model: Any, history: History, seconds: float
) -> dict[str, str]:
    """Return how the model was made, as text."""
    versions = ("edgeinfer", "keras", "tensorflow", "tensorflow-cpu", "numpy")
    return {
        "data": data.name,
        **{f"samples.{split}": str(len(samples)) for split, samples in data.splits.items()},
        **{f"setting.{name}": value for name, value in config.settings().items()},
        "parameters": str(model.count_params()),
        "epochs": str(len(history.epochs)),
        "seconds": f"{seconds:.0f}",
        "device": training_device(),
        **{f"version.{name}": version for name in versions if (version := _version(name))},
    }


def training_identity(
    data: PreparedData, config: TrainConfig, teacher: TeacherConfig | None, start: Path | None
) -> Identity:
    """Return what must be the same to go on with a training.

    Raises:
        ModelError: the teacher's run, or the one to start from, cannot be read.
    """
    settings = {_option(name): value for name, value in config.settings().items()}
    settings |= {"--task": data.task, "the classes": ", ".join(data.labels)}
    if teacher is not None:
        settings |= {
            "--teacher": f"{os.path.abspath(teacher.run)} ({run_digest(teacher.run)})",
            "--teacher-weight": f"{teacher.weight:g}",
            "--temperature": f"{teacher.softness:g}",
            "--teacher-features": str(teacher.features),
        }
    if start is not None:
        settings["--from"] = f"{os.path.abspath(start)} ({run_digest(start)})"
    return Identity(settings=settings, samples=sample_lines(data.splits))


def run_digest(run: Path) -> str:
    """Return a short digest of a run's network and description.

    Raises:
        ModelError: they cannot be read.
    """
    digest = hashlib.blake2b(digest_size=6)
    for name in (KERAS_FILE, TRAINED_FILE):
        try:
            digest.update((run / name).read_bytes())
        except OSError as error:
            raise ModelError(
                run, got=f"has no readable {name}", next_step="train that run again"
            ) from error
    return digest.hexdigest()


def _option(name: str) -> str:
    return "--init" if name == "initializer" else "--" + name.replace("_", "-")


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
