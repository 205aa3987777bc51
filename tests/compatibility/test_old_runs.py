"""What `train`, `prune` and `optimize` of an earlier commit left is taken up again."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edgeinfer.converters.run_folder.trained_run import read_samples
from tests.compatibility.before import PackageBefore
from tests.compatibility.said import assert_still_said, read_lines
from tests.compatibility.stored import (
    HASHES,
    MODEL,
    RUNS,
    SEARCH,
    SEARCH_OPTIONS,
    read_json,
    sha256,
    what_decides_bytes,
)
from tests.support.program import edgeinfer

pytestmark = pytest.mark.slow

CONVERT = ("--no-install", "--golden-frames", "6")
RUN, PRUNED = RUNS


def members(bundle: Path) -> dict[str, bytes]:
    """Return what is in a bundle."""
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def check_model(content: bytes, name: str, left: Path, request: pytest.FixtureRequest) -> None:
    """Check that a run's model has the bytes that the commit before made of it.

    Where its hash is another because this machine computes otherwise than the one that noted it,
    the package of before tells what is right here.
    """
    noted = read_json(HASHES)
    if sha256(content) == noted["models"][name]:
        return
    here = what_decides_bytes()
    differing = {key: (was, here.get(key)) for key, was in noted["made with"].items()}
    differing = {key: pair for key, pair in differing.items() if pair[0] != pair[1]}
    assert differing, f"the model of {name} has other bytes than the commit before made of it here"
    before: PackageBefore = request.getfixturevalue("package_before")
    before.edgeinfer("convert", name, *CONVERT, "--out", "before.edgebundle", cwd=left)
    assert content == members(left / "before.edgebundle")[MODEL], differing


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_converted_to_the_same_model_which_the_package_before_takes(
    left: Path, name: str, request: pytest.FixtureRequest
) -> None:
    done = edgeinfer("convert", name, *CONVERT, "--out", "new.edgebundle", cwd=left)
    assert done.returncode == 0, done.stderr
    made = members(left / "new.edgebundle")
    check_model(made[MODEL], name, left, request)
    manifest = json.loads(made["manifest.json"])
    assert (manifest["schema_version"], manifest["task"]) == (1, "classification")

    before: PackageBefore = request.getfixturevalue("package_before")
    said = json.loads(before.edgeinfer("inspect", "new.edgebundle", "--json", cwd=left))
    assert said["manifest"]["name"] == name
    report = json.loads(before.edgeinfer("verify", "new.edgebundle", "--json", cwd=left))
    assert report["frames"] == 6
    assert report["largest_difference"] <= report["tolerance"]
    pictures = sorted(left.glob("pictures/*/0[0-3].png"))
    command = ("predict", "--model", "new.edgebundle", *pictures, "--json")
    was = read_lines(before.edgeinfer(*command, cwd=left))
    assert len(was) == len(pictures) == 12
    assert_still_said(was, read_lines(edgeinfer(*command, cwd=left).stdout))


def test_a_run_is_pruned(left: Path) -> None:
    quick = ("--keep-cost", "0.6", "--steps", "1", "--epochs", "1")
    done = edgeinfer("prune", RUN, *quick, "--out", "again", "--json", cwd=left)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    was = json.loads((left / PRUNED / "trained.json").read_text())
    now = json.loads((left / "again" / "trained.json").read_text())
    assert told["metrics"]["prune.macs-share"] <= 0.6
    # Which channels go does not depend on how long is trained then, but it may on rounding.
    if what_decides_bytes() == read_json(HASHES)["made with"]:
        assert now["metrics"]["prune.macs-share"] == was["metrics"]["prune.macs-share"]
        assert now["provenance"]["parameters"] == was["provenance"]["parameters"]
    assert was.keys() <= now.keys()
    assert was["provenance"].keys() <= now["provenance"].keys()
    assert (was["labels"], was["preprocess"]) == (now["labels"], now["preprocess"])
    samples = [read_samples(left / folder) for folder in (RUN, PRUNED, "again")]
    assert samples[0] == samples[1] == samples[2]
    assert sum(map(len, samples[0].values())) == 48
    assert str(left) in (left / RUN / "samples.csv").read_text()
    assert str(left) not in (left / "again" / "samples.csv").read_text()


def test_a_search_that_was_killed_goes_on(left: Path) -> None:
    spent, trials = read_study(left / SEARCH / "study.sqlite")
    assert [trial["number"] for trial in trials] == [0, 1, 2]  # and the fourth was in work
    one_more = ("--time-limit", "1h", "--max-candidates", len(trials) + 1)
    done = edgeinfer(
        *("optimize", RUN, *SEARCH_OPTIONS, *one_more), "--out", SEARCH, "--json", cwd=left
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["seconds"] > spent
    rows = list(csv.DictReader(io.StringIO((left / SEARCH / "trials.csv").read_text())))
    assert answer["trials"] == len(rows) == len(trials) + 1
    for trial, row in zip(trials, rows, strict=False):
        measured, footprint = trial["measured"], trial["measured"]["footprint"]
        assert (row["number"], row["outcome"]) == (str(trial["number"]), "measured")
        assert float(row["validation_top1"]) == pytest.approx(measured["accuracy"], abs=1e-6)
        assert float(row["ratio"]) == pytest.approx(footprint["ratio"], abs=1e-4)
        assert int(row["size_bytes"]) == footprint["size_bytes"]
    # What was in work when it was killed is the next to be looked at.
    assert rows[3]["number"] == "4"
    assert rows[3]["candidate"].startswith("small-cnn x0.5")
    assert "#0 " not in done.stderr
    verified = edgeinfer("verify", answer["bundle"], cwd=left)
    assert verified.returncode == 0, verified.stderr


def read_study(path: Path) -> tuple[float, list[dict[str, Any]]]:
    """Read a search's study without edgeinfer: the seconds spent so far, and its trials."""
    with closing(sqlite3.connect(path)) as study:
        ((spent,),) = study.execute(
            "SELECT value_json FROM study_user_attributes WHERE key = 'spent_s'"
        )
        trials = study.execute(
            "SELECT value_json FROM trial_user_attributes WHERE key = 'trial' ORDER BY trial_id"
        ).fetchall()
    return float(spent), [json.loads(json.loads(value)) for (value,) in trials]
