"""Libraries, in a file system made for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeinfer.device.runtime.delegates.find import find_library


def test_libraries_are_found_where_the_loader_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    name = "libedgetpu.so.1"
    assert find_library(name, root=tmp_path) is None
    usual = tmp_path / f"usr/lib/{os.uname().machine}-linux-gnu" / name
    usual.parent.mkdir(parents=True)
    usual.touch()
    assert find_library(name, root=tmp_path) == usual
    configured = tmp_path / "opt/tpu" / name
    configured.parent.mkdir(parents=True)
    configured.touch()
    (tmp_path / "etc/ld.so.conf.d").mkdir(parents=True)
    (tmp_path / "etc/ld.so.conf.d/tpu.conf").write_text("# ours\n/opt/tpu # here\n")
    assert find_library(name, root=tmp_path) == configured
    first = tmp_path / "first" / name
    first.parent.mkdir()
    first.touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", f":{first.parent}")
    assert find_library(name, root=tmp_path) == first


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.so"
    assert find_library(str(path)) is None
    path.touch()
    assert find_library(str(path)) == path
