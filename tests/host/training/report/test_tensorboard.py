from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import MissingExtraError
from edgeinfer.host.training.history import History
from edgeinfer.host.training.report.tensorboard import TensorBoardLogs, check_tensorboard
from tests.host.training.report.test_curves import epochs


def test_without_its_library_an_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "tensorboard" else find(name)
    )
    with pytest.raises(MissingExtraError) as caught:
        check_tensorboard("--tensorboard")
    assert caught.value.subject == "--tensorboard"
    assert "tensorboard" in caught.value.next_step


def test_a_history_passes_its_figures_on() -> None:
    got: list[object] = []

    class Logs:
        def step(self, loss: float) -> None:
            got.append(loss)

        def epoch(self, epoch: object) -> None:
            got.append(epoch)

    history = History(logs=Logs())
    (epoch,) = epochs(train=1)
    history.step(0.5)
    history.add(epoch)
    assert got == [0.5, epoch]
    # A training that goes on has its own logs, which hold what was before as well.
    earlier = epochs(head=2)
    history.extend(iter(earlier))
    assert got == [0.5, epoch, *earlier]
    assert history.epochs == [epoch, *earlier]


def test_logs_hold_every_epoch_and_every_tenth_step(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    first, second = (TensorBoardLogs(tmp_path, "photos") for _ in range(2))
    assert [first.folder.name, second.folder.name] == ["photos", "photos-2"]
    for number in range(25):
        first.step(number / 10)
    for epoch in epochs(head=2, fine_tune=1):
        first.epoch(epoch)
    first.close()
    second.close()
    read = EventAccumulator(str(first.folder))
    read.Reload()

    def values(tag: str) -> list[tuple[int, float]]:
        return [
            (event.step, round(float(make_ndarray(event.tensor_proto)), 4))
            for event in read.Tensors(tag)
        ]

    assert values("epoch/loss/validation") == [(1, 1.0), (2, 0.5), (3, 1.0)]
    assert values("step/loss") == [(10, 0.9), (20, 1.9)]
