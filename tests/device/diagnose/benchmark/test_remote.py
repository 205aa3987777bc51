"""The way to a board and back, with an `ssh` that stays here; tests/system has the real one."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgeinfer.device.cli.commands.benchmark import benchmark
from edgeinfer.device.cli.options.opening import OPENING_PARAMETERS, read_opening
from edgeinfer.device.core.errors import RemoteError
from edgeinfer.device.core.ssh import SshHost
from edgeinfer.device.diagnose.benchmark.benchmark import BenchmarkOptions
from edgeinfer.device.diagnose.benchmark.remote import benchmark_on, remote_arguments
from edgeinfer.device.diagnose.benchmark.report import format_report
from edgeinfer.device.runtime.delegates.request import DelegateRequest
from edgeinfer.device.runtime.delegates.worker.restart_policy import WorkerPolicy
from edgeinfer.device.runtime.open_options import OpenOptions
from tests.device import fake_ssh
from tests.device.diagnose.benchmark.examples import REPORT
from tests.support.waiting import PATIENCE_S

OPTIONS = BenchmarkOptions()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp of the board"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m$(touch x) '\"\n.tflite"
    path.write_bytes(b"a model")
    return path


def test_the_report_comes_back_under_the_local_names(
    tmp_path: Path,
    temporary: Path,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    logged: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    fake_ssh.install(tmp_path, fake_ssh.HERE, monkeypatch)
    program = tmp_path / "remote edgeinfer"
    program.write_text(
        "#!/bin/sh\nfor last; do :; done\n"
        f'cmp "$last" {shlex.quote(str(model))} || exit 1\n'
        f"printf '%s' {shlex.quote(format_report(REPORT))}\n"
    )
    program.chmod(0o755)
    told: list[str] = []
    found = benchmark_on(
        SshHost("board"),
        model,
        OPTIONS,
        program=str(program),
        progress=told.append,
    )
    assert found.host == "board"
    assert (found.model.file, found.model.size_bytes) == (str(model), 7)
    assert found.stages == REPORT.stages
    assert [line.split()[0] for line in told] == ["connecting", "copying", "measuring", "cleaning"]
    assert logged == []
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "x").exists()


def test_a_folder_that_stays_is_reported(
    tmp_path: Path,
    temporary: Path,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    logged: list[str],
) -> None:
    fake_ssh.install(
        tmp_path, f'case "$*" in *"rm -rf"*) exit 255;; esac; {fake_ssh.HERE}', monkeypatch
    )
    with pytest.raises(RemoteError, match="there is no program `absent`"):
        benchmark_on(SshHost("board"), model, OPTIONS, program="absent")
    (folder,) = temporary.iterdir()
    assert logged == [f"board: {folder} could not be removed there"]


@pytest.mark.parametrize(
    "printed", ["", "/", "Welcome", "/etc", "edgeinfer-1", "/a/edgeinfer-1\n/b"]
)
def test_a_folder_that_we_did_not_make_is_never_removed(
    printed: str, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    fake_ssh.install(tmp_path, f'echo "$*" >> {log}; printf %s {shlex.quote(printed)}', monkeypatch)
    with pytest.raises(RemoteError, match="no temporary folder can be made there"):
        benchmark_on(SshHost("board"), model, OPTIONS)
    assert "rm -rf" not in log.read_text()


def test_a_board_without_room(
    tmp_path: Path, temporary: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh.install(
        tmp_path,
        f'case "$*" in *"cat >"*) echo "no space left" >&2; exit 1;; esac; {fake_ssh.HERE}',
        monkeypatch,
    )
    with pytest.raises(RemoteError, match=r"cannot be copied there \(no space left\)"):
        benchmark_on(SshHost("board"), model, OPTIONS)
    assert list(temporary.iterdir()) == []


def test_ctrl_c_while_the_folder_is_being_made(
    tmp_path: Path, temporary: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    fake_ssh.install(
        tmp_path / "bin",
        f'case "$*" in *mktemp*) touch {shlex.quote(str(asked))}; sleep 1;; esac; {fake_ssh.HERE}',
        monkeypatch,
    )
    code = (
        "import sys; from pathlib import Path\n"
        "from edgeinfer.device.diagnose.benchmark.remote import *\n"
        "benchmark_on(SshHost('board'), Path(sys.argv[1]), BenchmarkOptions())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(model)], stderr=subprocess.PIPE, start_new_session=True
    )
    while not asked.exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE_S)
    assert b"KeyboardInterrupt" in stderr
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        BenchmarkOptions(),
        BenchmarkOptions(
            frame_size=(320, 240),
            frame_format="nv12",
            threads=(1, 4),
            runtime="tflite-runtime",
            ops=True,
            seconds=0.1,
            cold_starts=0,
            opening=OpenOptions(
                delegates=DelegateRequest(
                    variant="edgetpu",
                    options=(("Performance", "Max"), ("device", "usb:0")),
                    require=True,
                    policy=WorkerPolicy(deadline_s=0.5, restarts=2),
                )
            ),
        ),
        BenchmarkOptions(
            opening=OpenOptions(delegates=DelegateRequest(delegate="/opt/lib odd.so"))
        ),
        BenchmarkOptions(
            opening=OpenOptions(delegates=DelegateRequest(edgetpus=("usb:0", "pci:1")))
        ),
        BenchmarkOptions(opening=OpenOptions(trust=True)),
        BenchmarkOptions(opening=OpenOptions(input_range="-1..1", task="value", unit="km/h")),
        BenchmarkOptions(
            opening=OpenOptions(
                mean=(0.1, 2.0, 3.0),
                std=(1.0,),
                channels="bgr",
                crop="letterbox",
                input_size=(320, 240),
                signature="serving_default",
                min_score=0.4,
                iou=0.6,
            )
        ),
    ],
)
def test_the_board_is_asked_for_the_same(options: BenchmarkOptions) -> None:
    name, *arguments = remote_arguments("-odd name", options)
    assert name == "benchmark"
    asked = benchmark.make_context("benchmark", arguments).params
    assert asked["as_json"]
    assert asked["bundle"] == Path("-odd name")
    opening = read_opening(**{name: asked[name] for name in OPENING_PARAMETERS})
    asked |= {"opening": opening}
    assert options == BenchmarkOptions(
        **{name: asked[name] for name in BenchmarkOptions.__dataclass_fields__}
    )
