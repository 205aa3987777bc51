"""A trained run that several commands begin with."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeinfer.host.cli.training.train import train
from tests.support.made_once import made_once

SHORT = ("fashion-mnist", "--epochs", "1", "--width", "0.25", "--json")
"""Of `edgeinfer train`: the shortest training on the embedded pictures."""

TOLD = "told.json"
"""What the command printed, next to the run."""


@pytest.fixture(scope="session")
def fashion_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `edgeinfer train` leaves of the embedded pictures; not to be changed."""
    pytest.importorskip("tensorflow", reason="training needs the host extra")
    return made_once(tmp_path_factory, "fashion_run", _train) / "clothes"


def _train(folder: Path) -> None:
    # For pictures so small the network has few layers.
    arguments = [*SHORT, "--size", "12", "--seed", "5", "--out", str(folder / "clothes")]
    result = CliRunner().invoke(train, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    (folder / TOLD).write_text(result.stdout)
