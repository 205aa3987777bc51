"""Times compared with the baseline: the ratio is what counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.core.errors import ModelError, RemoteError
from edgeinfer.device.core.ssh import SshHost
from edgeinfer.host.search.time_models import BoardTimer, LocalTimer
from tests.host.search.examples import sample_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(sample_model())
    return path


def test_a_model_takes_as_long_as_itself(model: Path) -> None:
    # The machine may be busy; in turns with itself a model still comes out about even, and if not
    # now, then the next time.
    ratios: list[float] = []
    while not ratios or (not 0.5 < ratios[-1] < 2 and len(ratios) < 5):
        timing = LocalTimer(rounds=5).compare(model, model)
        assert timing.ratio_low <= timing.ratio <= timing.ratio_high
        assert timing.baseline_ms > 0
        ratios.append(timing.ratio)
    assert 0.5 < ratios[-1] < 2


def test_it_says_where_it_measures() -> None:
    timer = LocalTimer(threads=1)
    timer.check()
    assert "threads: 1" in timer.machine


def test_what_no_runtime_takes_is_an_error(model: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(sample_model()[:200])
    with pytest.raises(ModelError):
        LocalTimer(rounds=1).compare(model, broken)


def test_a_board_that_does_not_answer_is_reported_immediately() -> None:
    host = SshHost("nobody@127.0.0.1", ("Port=1", "ConnectTimeout=5"))
    with pytest.raises(RemoteError, match="cannot be reached"):
        BoardTimer(host).check()
