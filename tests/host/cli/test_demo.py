"""`edgeinfer demo`: which demo, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.cli.main import run_program
from edgeinfer.host.demo.detect import demo as detect_demo
from edgeinfer.host.demo.detect.demo import USUAL, detect_steps
from edgeinfer.host.demo.gauge import demo as gauge_demo
from edgeinfer.host.demo.gauge.demo import QUICK, gauge_steps
from edgeinfer.host.demo.steps import Step, run_steps


@pytest.mark.parametrize("name", ["fashion-mnist", "detect"])
def test_an_option_of_another_demo_is_refused(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["demo", name, "--full"]) == 2
    assert f"--full: is given for {name}, expected gauge" in capsys.readouterr().err


def test_a_demo_ends_with_the_first_command_that_fails() -> None:
    said: list[str] = []
    failing = Step(title="Ask for what is not there", arguments=("verify", "no.edgebundle"))
    assert run_steps([failing, failing], say=said.append) == 1
    assert said[0].endswith("[1/2] Ask for what is not there")
    assert said[-1].endswith("the demo stopped: `verify` ended with exit code 1")


def test_the_demo_of_gauges_hands_each_step_what_the_one_before_made() -> None:
    train, convert, verify, predict, run = (step.arguments for step in gauge_steps(Path("d")))
    assert train[1] == "d/pictures"
    assert train[train.index("--labels-csv") + 1] == "d/pictures/readings.csv"
    assert train[train.index("--epochs") + 1] == str(QUICK.epochs)
    assert convert[1] == train[train.index("--out") + 1]
    bundle = convert[convert.index("--out") + 1]
    assert verify[1] == predict[2] == run[run.index("--model") + 1] == bundle
    assert run[run.index("--camera") + 1] == "d/needle"


@pytest.mark.long
@pytest.mark.usefixtures("warm_tensorflow")
def test_the_demo_of_gauges_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From drawing to the camera; with so little training its readings are wrong."""
    small = gauge_demo.Effort(pictures=80, epochs=1)
    monkeypatch.setattr(gauge_demo, "QUICK", small)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    said: list[str] = []
    assert gauge_demo.run_gauge_demo(tmp_path / "demo", full=False, say=said.append) == 0, said
    assert len(list((tmp_path / "demo" / "pictures").glob("*.jpg"))) == small.pictures
    assert (tmp_path / "demo" / "gauge.edgebundle").is_file()


def test_the_demo_of_a_detector_hands_each_step_what_the_one_before_made() -> None:
    train, convert, verify, predict, draw, run = (it.arguments for it in detect_steps(Path("d")))
    assert train[1:4] == ("d/scenes", "--task", "detection")
    assert train[train.index("--epochs") + 1] == str(USUAL.epochs)
    assert convert[1] == train[train.index("--out") + 1]
    bundle = convert[convert.index("--out") + 1]
    models = (it[it.index("--model") + 1] for it in (predict, draw, run))
    assert {verify[1], *models} == {bundle}
    assert draw[draw.index("--camera") + 1] == "d/pictures"
    assert run[run.index("--camera") + 1] == "simulated:d/pictures"
    assert predict[-1].startswith("d/pictures/")


@pytest.mark.long
@pytest.mark.usefixtures("warm_tensorflow")
def test_the_demo_of_a_detector_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From drawing to stills; with so little training it finds nothing, or what is not there."""
    small = detect_demo.Effort(scenes={"train": 48, "validation": 12, "test": 12}, epochs=1)
    monkeypatch.setattr(detect_demo, "USUAL", small)
    monkeypatch.setattr(detect_demo, "LOOP_S", 1)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    out = tmp_path / "demo"
    left_over = out / "stills" / "of an earlier demo"
    left_over.mkdir(parents=True)
    said: list[str] = []
    assert detect_demo.run_detect_demo(out, say=said.append) == 0, said
    assert {path.name for path in (out / "scenes").iterdir()} == set(small.scenes)
    assert (out / "detector.edgebundle").is_file()
    assert not left_over.exists()
    assert len(list((out / "stills").glob("*.jpg"))) == detect_demo.PICTURES
