"""Which augmentation goes with which data."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from edgeinfer.host.tasks.classification.task import TASK
from edgeinfer.host.training.config import Augmentation, default_config
from edgeinfer.host.training.data.choose_augmentation import choose_augmentation


def _choose(**settings: Any) -> tuple[Any, bool]:
    return choose_augmentation(default_config("resnet8", **settings), TASK)


@pytest.mark.parametrize("name", get_args(Augmentation))
@pytest.mark.parametrize("channels", ["rgb", "grey"])
def test_pictures_keep_shape_and_dtype(name: str, channels: str) -> None:
    images = np.zeros((4, 12, 10, 1 if channels == "grey" else 3), np.uint8)
    images[:, :, :5] = 200
    augment, mirrored = _choose(augment=name, channels=channels)
    assert mirrored == (name != "none")
    if augment is None:
        assert name == "none"
        return
    changed, motions = augment(images, np.random.default_rng(0))
    assert motions.shape == (4, 2, 3)
    assert changed.shape == images.shape
    assert changed.dtype == np.uint8
    assert not np.array_equal(changed, images)


def test_auto_changes_the_light_of_photographs_only() -> None:
    """What pretrained weights learn from are photographs, grey ones too."""
    for name, channels, lit in (
        ("resnet8", "rgb", True),
        ("resnet8", "grey", False),
        ("efficientnet-lite0", "grey", True),
    ):
        augment, _ = choose_augmentation(default_config(name, channels=channels), TASK)
        assert augment is not None
        flat = np.full((8, 8, 8, 1 if channels == "grey" else 3), 100, np.uint8)
        assert bool((augment(flat, np.random.default_rng(0))[0] != 100).any()) == lit
