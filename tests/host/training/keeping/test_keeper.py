"""A training that was stopped at any step ends with the weights of one that was not."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Silent
from edgeinfer.device.core.errors import StorageError
from edgeinfer.host.training.config import TrainConfig, default_config
from edgeinfer.host.training.data.batches import Batches, ImageSource
from edgeinfer.host.training.history import History
from edgeinfer.host.training.keeping import kept_stage
from edgeinfer.host.training.keeping.checkpoint_file import Checkpoint
from edgeinfer.host.training.keeping.keeper import Keeper
from tests.host.training.data.problem import classes, squares

pytestmark = pytest.mark.slow

TABLE = ((np.arange(256.0) - 60) / 60).astype(np.float32)[None]
CONFIG = default_config(
    "resnet8",
    size=(8, 8),
    channels="grey",
    schedule="plateau",
    learning_rate=0.05,
    clip_norm=1.0,
    epochs=3,
    patience=2,
    batch_size=16,
    seed=1,
)
STEPS = 4


class _Stopping(Silent):
    """Stops a training at one of its steps, as Ctrl-C does; and keeps what is said."""

    def __init__(self, at: int = 0) -> None:
        self._at, self._steps = at, 0
        self.said: list[str] = []

    def advance(self, steps: int = 1, note: str = "") -> None:
        if note:
            self._steps += 1
            if self._steps == self._at:
                raise KeyboardInterrupt

    def say(self, line: str) -> None:
        self.said.append(line)


@pytest.fixture(autouse=True)
def _each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint at every step, whatever it costs."""
    monkeypatch.setattr(kept_stage, "WITHIN_EPOCH_S", 0.0)
    monkeypatch.setattr(kept_stage, "TIME_SHARE", 1.0)


def _batches(count: int, *, seed: int | None, data_seed: int) -> Batches:
    source = ImageSource(squares(count, seed=data_seed), TABLE)
    return Batches(source=source, lesson=classes(2), batch_size=16, seed=seed)


def _train(
    folder: Path | None, progress: _Stopping, config: TrainConfig = CONFIG
) -> tuple[list[NDArray[Any]], History]:
    """Train a small network in two stages and return its weights."""
    import keras

    from edgeinfer.host.training.fit import fit, with_dropout

    keras.utils.set_random_seed(3)
    inputs = keras.Input((8, 8, 1), name="image")
    features = keras.layers.Flatten(name="pool")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(features))
    history = History()
    stage = Keeper(folder, seed=config.seed, progress=progress).stages(fit)
    for name in ("first", "second"):
        stage(
            with_dropout(model, 0.3),
            _batches(STEPS * 16, seed=1, data_seed=0),
            _batches(32, seed=None, data_seed=1),
            config,
            stage=name,
            history=history,
            progress=progress,
        )
    return model.get_weights(), history


@pytest.fixture(scope="module")
def unbroken() -> tuple[list[NDArray[Any]], History]:
    """What a training gives that keeps nothing and is not stopped."""
    return _train(None, _Stopping())


def _assert_equal(
    got: tuple[list[NDArray[Any]], History], expected: tuple[list[NDArray[Any]], History]
) -> None:
    for array, wanted in zip(got[0], expected[0], strict=True):
        assert array.tobytes() == wanted.tobytes()
    for epoch, wanted_epoch in zip(got[1].epochs, expected[1].epochs, strict=True):
        assert replace(epoch, seconds=0) == replace(wanted_epoch, seconds=0)


def test_stopped_again_and_again_it_ends_with_the_same_bits(
    tmp_path: Path, unbroken: tuple[list[NDArray[Any]], History]
) -> None:
    # Within an epoch, at an epoch's first step, and within the second stage.
    for at in (3, 3, 12):
        with pytest.raises(KeyboardInterrupt):
            _train(tmp_path, _Stopping(at))
    last = _Stopping()
    _assert_equal(_train(tmp_path, last), unbroken)
    assert last.said[0] == "first: finished before the training was stopped"
    assert last.said[1].startswith("second: goes on after epoch ")


def test_a_cut_checkpoint_falls_back_to_the_one_before(
    tmp_path: Path, unbroken: tuple[list[NDArray[Any]], History]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        _train(tmp_path, _Stopping(7))
    before, newest = sorted(tmp_path.glob("checkpoint-*"))
    assert kept_stage.kept_state(tmp_path) == "first epoch 1, step 2"
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    assert kept_stage.kept_state(tmp_path) == "first epoch 1, step 1"
    progress = _Stopping()
    _assert_equal(_train(tmp_path, progress), unbroken)
    assert progress.said[0].startswith(f"{newest.name} is damaged")
    assert progress.said[1] == "first: goes on after epoch 1, step 1"
    assert before.name < newest.name


def test_a_full_disk_leaves_the_checkpoints_whole(
    tmp_path: Path,
    unbroken: tuple[list[NDArray[Any]], History],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(KeyboardInterrupt):
        _train(tmp_path, _Stopping(6))
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(StorageError, match="no space"):
            _train(tmp_path, _Stopping())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept
    _assert_equal(_train(tmp_path, _Stopping()), unbroken)


def test_checkpoints_take_a_small_share_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_stage, "TIME_SHARE", 0.02)
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    def write(path: Path, checkpoint: object) -> None:
        clock[0] += 3.0

    monkeypatch.setattr(kept_stage, "write_checkpoint", write)
    stage = kept_stage.KeptStage(
        Keeper(tmp_path, seed=0, progress=Silent()), tmp_path, number=1, name="train"
    )
    assert stage.due(within_epoch=False)
    stage.write(Checkpoint(facts={}, arrays={}), History())
    clock[0] += 3.0 * 49 - 1
    assert not stage.due(within_epoch=False)
    clock[0] += 2.0
    assert stage.due(within_epoch=False)
