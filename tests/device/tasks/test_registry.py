"""Tasks are looked up by name, those of other packages by their entry points."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import BundleError
from edgeinfer.device.models.bundle.manifest import parse_manifest
from edgeinfer.device.tasks.registry import GROUP, OWN, UnknownTaskError, find_task
from edgeinfer.device.tasks.task import Task
from tests.device.models.bundle.examples import manifest


def test_each_of_our_tasks_is_found_and_is_an_entry_point() -> None:
    entries = {entry.name: entry for entry in metadata.entry_points(group=GROUP)}
    for name in OWN:
        task = find_task(name)
        assert isinstance(task, Task)
        assert task.name == name
        assert entries[name].load() is task


@pytest.mark.parametrize("name", ["flight", "", "os", "edgeinfer.device.tasks.value", "../value"])
def test_what_nobody_brings_is_unknown(name: str) -> None:
    with pytest.raises(UnknownTaskError, match="expected one of classification"):
        find_task(name)


def install(folder: Path, name: str, source: str) -> None:
    """Lay out what pip would have installed of a package with one entry point."""
    (folder / f"{name}_task.py").write_text(source)
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {name}_task:TASK\n")


def test_a_package_brings_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """\
from edgeinfer.device.tasks.embedding.task import EmbeddingTask

class Gait(EmbeddingTask):
    name = "gait"

TASK = Gait()
"""
    install(tmp_path, "gait", source)
    install(tmp_path, "stone", "TASK = 'no task'\n")
    install(tmp_path, "broken", "1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_task("gait").name == "gait"
    with pytest.raises(
        UnknownTaskError, match=r"is 'stone', .* edgeinfer.tasks is not a Task with"
    ):
        find_task("stone")
    with pytest.raises(
        UnknownTaskError, match=r"is 'broken', .*imported \(ZeroDivisionError: divis"
    ):
        find_task("broken")
    find_task.cache_clear()


def test_a_bundle_of_a_task_that_is_not_here_is_named_with_what_would_read_it() -> None:
    text = manifest().to_bytes().replace(b'"classification"', b'"gait"')
    with pytest.raises(BundleError) as caught:
        parse_manifest(text, subject="x.edgebundle")
    told = str(caught.value)
    assert "its model predicts 'gait', which no installed package reads" in told
    assert "install the package that brings the task 'gait'" in told
