"""Options of training stages: a task in one stage takes those that mean something there."""

from __future__ import annotations

from typing import Any

import pytest

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.cli.training.train_settings import make_config
from edgeinfer.host.training.config import TrainConfig


def config(task: str, **settings: Any) -> TrainConfig:
    known = {"initializer": None, "size": None, "channels": None, **settings}
    return make_config("efficientnet-lite0", known, weights=None, grey_28=False, task=task)


@pytest.mark.parametrize("task", ["detection", "points"])
def test_one_stage_takes_the_layers_and_refuses_what_a_second_stage_needs(task: str) -> None:
    assert config(task).fine_tune == "upper"
    assert config(task, fine_tune="whole").fine_tune == "whole"
    for name, value in (("fine_tune_epochs", 3), ("fine_tune_learning_rate", 1e-5)):
        with pytest.raises(UsageError, match=f"--{name.replace('_', '-')}: is given for the task"):
            config(task, **{name: value})


def test_a_task_in_two_stages_refuses_them_without_a_second_stage() -> None:
    with pytest.raises(UsageError, match="--fine-tune-epochs 0, which leaves the second stage out"):
        config("classification", fine_tune="upper", fine_tune_epochs=0)
