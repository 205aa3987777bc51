"""`edgeinfer optimize` on the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.run_folder.trained_run import read_samples, read_trained, write_trained
from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.models.bundle.strict import to_json
from edgeinfer.host.api.search import optimize as optimize_run
from edgeinfer.host.cli.optimize import _seconds, optimize
from edgeinfer.host.search.budget import Budget
from edgeinfer.host.search.search import SearchOptions
from tests.host.search.examples import make_run
from tests.support.program import PROGRAM, edgeinfer, error_line

WAIT_S = 300


def test_the_command_imports_nothing_heavy() -> None:
    code = (
        "import sys, edgeinfer.host.cli.optimize; "
        "sys.exit(bool({'keras', 'tensorflow', 'optuna', 'numpy', 'rich'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "seconds"), [("20m", 1200), ("1h30m", 5400), ("90s", 90), ("90", 90), ("2H", 7200)]
)
def test_times_are_read(text: str, seconds: float) -> None:
    assert _read_time(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-3m", "1.5h", "20 m", "0", "1d", "3m2h", "٣m"])
def test_a_text_that_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        _read_time(text)


def _read_time(text: str) -> float:
    return _seconds(click.Context(optimize), optimize.params[0], text)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "clothes")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--budget-accuracy", "-1"], "--budget-accuracy: -1"),
        (["--budget-ms", "0"], "--budget-ms: 0"),
        (["--budget-kb", "nan"], "--budget-kb: nan"),
        (["--board", "toaster"], "--board toaster: is not a known board"),
        (["--measure-on", "-oProxyCommand=x"], "is not a host"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments: list[str], says: str, run: Path) -> None:
    result = CliRunner().invoke(optimize, [str(run), *arguments])
    assert isinstance(result.exception, EdgeinferError), result.output
    assert result.exception.exit_code == 2
    assert says in str(result.exception)
    assert not (run.parent / "clothes-optimized").exists()


def test_options_of_a_board_need_a_board(run: Path) -> None:
    result = CliRunner().invoke(optimize, [str(run), "--ssh-option", "Port=1"])
    assert result.exit_code == 2
    assert "need --measure-on" in result.output


def test_a_folder_that_is_not_a_run_is_one_line(tmp_path: Path) -> None:
    line = error_line(edgeinfer("optimize", tmp_path / "no"))
    assert "no: does not exist, expected a folder that `edgeinfer train` made" in line


def test_out_is_not_the_run(run: Path) -> None:
    line = error_line(edgeinfer("optimize", run, "--out", run), code=2)
    assert "is the folder RUN" in line


def test_a_board_that_is_away_is_reported_before_anything_is_done(
    run: Path, tmp_path: Path
) -> None:
    away = ("--measure-on", "nobody@127.0.0.1", "--ssh-option", "Port=1")
    line = error_line(edgeinfer("optimize", run, *away, "--out", tmp_path / "out"))
    assert "cannot be reached" in line
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def trained(fashion_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a tiny network that knows of a few of the embedded pictures."""
    folder = Path(shutil.copytree(fashion_run, tmp_path_factory.mktemp("optimize") / "clothes"))
    few = {split: list(all_[:: len(all_) // 100]) for split, all_ in read_samples(folder).items()}
    write_trained(folder, read_trained(folder), few)
    return folder


def _begin(command: list[str], until: str) -> tuple[subprocess.Popen[str], str]:
    """Start a search in a separate session; return it and its lines when it builds `until`."""
    process = subprocess.Popen(
        [*PROGRAM, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if line.startswith(f"{until} ") and "build and time" in line:
            break
    return process, seen


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """A search that was killed, started again, and stopped with Ctrl-C.

    Attributes:
        command: without where it leaves its files and how long it takes.
        out: its files.
        killed: what it said until it was killed.
        stdout: what it printed when it was stopped.
        stderr: what it said then.
    """

    command: list[str]
    out: Path
    killed: str
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def interrupted(trained: Path) -> Interrupted:
    """The one search of this module; what changes it works on a copy."""
    out = trained.with_name("out")
    command = ["optimize", str(trained), "--budget-accuracy", "60", "--budget-kb", "900"]
    process, killed = _begin([*command, "--out", str(out), "--time-limit", "1h"], "#2")
    time.sleep(1.0)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=WAIT_S)
    assert process.returncode == -signal.SIGKILL, killed
    process, seen = _begin([*command, "--out", str(out), "--time-limit", "1h"], "#3")
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=WAIT_S)
    assert process.returncode == 130, stderr
    return Interrupted(command=command, out=out, killed=killed, stdout=stdout, stderr=seen + stderr)


@pytest.mark.slow
def test_killed_and_started_again_it_ends_with_a_bundle(
    interrupted: Interrupted, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(interrupted.out, tmp_path / "out"))
    command = [*interrupted.command, "--out", str(out)]
    spent = _spent_s(out)
    assert spent > 0
    # Only what is left of the time is used.
    done = edgeinfer(*command, "--time-limit", f"{int(spent) + 2}s", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert "#0 " in interrupted.killed
    assert "#0 " not in interrupted.stderr + done.stderr
    assert answer["seconds"] > spent
    trials = list(csv.DictReader(io.StringIO((out / "trials.csv").read_text())))
    assert [row["number"] for row in trials[:2]] == ["0", "1"]
    # What was in work when it was killed or stopped came again, under another number.
    assert trials[2]["kind"] == "pruned"
    assert trials[2]["number"] == "4"
    assert answer["trials"] == len(trials)
    assert Path(answer["bundle"]).is_file()
    assert 0 <= answer["test"]["winner_top1"] <= 1
    assert answer["test"]["test_uses"] == 1
    assert not list(out.glob("candidates/00[23]"))

    # Again, from Python: there is nothing to do, and the test split is left alone.
    options = SearchOptions(
        budget=Budget(accuracy_points=60, size_kb=900), time_limit_s=int(spent) + 2
    )
    again = optimize_run(command[1], out, options, progress=Silent())
    assert to_json(again.ending) == answer["test"]
    assert str(again.bundle) == answer["bundle"]
    assert len(again.found.trials) == answer["trials"]
    assert edgeinfer("verify", answer["bundle"]).returncode == 0
    other = edgeinfer(*command, "--budget-accuracy", "5")
    assert "--budget-accuracy: 5, expected 60, as the search in" in error_line(other, code=2)


def _spent_s(out: Path) -> float:
    query = "SELECT value_json FROM study_user_attributes WHERE key = 'spent_s'"
    with closing(sqlite3.connect(out / "study.sqlite")) as connection:
        return float(connection.execute(query).fetchone()[0])


@pytest.mark.slow
def test_ctrl_c_shows_what_there_is(interrupted: Interrupted) -> None:
    out = interrupted.out
    assert [line for line in interrupted.stderr.splitlines() if line][-2:] == [
        f"note: everything is kept in {out}; the same command continues from there",
        "error: stopped",
    ]
    assert "baseline" in interrupted.stdout
    assert "was not used yet" in (out / "report.html").read_text()
    assert (out / "front.png").is_file()
    assert not list((out / "candidates").glob("00[23]"))
