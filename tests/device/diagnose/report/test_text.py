from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import StorageError, UsageError
from edgeinfer.device.diagnose.report.collect import Part
from edgeinfer.device.diagnose.report.text import as_json, check_place, markdown, write_report

NAME = "a ``` camera ```` <b>"
PARTS = [
    Part(key="machine", title="Machine", data={"name": NAME}, lines=[NAME, "```"]),
    Part(key="verify", title="Verify", data={"state": "not run"}, lines=["not run: no bundle"]),
]


def test_nothing_in_a_text_ends_its_block() -> None:
    written = markdown(PARTS)
    machine, verify = written.split("## Machine\n\n")[1].split("\n\n## Verify\n\n")
    assert machine == f"`````text\n{NAME}\n```\n`````"
    assert verify.startswith("```text\nnot run: no bundle\n```\n")
    assert written.endswith("\n`````\n")


def test_the_last_block_is_the_document() -> None:
    block = markdown(PARTS).split("`````json\n")[1].removesuffix("\n`````\n")
    assert json.loads(block) == json.loads(as_json(PARTS))
    assert json.loads(block)["machine"] == {"name": NAME}


def test_a_file_is_replaced_only_if_that_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "new" / "report.md"
    write_report(file, PARTS, as_document=False, force=False)
    assert file.read_text().startswith("# edgeinfer report\n")
    with pytest.raises(UsageError, match="exists already"):
        write_report(file, PARTS, as_document=True, force=False)
    assert file.read_text().startswith("# edgeinfer report\n")
    write_report(file, PARTS, as_document=True, force=True)
    assert json.loads(file.read_text())["schema"] == 1


@contextmanager
def full_disk(free_bytes: int) -> Iterator[None]:
    """Let no file of this process become larger, which fails as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    with full_disk(64), pytest.raises(StorageError, match="cannot be written"):
        write_report(tmp_path / "report.md", PARTS, as_document=False, force=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file/report.md", "file/a/report.md", "file/a/b/report.md"])
def test_a_place_below_a_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written"):
        check_place(tmp_path / name, force=False)


def test_a_link_that_leads_nowhere_is_not_replaced(tmp_path: Path) -> None:
    link = tmp_path / "report.md"
    link.symlink_to(tmp_path / "absent")
    with pytest.raises(UsageError, match="exists already"):
        check_place(link, force=False)
