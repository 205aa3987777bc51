"""`edgeinfer benchmark` as a user runs it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from edgeinfer.device.diagnose.benchmark.report import parse_report
from edgeinfer.device.runtime.runner import installed_runtimes
from tests.device.tflite_examples import dense_model, encode
from tests.support.program import PROGRAM, edgeinfer, edgeinfer_here, error_line

QUICK = ("--seconds", "0.02", "--cold-starts", "1")


def test_json_for_scripts(sample_bundle: Path) -> None:
    done = edgeinfer("benchmark", sample_bundle, *QUICK, "--json", "--format", "jpeg", "--ops")
    assert done.returncode == 0
    assert done.stderr == "", "progress is for terminals"
    report = parse_report(done.stdout)
    assert json.loads(done.stdout) == report.to_json()
    assert report.stages[0].stage == "decode"
    assert report.frame is not None
    assert (report.frame.width, report.frame.height) == (640, 480)
    assert report.frame.pixels == "golden"
    assert report.cold_start is not None
    assert report.cold_start.runs == 1
    assert report.ops is not None
    assert len(report.ops.operators) == 14
    assert {item.reason for item in report.comparison.candidates} == {None}
    assert {item.runtime for item in report.comparison.candidates} == set(installed_runtimes())
    counts = {item.threads for item in report.comparison.candidates}
    assert counts == {1, report.comparison.board_threads, os.cpu_count()}


def test_text_within_80_columns(sample_bundle: Path) -> None:
    done = edgeinfer("benchmark", sample_bundle, *QUICK, "--threads", "2,1,2", "--cold-starts", 0)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "fashion-mnist"
    assert max(len(line) for line in lines if str(sample_bundle) not in line) <= 80
    assert "cold start" not in done.stdout
    assert "the board profile's" in done.stdout


@pytest.mark.parametrize("runtime", installed_runtimes())
def test_the_named_runtime_alone(sample_bundle: Path, runtime: str) -> None:
    done = edgeinfer(
        *("benchmark", sample_bundle, *QUICK, "--runtime", runtime, "--threads", 1),
        *("--json", "--ops"),
    )
    report = parse_report(done.stdout)
    (only,) = report.comparison.candidates
    assert (only.runtime, only.threads) == (runtime, 1)
    assert report.runtime.name == runtime
    assert report.ops is not None
    assert report.ops.runtime.startswith(runtime)
    assert report.ops.total_ms > 0


def test_the_installed_bundle_is_taken(sample_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "edgeinfer").mkdir()
    installed = tmp_path / "edgeinfer" / "x.edgebundle"
    installed.write_bytes(sample_bundle.read_bytes())
    done = edgeinfer("benchmark", *QUICK, "--json", env={"XDG_DATA_HOME": str(tmp_path)})
    assert parse_report(done.stdout).model.file == str(installed)


def test_a_model_that_is_not_a_classifier(tmp_path: Path) -> None:
    path = tmp_path / "dense.tflite"
    path.write_bytes(encode(dense_model()))
    done = edgeinfer_here("benchmark", path, *QUICK, "--ops")
    assert done.returncode == 0, done.stderr
    assert "only inference was timed: input shape is (1, 4)" in " ".join(done.stdout.split())
    assert "FULLY_CONNECTED" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--frame", "640"),
        ("--frame", "x480"),
        ("--frame", "640x480x3"),
        ("--frame", "0x480"),
        ("--frame", "641x480", "--format", "yuyv"),
        ("--frame", "²x2"),
        ("--format", "png"),
        ("--threads", ""),
        ("--threads", "0"),
        ("--threads", "1,,2"),
        ("--threads", "65"),
        ("--threads", "9" * 5000),
        ("--seconds", "0"),
        ("--seconds", "nan"),
        ("--cold-starts", "-1"),
        ("--host", "-oProxyCommand=x"),
        ("--host", "board", "--ssh-option", "StrictHostKeyChecking=no"),
        ("--ssh-option", "Port=22"),
        ("--remote-program", "x"),
    ],
)
def test_wrong_usage(sample_bundle: Path, arguments: tuple[str, ...]) -> None:
    done = edgeinfer_here("benchmark", sample_bundle, *arguments)
    assert done.returncode == 2, done.stderr
    assert "rror: " in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("where", [(), ("--host", "board.invalid")])
@pytest.mark.parametrize("content", [b"", b"TFL3" * 50, b"PK\x03\x04torn"])
def test_a_bad_model_is_one_line(tmp_path: Path, content: bytes, where: tuple[str, ...]) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    assert "bad.tflite" in error_line(edgeinfer_here("benchmark", path, *where))
    assert "absent" in error_line(edgeinfer_here("benchmark", tmp_path / "absent.tflite", *where))


def test_progress_on_a_terminal_is_removed_at_the_end(sample_bundle: Path) -> None:
    master, slave = pty.openpty()
    done = subprocess.run(
        [*PROGRAM, "benchmark", str(sample_bundle), *QUICK],
        stdout=subprocess.PIPE,
        stderr=slave,
        check=True,
    )
    os.close(slave)
    shown = os.read(master, 1 << 16)
    os.close(master)
    assert b"cold start 1/1" in shown
    assert shown.endswith(b"\r\x1b[K")
    assert b"cold start 1/1" not in done.stdout
