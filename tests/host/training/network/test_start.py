"""A network that begins with a run's weights keeps what it knows and takes new labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.tasks.task import Said
from edgeinfer.host.tasks.classification.task import TASK
from edgeinfer.host.tasks.lesson import Lesson
from edgeinfer.host.training.config import default_config
from tests.host.training.distillation.teacher_run import write_teacher

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run for the classes left and right."""
    return write_teacher(tmp_path_factory.mktemp("runs") / "run")


def _lesson(*labels: str) -> Lesson:
    return Lesson(task=TASK, said=Said(labels=labels))


def test_known_labels_keep_their_weights(run: Path) -> None:
    import keras

    from edgeinfer.host.training.network.start import start_network, start_settings

    settings = start_settings(run)
    config = default_config(settings.pop("architecture"), **settings)
    old = keras.saving.load_model(run / "model.keras", compile=False)
    same, trained = start_network(run, config, _lesson("left", "right"))
    assert trained.labels == ("left", "right")
    grown, _ = start_network(run, config, _lesson("above", "right", "left"))
    for array, known in zip(same.get_weights(), old.get_weights(), strict=True):
        np.testing.assert_array_equal(array, known)
    *below, kernel, bias = grown.get_weights()
    for array, known in zip(below, old.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(array, known)
    np.testing.assert_array_equal(kernel[:, [2, 1]], old.get_weights()[-2])
    np.testing.assert_array_equal(bias[[2, 1]], old.get_weights()[-1])
    assert np.any(kernel[:, 0] != 0)
    with pytest.raises(UsageError, match="none of the outputs"):
        start_network(run, config, _lesson("cat", "dog"))


def test_settings_that_do_not_fit_are_refused(run: Path, tmp_path: Path) -> None:
    from edgeinfer.host.training.network.start import start_network, start_settings

    settings = start_settings(run)
    name = settings.pop("architecture")
    other = default_config(name, **{**settings, "size": (24, 24)})
    with pytest.raises(UsageError, match="--size: is 24x24, expected "):
        start_network(run, other, _lesson("left", "right"))
    with pytest.raises(ModelError, match="does not exist"):
        start_settings(tmp_path / "none")
