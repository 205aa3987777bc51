"""How a model was made, as text."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

from edgeinfer.host.training.config import TrainConfig
from edgeinfer.host.training.history import History

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
        **{f"version.{name}": version for name in versions if (version := _version(name))},
    }


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
