from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.device.core.errors import StorageError
from edgeinfer.device.outputs.base import LoopFacts
from edgeinfer.device.outputs.open import open_outputs
from edgeinfer.device.outputs.options import parse_output
from edgeinfer.device.outputs.text import status as module
from edgeinfer.device.outputs.text.status import StatusSink
from tests.device.outputs.examples import SUMMARY, answer
from tests.support.program import edgeinfer
from tests.support.waiting import PATIENCE_S

FACTS = LoopFacts(camera=lambda: "a camera", model=lambda: "birds", dropped=lambda: 5)


def read(path: Path) -> dict[str, Any]:
    told = json.loads(path.read_text())
    assert isinstance(told, dict)
    return told


def test_no_time_in_the_file_is_later_than_the_clock(tmp_path: Path) -> None:
    sink = StatusSink(tmp_path / "status.json", FACTS)
    for _ in range(50):  # a time rounded up would be ahead of the clock in about half of them
        sink.check()
        updated_s = read(tmp_path / "status.json")["updated"]
        assert updated_s <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_the_file_is_what_the_schema_promises(tmp_path: Path) -> None:
    path = tmp_path / "run" / "status.json"
    begun_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    sink = StatusSink(path, FACTS)
    sink.check()
    before = read(path)
    assert (before["answers"], before["last"]) == (0, None)
    sink.write(answer(sequence=7))
    told = read(path)
    now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    # The file's times are rounded down.
    assert begun_s - 1 < told.pop("started") <= told.pop("updated") <= now_s
    assert told.pop("last")["sequence"] == 7
    assert told == {
        "schema": 1,
        "pid": os.getpid(),
        "answers": 1,
        "dropped": 5,
        "camera": "a camera",
        "model": "birds",
    }
    assert [entry.name for entry in path.parent.iterdir()] == ["status.json"]


def test_it_is_replaced_at_most_so_often_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY_S", 60.0)
    path = tmp_path / "status.json"
    sink = StatusSink(path, FACTS)
    sink.write(answer(sequence=0))
    first = path.stat().st_ino
    sink.write(answer(sequence=1))
    sink.write(answer(sequence=2))
    assert path.stat().st_ino == first
    assert read(path)["answers"] == 1
    sink.finish(SUMMARY)
    told = read(path)
    assert (told["answers"], told["last"]["sequence"]) == (3, 2)


def test_a_reader_always_finds_a_whole_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.0)
    path = tmp_path / "status.json"
    outputs = open_outputs([parse_output(f"status:{path}")], live=True, facts=FACTS)
    with outputs:
        seen: set[int] = set()
        given = 0
        deadline_s = time.monotonic() + PATIENCE_S
        # The file is replaced by the output's own thread, which gets its turn when it gets it.
        while given < 300 or (len(seen) < 10 and time.monotonic() < deadline_s):
            outputs.write(answer(sequence=given))
            given += 1
            seen.add(read(path)["answers"])
        outputs.finish(SUMMARY)
    assert outputs.summary is not None
    report = outputs.summary.outputs[0]
    assert report.written + report.dropped == given
    assert read(path)["answers"] >= report.written
    assert len(seen) >= 10


def test_a_write_that_fails_is_counted_and_the_next_ones_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    path = folder / "status.json"
    sink = StatusSink(path, FACTS)
    sink.check()
    path.unlink()
    folder.rmdir()
    with pytest.raises(StorageError, match="cannot be written"):
        sink.write(answer(sequence=0))
    folder.mkdir()
    sink.dropped = 1
    sink.write(answer(sequence=1))
    assert (read(path)["answers"], read(path)["last"]["dropped"]) == (2, 1)


def test_a_place_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        StatusSink(tmp_path / "file" / "status.json", FACTS).check()


def test_run_writes_it_and_keeps_stdout_for_others(sample_bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    options = ["--camera", "simulated", "--model", sample_bundle, "--max-frames", "5"]
    done = edgeinfer("run", *options, "--output", f"status:{path}", "--json")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 6
    told = read(path)
    assert (told["answers"], told["model"]) == (5, "fashion-mnist")
    assert told["camera"].startswith("simulated")
    alone = edgeinfer("run", *options, "--output", f"status:{path}")
    assert (alone.returncode, alone.stdout) == (0, "")
