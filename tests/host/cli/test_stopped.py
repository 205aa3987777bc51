"""Ctrl-C in commands of the workstation: real processes, on a real terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.terminal import Terminal


@pytest.mark.long
def test_a_training_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    shown = Terminal("train", "fashion-mnist", "--out", "run", "--epochs", 50, cwd=tmp_path)
    shown.wait_for("loading TensorFlow")
    shown.wait_for("train epoch 1")
    shown.interrupt()
    assert shown.end() == 130
    assert [line for line in shown.lines if line][-1] == "error: stopped; nothing was written"
    assert list(tmp_path.iterdir()) == []
