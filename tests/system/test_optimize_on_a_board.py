"""`edgeinfer optimize --measure-on`, over a real SSH connection to this machine."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import RemoteError, UnreachableError
from edgeinfer.device.core.ssh import SshHost
from edgeinfer.host.search.time_models import BoardTimer
from tests.host.search.examples import sample_model
from tests.support.program import edgeinfer
from tests.system.sshd import Sshd, running_sshd

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "edgeinfer"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edgeinfer.device.cli "$@"\n')
    path.chmod(0o755)
    return path


def _host(board: Sshd) -> SshHost:
    options = board.options()
    assert options[::2] == ["--host", *["--ssh-option"] * (len(options) // 2 - 1)]
    return SshHost(options[1], options[3::2])


def test_both_are_timed_there(board: Sshd, program: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(sample_model())
    timer = BoardTimer(_host(board), program=str(program), rounds=2, seconds=0.1)
    timer.check()
    timing = timer.compare(model, model)
    assert timing.baseline_ms > 0
    assert timing.ratio_low <= timing.ratio <= timing.ratio_high
    assert board.left_over() == []


def test_a_board_without_edgeinfer_is_reported_immediately(board: Sshd) -> None:
    with pytest.raises(RemoteError, match="there is no program `/no/such`") as caught:
        BoardTimer(_host(board), program="/no/such").check()
    assert "--remote-program" in caught.value.next_step


def test_a_board_that_vanishes_ends_the_search(
    tmp_path_factory: pytest.TempPathFactory, program: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(sample_model())
    with running_sshd(tmp_path_factory.mktemp("vanishing")) as server:
        timer = BoardTimer(_host(server), program=str(program), rounds=1, seconds=0.05)
        timer.check()
    with pytest.raises(UnreachableError, match="cannot be reached"):
        timer.compare(model, model)


def test_a_whole_search_is_timed_there(board: Sshd, program: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="training needs the host extra")
    run, out = tmp_path / "clothes", tmp_path / "out"
    small = ("--architecture", "small-cnn", "--width", "0.25", "--epochs", "1")
    trained = edgeinfer("train", "fashion-mnist", *small, "--out", run)
    assert trained.returncode == 0, trained.stderr
    host, *options = board.options()[1:]
    there = ("--measure-on", host, *options, "--remote-program", program)
    budget = ("--budget-accuracy", "60", "--max-candidates", "1", "--time-limit", "1h")
    done = edgeinfer("optimize", run, *there, *budget, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["trials"] == 1
    assert answer["baseline"]["machine"] == f"{host}, threads: 1"
    trials = list(csv.DictReader(io.StringIO((out / "trials.csv").read_text())))
    assert float(trials[0]["ratio"]) > 0
    assert host in (out / "report.html").read_text()
    assert edgeinfer("verify", answer["bundle"]).returncode == 0
    assert board.left_over() == []
