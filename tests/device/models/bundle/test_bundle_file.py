"""Bundles on disk: deterministic bytes, and every kind of damage and hostility refused."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import BundleError, StorageError
from edgeinfer.device.models.bundle.installed import installed_bundle
from edgeinfer.device.models.bundle.manifest import MANIFEST
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from tests.device.models.bundle.examples import MEMBERS, manifest
from tests.support.checkout import ROOT


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "example.edgebundle"
    write_bundle(path, manifest(), MEMBERS)
    return path


def rewrite(path: Path, edit: Callable[[dict[str, bytes]], object], **options: int) -> None:
    """Write the archive again with edited members."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    edit(members)
    with zipfile.ZipFile(path, "w", **options) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            archive.writestr(name, content)


def assert_refused(path: Path, message: str) -> None:
    with pytest.raises(BundleError) as caught:
        open_bundle(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_written_reads_back(bundle: Path) -> None:
    with open_bundle(bundle) as opened:
        assert opened.manifest.labels == manifest().labels
        assert {name: opened.member(name) for name in MEMBERS} == MEMBERS


def test_equal_bundles_have_equal_bytes(bundle: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.edgebundle"
    write_bundle(again, manifest(), dict(reversed(MEMBERS.items())))
    assert again.read_bytes() == bundle.read_bytes()


def test_members_are_stored_so_that_updates_can_send_differences(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        assert archive.namelist()[0] == MANIFEST
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_every_truncation_is_refused(bundle: Path) -> None:
    content = bundle.read_bytes()
    for length in range(0, len(content), 37):
        bundle.write_bytes(content[:length])
        with pytest.raises(BundleError):
            open_bundle(bundle)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_changed_byte_is_refused_or_harmless(bundle: Path, data: st.DataObject) -> None:
    write_bundle(bundle, manifest(), MEMBERS)
    content = bytearray(bundle.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    damaged = bundle.with_name("damaged.edgebundle")
    damaged.write_bytes(content)
    try:
        opened = open_bundle(damaged)
    except BundleError:
        return
    # Some bytes of a ZIP mean nothing (dates, attributes): the content must still be the same.
    with opened:
        assert {name: opened.member(name) for name in MEMBERS} == MEMBERS


def test_a_wrong_hash_is_refused(bundle: Path) -> None:
    rewrite(bundle, lambda m: m.update({"variants/cpu.tflite": b"not the same at all"}))
    assert_refused(bundle, "member 'variants/cpu.tflite' has sha256")


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "golden/../../evil", "a\\b", ".ssh/id"])
def test_a_member_that_leaves_the_archive_is_refused(bundle: Path, name: str) -> None:
    rewrite(bundle, lambda m: m.update({name: b"x"}))
    assert_refused(bundle, "forbidden name")


def test_a_member_that_the_manifest_does_not_list_is_refused(bundle: Path) -> None:
    rewrite(bundle, lambda m: m.update({"extra.bin": b"x"}))
    assert_refused(bundle, "member 'extra.bin' is not in the manifest")


def test_a_missing_member_is_refused(bundle: Path) -> None:
    rewrite(bundle, lambda m: m.pop("golden/cpu.input.raw"))
    assert_refused(bundle, "member 'golden/cpu.input.raw' is missing")


def test_a_missing_manifest_is_refused(bundle: Path) -> None:
    rewrite(bundle, lambda m: m.pop(MANIFEST))
    assert_refused(bundle, "has no manifest.json")


def test_compressed_members_are_refused(bundle: Path) -> None:
    rewrite(bundle, lambda m: None, compression=zipfile.ZIP_DEFLATED)
    assert_refused(bundle, "is compressed or encrypted")


def test_a_member_that_occurs_twice_is_refused(bundle: Path) -> None:
    with zipfile.ZipFile(bundle, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("variants/cpu.tflite", b"second")
    assert_refused(bundle, "occurs twice")


def test_a_member_of_ten_gigabytes_is_refused_unread(bundle: Path) -> None:
    """The directory announces 10 GB through ZIP64; nothing of that size is read or allocated."""
    huge = 10 * 2**30
    with zipfile.ZipFile(bundle) as archive:
        info = archive.getinfo("variants/cpu.tflite")
        size = info.file_size
    content = bytearray(bundle.read_bytes())
    place = content.rindex(b"variants/cpu.tflite")  # in the central directory
    header = place - 46
    assert content[header : header + 4] == b"PK\x01\x02"
    extra = struct.pack("<HHQQ", 1, 16, huge, huge)
    struct.pack_into("<II", content, header + 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", content, header + 30, len(extra))
    after = place + len("variants/cpu.tflite")
    content[after:after] = extra
    end = content.rindex(b"PK\x05\x06")
    directory_size = struct.unpack_from("<I", content, end + 12)[0]
    struct.pack_into("<I", content, end + 12, directory_size + len(extra))
    bundle.write_bytes(content)
    with zipfile.ZipFile(bundle) as archive:
        assert archive.getinfo("variants/cpu.tflite").file_size == huge != size
    assert_refused(
        bundle, "member 'variants/cpu.tflite' has 10,737,418,240 bytes, expected at most"
    )


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04", b"hello", b"PK\x05\x06" + bytes(18), bytes(5000)]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.edgebundle"
    path.write_bytes(content)
    with pytest.raises(BundleError):
        open_bundle(path)


def test_absent_files_and_folders_are_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "absent.edgebundle", "does not exist; check the path, or")
    assert_refused(tmp_path, "is not a file")


def test_a_bundle_without_its_members_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="members are missing"):
        write_bundle(tmp_path / "x.edgebundle", manifest(), {})
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import sys
from pathlib import Path
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.core.errors import StorageError
from tests.device.models.bundle.examples import MEMBERS, manifest
folder = Path(sys.argv[1])
members = {**MEMBERS, "report/large.bin": bytes(4 << 20)}
try:
    write_bundle(folder / "x.edgebundle", manifest(), members)
except StorageError as error:
    print(error)
print(sorted(path.name for path in folder.iterdir()))
"""


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = f"mount -t tmpfs -o size=1m none '{folder}' && exec \"$@\""
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let a test mount a small disk")
    answer = subprocess.run(
        [*command, sys.executable, "-c", FULL_DISK, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    error, left = answer.stdout.splitlines()
    assert "x.edgebundle: cannot be written (no space left on device); free some space" in error
    assert left == "[]"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.touch()
    with pytest.raises(StorageError, match="cannot be written") as caught:
        write_bundle(blocker / "x.edgebundle", manifest(), MEMBERS)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno in (errno.ENOTDIR, errno.EEXIST)


def test_the_boards_bundle_comes_before_the_workstations(tmp_path: Path) -> None:
    board, home = tmp_path / "board", tmp_path / "home"
    board.mkdir()
    home.mkdir()
    with pytest.raises(BundleError, match="no bundle is installed"):
        installed_bundle(board, home)
    old, new = home / "old.edgebundle", home / "new.edgebundle"
    for path, time_ns in ((old, 2_000), (new, 3_000)):
        path.touch()
        os.utime(path, ns=(time_ns, time_ns))
    assert installed_bundle(board, home) == new
    (board / "b.edgebundle").touch()
    assert installed_bundle(board, home) == board / "b.edgebundle"
    assert installed_bundle(board / "b.edgebundle", home) == board / "b.edgebundle"
