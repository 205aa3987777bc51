"""Ctrl-C in commands of the workstation: real processes, on a real terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.terminal import Terminal


@pytest.mark.long
def test_a_training_that_is_stopped_says_how_to_go_on(tmp_path: Path) -> None:
    shown = Terminal("train", "fashion-mnist", "--out", "run", "--epochs", 50, cwd=tmp_path)
    shown.wait_for("loading TensorFlow")
    shown.wait_for("train epoch 1")
    shown.interrupt()
    assert shown.end() == 130
    said = " ".join(" ".join(shown.lines).split())
    assert "error: stopped" in said
    assert "`edgeinfer train fashion-mnist --epochs 50 --out run --resume`" in said
    # No run, only the checkpoints that it goes on with.
    assert [path.name for path in tmp_path.iterdir()] == [".run.training"]
