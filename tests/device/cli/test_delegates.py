"""Commands with a delegate, as a user types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.program import PROGRAM, edgeinfer, edgeinfer_here, error_line
from tests.support.waiting import PATIENCE_S

FAULT = "--delegate-option=fault="


@pytest.fixture
def delegate(reference_delegate: Path) -> str:
    return f"--delegate={reference_delegate}"


def summary(out: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(out.splitlines()[-1])["summary"]
    return document


def test_verify_replays_on_the_delegate(sample_bundle: Path, delegate: str) -> None:
    done = edgeinfer("verify", sample_bundle, delegate)
    assert done.returncode == 0, done.stderr
    assert "libreference_delegate.so in a worker process" in done.stdout
    assert "variant: cpu (on libreference_delegate.so)" in done.stdout
    plain = json.loads(edgeinfer("verify", sample_bundle, "--json").stdout)
    assert (plain["variant"], plain["variant_reason"]) == ("cpu", "the bundle has no other")


def test_verify_finds_wrong_answers(sample_bundle: Path, delegate: str) -> None:
    done = edgeinfer(
        "verify", sample_bundle, delegate, f"{FAULT}wrong", "--delegate-option=after=5"
    )
    assert "frame 2: an output differs by" in error_line(done)


def test_verify_reports_a_crash_and_never_asks_the_cpu(sample_bundle: Path, delegate: str) -> None:
    options = (f"{FAULT}crash", "--delegate-option=after=8")
    done = edgeinfer("verify", sample_bundle, delegate, *options)
    assert done.returncode == 0, done.stderr
    assert "warning: libreference_delegate.so" in done.stderr
    assert "the CPU" not in done.stderr
    done = edgeinfer("verify", sample_bundle, delegate, *options, "--delegate-restarts=0")
    assert "failed once within 600 s" in error_line(done)


def test_benchmark_reports_a_crash(sample_bundle: Path, delegate: str) -> None:
    done = edgeinfer(
        *("benchmark", sample_bundle, "--seconds=0.1", "--cold-starts=0", "--threads=1"),
        *(delegate, f"{FAULT}crash", "--delegate-option=after=8"),
    )
    assert done.returncode == 0, done.stderr
    assert "warning: libreference_delegate.so" in done.stderr


@pytest.mark.parametrize("fault", ["refuse", "refuse-silently", "crash-load", "crash-graph"])
def test_falling_back_says_why_and_requiring_fails(
    sample_bundle: Path, delegate: str, fault: str, tmp_path: Path
) -> None:
    options = ("--model", sample_bundle, delegate, f"{FAULT}{fault}")
    loop = ("run", "--camera=simulated", "--max-frames=3", *options)
    done = edgeinfer(*loop)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("variant:")]
    assert line.startswith("variant: cpu (libreference_delegate.so")
    predict = ("predict", *options, tmp_path / "absent.jpg")
    for done in (
        edgeinfer(*loop, "--require-delegate"),
        edgeinfer_here(*predict, "--require-delegate"),
    ):
        assert error_line(done).startswith("error: libreference_delegate.so")


def test_predict_names_the_variant_on_stderr(sample_bundle: Path, tmp_path: Path) -> None:
    done = edgeinfer("predict", "--model", sample_bundle, tmp_path / "absent.jpg")
    assert done.stderr.splitlines()[:2] == [
        f"model: {sample_bundle}",
        "variant: cpu (the bundle has no other)",
    ]


def test_benchmark_times_the_delegate(sample_bundle: Path, delegate: str) -> None:
    done = edgeinfer(
        *("benchmark", sample_bundle, delegate, "--json"),
        *("--seconds=0.05", "--cold-starts=1", "--threads=1"),
    )
    assert done.returncode == 0, done.stderr
    runtime = json.loads(done.stdout)["runtime"]
    assert runtime["delegate"] == "libreference_delegate.so"
    assert runtime["variant"] == "cpu (on libreference_delegate.so)"


@pytest.mark.parametrize("fault", ["hang", "crash", "error", "exit"])
def test_the_loop_goes_on_without_its_delegate(
    sample_bundle: Path, delegate: str, fault: str
) -> None:
    done = edgeinfer(
        *("run", "--camera=simulated", "--fps=100", "--max-frames=60", "--json"),
        *("--model", sample_bundle, delegate, "--delegate-deadline=0.2"),
        *(f"{FAULT}{fault}", "--delegate-option=after=10", "--delegate-restarts=0"),
    )
    assert done.returncode == 0, done.stderr
    assert summary(done.stdout)["frames"] == 60
    told = [line for line in done.stderr.splitlines() if "libreference_delegate.so (" in line]
    assert "warning" in told[2]
    assert "failed once within 600 s; the CPU takes over" in told[3]
    assert told[4].startswith("delegate: ")
    assert "frames answered by the CPU, given up" in told[4]


def test_a_required_delegate_that_is_lost_ends_the_loop(sample_bundle: Path, delegate: str) -> None:
    done = edgeinfer(
        *("run", "--camera=simulated", "--json", "--model", sample_bundle, delegate),
        *(f"{FAULT}crash", "--delegate-option=after=10"),
        *("--delegate-restarts=0", "--require-delegate"),
    )
    assert "failed once within 600 s" in error_line(done)
    assert summary(done.stdout)["frames"] == 7  # three runs warm it up


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_loop_and_worker(
    sample_bundle: Path, delegate: str, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "run", "--camera=simulated", "--json", "--model", str(sample_bundle), delegate],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task")
    workers = [
        int(pid) for task in children.iterdir() for pid in (task / "children").read_text().split()
    ]
    assert len(workers) == 1
    os.kill(workers[0], number)  # as systemd signals every process of a service
    time.sleep(0.2)
    os.killpg(process.pid, number)  # as a terminal does
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert "frames" in summary(out)
    assert "warning" not in err
    assert not Path(f"/proc/{workers[0]}").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--variant=vx"],
        ["--delegate-option=x"],
        ["--edgetpu=x"],
        ["--edgetpu=all", "--delegate=vx"],
        ["--variant=cpu", "--require-delegate"],
        ["--delegate-deadline=0"],
    ],
)
def test_wrong_usage(sample_bundle: Path, options: list[str]) -> None:
    done = edgeinfer_here("verify", sample_bundle, *options)
    assert done.returncode == 2, done.stderr
