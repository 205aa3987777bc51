"""60 faults are planted into cats and dogs: what is found, missed, and named without need."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeinfer.host.cli.data.commands import data
from tests.host.evaluation.dataset.plant import plant

Pair = frozenset[str]


def _content(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


@pytest.mark.long
@pytest.mark.processor_time(limit_s=1500, why="features of 5,000 pictures, twice compared")
def test_planted_faults_are_found_and_all_is_put_back(shared_data: Path, tmp_path: Path) -> None:
    root = tmp_path / "catsdogs"
    for split in ("train", "test"):
        shutil.copytree(shared_data / "catsdogs" / split, root / split)
    planted = plant(root)
    before = _content(root)
    ran = CliRunner().invoke(data, ["check", str(root), "--deep", "--fix", "--json"])
    assert ran.exit_code == 0, ran.output
    answer = json.loads(ran.stdout)
    found = {
        kind: {finding["path"] for finding in answer["findings"] if finding["kind"] == kind}
        for kind in ("corrupt", "duplicate", "wrong-label")
    }
    copies = {frozenset((copy["path"], copy["kept"])) for copy in answer["copies"]}
    assert found["corrupt"] == set(planted.cut)
    assert {path for pair in planted.exact for path in pair} & found["duplicate"] == {
        path for pair in planted.exact for path in pair if path.startswith("train")
    }
    assert copies >= set(planted.scaled)
    assert len(copies & set(planted.cropped)) >= len(planted.cropped) - 1
    # The set has a few copies itself.
    assert len(copies - set(planted.scaled) - set(planted.cropped)) <= 5
    assert len(found["wrong-label"] & set(planted.swapped)) >= 10
    assert len(found["wrong-label"] - set(planted.swapped)) <= 25
    assert not answer["moved"]["left"]
    assert {path for pair in planted.scaled for path in pair} & set(answer["moved"]["moved"])
    assert _content(root) != before
    assert CliRunner().invoke(data, ["check", str(root), "--undo"]).exit_code == 0
    assert _content(root) == before
    assert not (tmp_path / ".catsdogs-quarantine").exists()
