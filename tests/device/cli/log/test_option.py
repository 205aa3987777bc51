"""`--log-format` from the first line to the last words."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.program import PROGRAM, edgeinfer

FEW = ("run", "--camera", "simulated", "--json", "--max-frames", 2)


def test_every_line_is_an_object(sample_bundle: Path) -> None:
    done = edgeinfer(*FEW, "--model", sample_bundle, "--log-format", "json")
    assert done.returncode == 0
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["event"] for event in events] == ["model", "variant", "runtime", "camera"]
    assert {event["priority"] for event in events} == {6}


def test_the_error_that_ends_it_is_an_object_too() -> None:
    done = edgeinfer(*FEW, "--model", "absent.tflite", "--log-format", "json")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    event = json.loads(line)
    assert (event["level"], event["priority"]) == ("error", 3)
    assert event["message"].startswith("absent.tflite: does not exist")


def test_journald_gets_priorities_without_asking(sample_bundle: Path, tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w+") as journal:
        status = os.fstat(journal.fileno())
        environment = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        for model, code in ((str(sample_bundle), 0), ("absent.tflite", 1)):
            done = subprocess.run(
                [*PROGRAM, *map(str, FEW), "--model", model],
                stdout=subprocess.DEVNULL,
                stderr=journal,
                env=environment,
                check=False,
            )
            assert done.returncode == code
        journal.seek(0)
        lines = journal.read().splitlines()
    assert [re.match(r"<(\d)>", line)[1] for line in lines] == ["6", "6", "6", "6", "3"]  # type: ignore[index]
    assert lines[0].startswith("<6>model:   fashion-mnist")


@pytest.mark.parametrize("style", [(), ("--log-format", "text")])
def test_text_stays_as_it_was(sample_bundle: Path, style: tuple[str, ...]) -> None:
    done = edgeinfer(*FEW, "--model", sample_bundle, *style, env={"JOURNAL_STREAM": "1:1"})
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        "model",
        "variant",
        "runtime",
        "camera",
    ]
    failed = edgeinfer(*FEW, "--model", "absent.tflite", *style)
    assert failed.stderr.startswith("error: absent.tflite: does not exist")
