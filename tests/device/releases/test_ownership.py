"""Root works only in folders that are root's all the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import ReleaseError
from edgeinfer.device.releases.install.setup import check_prefix, make_prefix
from edgeinfer.device.releases.pack_agent import build_agent
from edgeinfer.device.releases.paths import Layout

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes another's folders")

OTHER_USER = 65534


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder of root's, in which others may read."""
    folder = tmp_path / "place"
    folder.mkdir(mode=0o755)
    return folder


def given_away(path: Path) -> None:
    os.chown(path, OTHER_USER, OTHER_USER, follow_symlinks=False)


def open_to_all(path: Path) -> None:
    path.chmod(0o777)


def open_to_a_group(path: Path) -> None:
    path.chmod(0o775)


def refused(layout: Layout, subject: Path, *words: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        make_prefix(layout)
    assert caught.value.subject == str(subject)
    for word in words:
        assert word in str(caught.value)


def test_a_new_prefix_is_roots(place: Path) -> None:
    layout = Layout(prefix=place / "deep" / "edgeinfer")
    make_prefix(layout)
    make_prefix(layout)
    status = layout.prefix.stat()
    assert (status.st_uid, status.st_mode & 0o7777) == (0, 0o755)


@pytest.mark.parametrize("damage", [given_away, open_to_all, open_to_a_group])
@pytest.mark.parametrize("which", ["prefix", "parent", "grandparent"])
def test_a_folder_that_others_may_change_is_refused(
    place: Path, damage: Callable[[Path], None], which: str
) -> None:
    layout = Layout(prefix=place / "parent" / "edgeinfer")
    layout.prefix.mkdir(parents=True)
    folder = {
        "prefix": layout.prefix,
        "parent": layout.prefix.parent,
        "grandparent": place,
    }[which]
    damage(folder)
    status = folder.stat()
    refused(
        layout,
        folder,
        "belongs to user " + ("root" if status.st_uid == 0 else "nobody"),
        f"mode {status.st_mode & 0o7777:04o}",
        f"sudo chown --no-dereference root:root {folder} && sudo chmod go-w {folder}",
    )
    # What the error says repairs it.
    subprocess.run(
        ["sh", "-c", f"chown --no-dereference root:root {folder} && chmod go-w {folder}"],
        check=True,
    )
    make_prefix(layout)


def test_nothing_is_made_where_others_may_write(place: Path) -> None:
    open_to_all(place)
    refused(Layout(prefix=place / "parent" / "edgeinfer"), place)
    assert list(place.iterdir()) == []


def test_a_link_of_roots_is_followed_and_what_it_leads_to_is_looked_at(place: Path) -> None:
    disk = place / "disk"
    (disk / "edgeinfer").mkdir(parents=True)
    layout = Layout(prefix=place / "edgeinfer")
    layout.prefix.symlink_to("disk/edgeinfer")
    make_prefix(layout)
    open_to_all(disk)
    refused(layout, disk, "mode 0777")


def test_a_link_of_anothers_is_refused(place: Path) -> None:
    (place / "disk").mkdir()
    layout = Layout(prefix=place / "edgeinfer")
    layout.prefix.symlink_to("disk")
    given_away(layout.prefix)
    refused(layout, layout.prefix, "belongs to user nobody")


def test_a_link_to_itself_is_refused(place: Path) -> None:
    layout = Layout(prefix=place / "edgeinfer")
    layout.prefix.symlink_to("edgeinfer")
    with pytest.raises(ReleaseError, match="leads to itself"):
        make_prefix(layout)


def test_in_a_sticky_folder_roots_own_is_safe_and_others_is_not(place: Path) -> None:
    place.chmod(0o1777)
    layout = Layout(prefix=place / "edgeinfer")
    make_prefix(layout)
    given_away(layout.prefix)
    refused(layout, layout.prefix)
    os.chown(layout.prefix, 0, 0)
    layout.prefix.chmod(0o1777)  # in it the agent itself makes files
    refused(layout, layout.prefix)


@pytest.mark.parametrize("name", ["releases.pyz", "store", "packages/0123", "python/0123", "lock"])
@pytest.mark.parametrize("damage", [given_away, open_to_all])
def test_what_is_there_already_must_be_roots_too(
    place: Path, name: str, damage: Callable[[Path], None]
) -> None:
    layout = Layout(prefix=place / "edgeinfer")
    path = layout.prefix / name
    path.parent.mkdir(parents=True)
    path.touch()
    check_prefix(layout)
    damage(path)
    refused(layout, path)


def test_the_loops_own_folder_is_its_users_and_no_link(place: Path) -> None:
    layout = Layout(prefix=place / "edgeinfer")
    layout.data.mkdir(parents=True)
    given_away(layout.data)
    check_prefix(layout)
    layout.data.rmdir()
    layout.data.symlink_to("/etc")
    refused(layout, layout.data, "is not a folder")


@pytest.mark.parametrize(
    "words", [["setup"], ["collect"], ["settle", "--boot"], ["try", "1"], ["trial"], ["remove"]]
)
def test_every_command_of_roots_refuses(place: Path, tmp_path: Path, words: list[str]) -> None:
    agent = tmp_path / "releases.pyz"
    agent.write_bytes(build_agent())
    prefix = place / "edgeinfer"
    prefix.mkdir()
    given_away(prefix)
    options = ["--prefix", prefix, "--run", tmp_path / "run", "--units", tmp_path / "units"]
    done = subprocess.run(
        [sys.executable, "-I", str(agent), *map(str, options), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["error"]["subject"] == str(prefix)
    assert list(prefix.iterdir()) == []
