"""`edgeinfer doctor` as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.device.diagnose.doctor.processes import ends
from tests.support.program import PROGRAM, edgeinfer, edgeinfer_here, error_line
from tests.support.waiting import PATIENCE_S

HEAVY = ("numpy", "cv2", "ai_edge_litert", "tflite_runtime")


IMPORTED = (
    "import sys; from edgeinfer.device.cli.main import run_program;"
    "code = run_program(sys.argv[1:]);"
    f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr); sys.exit(code)"
)
"""Runs the program, and then tells which modules of those that may be broken it has imported."""


def test_json_tells_what_the_exit_code_says_and_nothing_that_may_be_broken_is_imported(
    tmp_path: Path,
) -> None:
    """The password of a camera in a file is shown nowhere; a report is the same, without models."""
    report = tmp_path / "report.json"
    file = tmp_path / "camera"
    file.write_text("http://eye:hunter2@127.0.0.1:9/stream\n")
    file.chmod(0o600)
    command = (sys.executable, "-c", IMPORTED, "doctor", "--json", "--camera-url-file", str(file))
    finished = subprocess.run(
        [*command, "--report", str(report)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
    )
    findings = json.loads(finished.stdout)
    assert {"Python", "Libraries", "Runtimes"} <= {finding["check"] for finding in findings}
    assert all(finding["fix"] for finding in findings if finding["state"] == "broken")
    (camera,) = [finding for finding in findings if "127.0.0.1" in finding["subject"]]
    assert (camera["state"], finished.returncode) == ("broken", 1)
    written, imported = finished.stderr.splitlines()
    assert (written, imported) == (f"report written: {report}; read it before you share it", "[]")
    assert "hunter2" not in finished.stdout
    content = report.read_text()
    assert not any(secret in content for secret in ("hunter2", "eye", "127.0.0.1"))
    parts = json.loads(content)
    assert len(parts["findings"]) == len(findings)
    assert parts["cameras"]["state"] == "done"
    assert {parts[name]["state"] for name in ("verify", "benchmark")} == {"not run"}
    assert "no bundle is installed" in parts["verify"]["reason"]


def test_text_fits_80_columns_and_says_what_the_exit_code_does() -> None:
    finished = edgeinfer("doctor", env={"PYTHONIOENCODING": "utf-8"})
    broken = [line for line in finished.stdout.splitlines() if line.split()[:1] == ["✗"]]
    assert finished.returncode == bool(broken)
    words = {word for word in finished.stdout.split() if len(word) > 50}
    lines = [x for x in finished.stdout.splitlines() if not any(word in x for word in words)]
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in finished.stdout


def test_a_broken_numpy_does_not_break_the_doctor(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('broken on purpose')")
    finished = edgeinfer("doctor", env={"PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "ascii"})
    assert finished.returncode == 1
    assert "X numpy" in finished.stdout
    assert "broken on purpose" in finished.stdout


def test_ctrl_c_ends_it_while_a_child_hangs(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    hang = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    (tmp_path / "numpy.py").write_text(hang)
    with subprocess.Popen(
        [*PROGRAM, "doctor"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        while not (pid_file.exists() and pid_file.read_text()):
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert stderr.strip() == "error: stopped; nothing was written"
    assert ends(int(pid_file.read_text()))


def test_a_camera_is_named_once(tmp_path: Path) -> None:
    finished = edgeinfer("doctor", "--camera", "0", "--camera-url-file", tmp_path / "camera")
    assert "is used together with --camera" in error_line(finished, 2)


def test_options_on_certificates_need_a_camera() -> None:
    for words in (("--tls-insecure",), ("--tls-ca", "x.pem")):
        line = error_line(edgeinfer_here("doctor", *words), 2)
        assert f"{words[0]}: is given without --camera" in line


def test_a_place_for_the_report_is_checked_before_the_work(tmp_path: Path) -> None:
    there = tmp_path / "there.md"
    there.write_text("mine")
    line = error_line(edgeinfer_here("doctor", "--report", there), 2)
    assert line.endswith("exists already; choose another name, or replace it with --force")
    assert "is not a file" in error_line(
        edgeinfer_here("doctor", "--report", tmp_path, "--force"), 2
    )
    line = error_line(edgeinfer_here("doctor", "--report", there / "report.md"), 1)
    assert "cannot be written" in line
    assert there.read_text() == "mine"
    assert "is given without --report" in error_line(edgeinfer_here("doctor", "--force"), 2)
