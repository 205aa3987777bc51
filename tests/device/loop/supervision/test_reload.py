"""SIGHUP: another model instead of the running one, and what is refused."""

from __future__ import annotations

import dataclasses
import shutil
import signal
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.core.errors import VerificationError
from edgeinfer.device.loop.supervision.try_model import try_model
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.runtime.open_options import OpenOptions
from tests.device.loop.supervision.loops import Loop
from tests.support.waiting import until


def put(source: Path, target: Path) -> None:
    """Replace a file as an update does, by a rename."""
    fresh = target.with_name("fresh")
    shutil.copyfile(source, fresh)
    fresh.replace(target)


def renamed(sample: Path, path: Path, name: str) -> Path:
    """Write the sample bundle under another name."""
    with open_bundle(sample) as bundle:
        members = {member: bundle.member(member) for member in bundle.manifest.members}
        write_bundle(path, dataclasses.replace(bundle.manifest, name=name), members)
    return path


def wrong(sample: Path, path: Path) -> Path:
    """Write a bundle that is whole but does not answer as its golden outputs say."""
    with open_bundle(sample) as bundle:
        members = {member: bundle.member(member) for member in bundle.manifest.members}
        for member in bundle.manifest.variants["cpu"].golden_outputs.values():
            outputs = np.frombuffer(members[member], np.int8)
            members[member] = (-1 - outputs).tobytes()
        write_bundle(path, bundle.manifest, members)
    return path


def processes_with(path: Path) -> list[str]:
    """Return the command lines that name a file."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            command = entry.read_bytes().decode(errors="replace")
            if str(path) in command:
                found.append(command)
    return found


def sequences_are_whole(loop: Loop) -> None:
    sequences = [answer["sequence"] for answer in loop.answers()]
    assert sequences == sorted(set(sequences))


@pytest.mark.parametrize("parallel", [1, 2])
def test_another_bundle_answers_after_sighup(
    sample_bundle: Path, class_folder: Path, tmp_path: Path, parallel: int
) -> None:
    current = tmp_path / "current"
    put(sample_bundle, current)
    camera = f"simulated:{class_folder}"
    loop = Loop("--camera", camera, "--model", current, "--json", "--parallel", parallel)
    loop.wait_for_answers()
    put(renamed(sample_bundle, tmp_path / "b.edgebundle", "the-new-one"), current)
    loop.signal(signal.SIGHUP)
    loop.wait_for_event("reloaded: the-new-one")
    loop.wait_for_answers(5)
    loop.signal(signal.SIGTERM)
    assert loop.end() == 0
    sequences_are_whole(loop)
    assert sum(line.startswith("camera:") for line in loop.err) == 1  # opened once


def test_a_link_is_followed_again_to_a_model_of_another_size(
    class_folder: Path, tmp_path: Path, shared_data: Path
) -> None:
    current, fresh = tmp_path / "current", tmp_path / "fresh"
    coral = shared_data / "coral"
    small, large = "mobilenet_v1_0.25_128_quant.tflite", "tf2_mobilenet_v2_1.0_224_ptq.tflite"
    current.symlink_to(coral / small)
    labels = coral / "imagenet_labels.txt"
    loop = Loop(
        *("--camera", f"simulated:{class_folder}", "--model", current, "--labels", labels, "--json")
    )
    loop.wait_for_answers()
    for number, name in enumerate((large, small)):
        fresh.symlink_to(coral / name)
        fresh.replace(current)
        loop.signal(signal.SIGHUP)
        loop.wait_for_event("reloaded:", number + 1)
        loop.wait_for_answers(5)
    loop.signal(signal.SIGTERM)
    assert loop.end() == 0
    sequences_are_whole(loop)
    assert {answer["label"] for answer in loop.answers()} <= set(labels.read_text().splitlines())


def test_bad_bundles_are_refused_in_one_line_and_the_old_one_goes_on(
    sample_bundle: Path, class_folder: Path, tmp_path: Path
) -> None:
    current = tmp_path / "current.edgebundle"
    put(sample_bundle, current)
    truncated = tmp_path / "truncated"
    truncated.write_bytes(sample_bundle.read_bytes()[:-5_000])
    loop = Loop("--camera", f"simulated:{class_folder}", "--model", current, "--json")
    loop.wait_for_answers()
    bundles = (truncated, wrong(sample_bundle, tmp_path / "wrong"), None)
    for said, bad in enumerate(bundles, start=1):
        if bad is None:
            current.unlink()
        else:
            put(bad, current)
        loop.signal(signal.SIGHUP)
        loop.wait_for_event("not reloaded, the model in use goes on", said)
        loop.wait_for_answers(5)
    put(sample_bundle, current)
    loop.signal(signal.SIGHUP)
    loop.wait_for_event("reloaded: fashion-mnist")
    loop.signal(signal.SIGTERM)
    assert loop.end() == 0
    refused = [line for line in loop.err if "not reloaded" in line]
    assert all(line.startswith("warning: ") for line in refused)
    assert "ZIP" in refused[0] or "bundle" in refused[0]
    assert "an output differs by" in refused[1]
    assert "no such file" in refused[2]
    # The three, what was reloaded, and its variant.
    assert len(loop.err[loop.err.index(refused[0]) :]) == 5, loop.err
    sequences_are_whole(loop)


def test_ending_while_a_reload_is_under_way(
    sample_bundle: Path, class_folder: Path, tmp_path: Path
) -> None:
    current = tmp_path / "current.edgebundle"
    put(sample_bundle, current)
    # The process that tries the model hangs before it begins.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, time\n"
        "if any('trial' in argument for argument in sys.orig_argv): time.sleep(3600)\n"
    )
    environment = {"PYTHONPATH": str(tmp_path)}
    camera = f"simulated:{class_folder}"
    loop = Loop("--camera", camera, "--model", current, "--json", env=environment)
    loop.wait_for_answers()
    loop.signal(signal.SIGHUP)
    until(lambda: len(processes_with(current)) == 2)
    loop.signal(signal.SIGTERM)
    assert loop.end() == 0
    assert processes_with(current) == []


def test_a_model_that_crashes_the_runtime_ends_its_trial_only(
    tmp_path: Path, sample_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A module of that name in front of the real one stands for a runtime that crashes.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "class Crash:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'edgeinfer.device.models.model':\n"
        "            os.kill(os.getpid(), 11)\n"
        "sys.meta_path.insert(0, Crash())\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(VerificationError, match=r"crashed while it was tried \(SIGSEGV\)"):
        try_model(sample_bundle, OpenOptions(), stop=threading.Event())


def test_a_trial_that_hangs_is_given_up(
    tmp_path: Path, sample_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import time; time.sleep(3600)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(VerificationError, match=r"not verified within 0\.5 s"):
        try_model(sample_bundle, OpenOptions(), stop=threading.Event(), limit_s=0.5)
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    # Without being stopped it would raise as above.
    assert not try_model(sample_bundle, OpenOptions(), stop=stop)


def test_the_trial_passes_what_is_sound(sample_bundle: Path) -> None:
    assert try_model(sample_bundle, OpenOptions(threads=1), stop=threading.Event())
