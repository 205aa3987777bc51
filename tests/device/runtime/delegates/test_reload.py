"""SIGHUP where the accelerator may be had by one at a time."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.device.loop.supervision.loops import Loop
from tests.device.runtime.delegates.examples import with_variants
from tests.support.waiting import until

TAKEN = "variant: edgetpu (on libedgetpu.so.1)"


def workers(loop: Loop) -> int:
    tasks = Path(f"/proc/{loop.process.pid}/task").iterdir()
    return sum(len((task / "children").read_text().split()) for task in tasks)


def test_the_new_model_gets_the_accelerator_and_a_refused_one_gives_it_back(
    sample_bundle: Path, libedgetpu: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFERENCE_DELEGATE", f"lock={tmp_path / 'lock'}")
    path = with_variants(sample_bundle, tmp_path / "a.edgebundle", [("edgetpu", "edgetpu")])
    loop = Loop("--camera", "simulated", "--model", path, "--json")
    loop.wait_for_event(TAKEN)
    loop.wait_for_answers()
    loop.signal(signal.SIGHUP)
    loop.wait_for_event("reloaded: ")
    loop.wait_for_event(TAKEN, times=2)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    loop.signal(signal.SIGHUP)
    loop.wait_for_event("not reloaded")
    until(lambda: workers(loop) == 1)
    loop.wait_for_answers(5)
    loop.signal(signal.SIGTERM)
    assert loop.end() == 0
    warnings = [line for line in loop.err if line.startswith("warning: ")]
    assert len(warnings) == 1  # of the truncated file
