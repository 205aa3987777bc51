"""TrainConfig: defaults per architecture, and refusals that name the option."""

from __future__ import annotations

from typing import Any

import pytest

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.models import ARCHITECTURES
from edgeinfer.host.training.config import TrainConfig, default_config


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_has_defaults(name: str) -> None:
    config = default_config(name)
    assert config.size == (ARCHITECTURES[name].size,) * 2
    assert config.pretrained == ARCHITECTURES[name].pretrained
    # Two stages belong to pretrained weights, and only to them.
    assert config.fine_tune_epochs == (None if config.pretrained else 0)


def test_overrides_win_and_none_means_default() -> None:
    config = default_config("efficientnet-lite0", epochs=7, learning_rate=None, seed=3)
    assert (config.epochs, config.seed) == (7, 3)
    assert config.learning_rate == default_config("efficientnet-lite0").learning_rate
    scratch = default_config("efficientnet-lite0", initializer="he")
    assert scratch.fine_tune_epochs == 0


def test_settings_are_text_for_the_provenance() -> None:
    settings = default_config("resnet8").settings()
    assert settings["architecture"] == "resnet8"
    assert settings["size"] == "(32, 32)"
    assert all(isinstance(value, str) for value in settings.values())


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 0),
        ("patience", 0),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("fine_tune_learning_rate", -1.0),
        ("weight_decay", -0.1),
        ("label_smoothing", 1.0),
        ("momentum", 1.0),
        ("dropout", 1.0),
        ("width", 0.0),
        ("width", float("inf")),
        ("seed", -1),
        ("size", (4, 32)),
        ("size", (32, 5000)),
        ("optimizer", "lion"),
        ("schedule", "linear"),
        ("loss", "hinge"),
        ("class_weights", "inverse"),
        ("region", (0.5, 0.0, 0.6, 1.0)),
        ("region", (0.0, 0.0, 0.0, 1.0)),
        ("channels", "rgba"),
        ("augment", "wild"),
        ("fine_tune", "half"),
    ],
)
def test_impossible_values_are_refused(setting: str, value: Any) -> None:
    arguments: dict[str, Any] = {"architecture": "resnet8", "size": (32, 32), setting: value}
    with pytest.raises(UsageError, match="^--" + setting.replace("_", "-") + ": .*expected"):
        TrainConfig(**arguments)


def test_unknown_architectures_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="efficientnet-lite0"):
        default_config("vgg")


def test_muon_is_for_networks_from_random_weights() -> None:
    assert default_config("small-cnn", optimizer="muon").optimizer == "muon"
    with pytest.raises(UsageError, match="random weights"):
        default_config("efficientnet-lite0", optimizer="muon")
