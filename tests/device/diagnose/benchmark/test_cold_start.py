from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.diagnose.benchmark.cold_start import time_cold_starts
from edgeinfer.device.runtime.open_options import OpenOptions


def test_fresh_processes_answer(sample_bundle: Path) -> None:
    told: list[str] = []
    found = time_cold_starts(sample_bundle, OpenOptions(), runs=2, progress=told.append)
    assert told == ["cold start 1/2", "cold start 2/2"]
    assert found.runs == 2
    assert 0 < found.min_ms <= found.median_ms <= found.max_ms
    assert found.peak_rss_mib > 10


def test_the_peak_is_the_childs_own(sample_bundle: Path) -> None:
    """A maximum from `getrusage` stays after exec: it would be this process's, made large here."""
    ballast = bytearray(600 * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    found = time_cold_starts(sample_bundle, OpenOptions(), runs=1)
    assert found.peak_rss_mib < 500


def test_modules_in_the_users_folder_are_not_imported(
    sample_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.version_info < (3, 11):
        pytest.skip("Python 3.10 has no PYTHONSAFEPATH")
    (tmp_path / "numpy.py").write_text("raise RuntimeError('the wrong numpy')")
    monkeypatch.chdir(tmp_path)
    assert time_cold_starts(sample_bundle, OpenOptions(), runs=1).median_ms > 0


def test_a_process_that_fails_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.tflite"
    path.write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"ended with code 1 \(.*is not a TensorFlow Lite model"):
        time_cold_starts(path, OpenOptions(), runs=1)


def test_a_process_that_dies_silently(
    sample_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -SEGV $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dying))
    with pytest.raises(ModelError, match="opens it was killed by SIGSEGV"):
        time_cold_starts(sample_bundle, OpenOptions(), runs=1)
