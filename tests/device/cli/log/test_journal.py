"""Knowing the journal."""

from __future__ import annotations

import os
from pathlib import Path

from edgeinfer.device.cli.log.journal import under_journald


def test_the_journal_is_known_by_device_and_inode(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w") as journal, (tmp_path / "other").open("w") as other:
        status = os.fstat(journal.fileno())
        environment = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert under_journald(journal.fileno(), environment)
        assert not under_journald(other.fileno(), environment)
        assert not under_journald(journal.fileno(), {})
        descriptor = journal.fileno()
    assert not under_journald(descriptor, environment)
