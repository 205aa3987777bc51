"""Bundles damaged in any way, before they are opened and while they are open: always a BundleError.

What the operating system refuses is another error, in the system's words.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import BundleError
from edgeinfer.device.models.bundle.reader import ModelBundle, open_bundle, read_manifest
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.input_size import model_input_size
from edgeinfer.device.models.model import Model
from tests.device.models.bundle.examples import MEMBERS, manifest

# Larger than what a file object reads ahead, so that later readings reach the disk.
LARGE = {"report/a.bin": bytes(range(256)) * 80, "report/b.bin": bytes(range(255, -1, -1)) * 80}
CONTENTS = {**MEMBERS, **LARGE}

OS_WORDS = ("cannot be read", "check the path")

Edit = Callable[[bytearray], None]


def _places(content: bytes) -> list[int]:
    signatures = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")
    return [at for at in range(len(content) - 3) if content[at : at + 4] in signatures]


@st.composite
def _field(draw: st.DrawFn) -> Edit:
    """Change a number of a header, of the directory or of the end, by one or to an extreme."""
    which, offset = draw(st.integers(0, 60)), draw(st.integers(0, 46))
    size = draw(st.sampled_from([1, 2, 4, 8]))
    change: Callable[[int], int] = draw(
        st.sampled_from(
            [
                lambda old: old + 1,
                lambda old: old - 1,
                lambda old: 2 * old,
                lambda old: 0,
                lambda old: -1,
                lambda old: 1 << 8 * size - 1,
                lambda old: old ^ 0x0808,
            ]
        )
    )

    def edit(content: bytearray) -> None:
        places = _places(bytes(content))
        if not places or len(content) < size:
            return
        place = min(places[which % len(places)] + offset, len(content) - size)
        old = int.from_bytes(content[place : place + size], "little")
        new = change(old) % (1 << 8 * size)
        content[place : place + size] = new.to_bytes(size, "little")

    return edit


@st.composite
def _byte(draw: st.DrawFn) -> Edit:
    where, flip = draw(st.integers(0, 2**32)), draw(st.integers(1, 255))

    def edit(content: bytearray) -> None:
        if content:
            content[where % len(content)] ^= flip

    return edit


@st.composite
def _piece(draw: st.DrawFn) -> Edit:
    """Cut the end off, take a few bytes away or put some in."""
    where, kind = draw(st.integers(0, 2**32)), draw(st.sampled_from(["cut", "less", "more"]))
    count = draw(st.sampled_from([1, 2, 4, 20, 76]))

    def edit(content: bytearray) -> None:
        place = where % (len(content) + 1)
        if kind == "cut":
            del content[place:]
        elif kind == "less":
            del content[place : place + count]
        else:
            content[place:place] = bytes(count)

    return edit


@st.composite
def _zip64(draw: st.DrawFn) -> Edit:
    """Put a ZIP64 end before the end, of numbers that may be right, nearly so, or absurd."""
    record, locator = draw(st.booleans()), draw(st.booleans())
    inside, alone = draw(st.booleans()), draw(st.booleans())
    near, extreme = st.integers(-1, 1), st.sampled_from([0, 2**32 - 1, 2**63, 2**64 - 1])
    numbers = draw(st.lists(st.one_of(near, extreme), min_size=4, max_size=4))

    def edit(content: bytearray) -> None:
        end = content.rfind(b"PK\x05\x06")
        if end < 0 or end + 22 > len(content):
            return
        members, size, offset = struct.unpack_from("<H2L", content, end + 10)
        if alone:
            members = size = offset = end = 0
        right = (members, size, offset, offset + size)
        count, bytes_, start, at = (
            max(0, known + number) if abs(number) <= 1 else number
            for known, number in zip(right, numbers, strict=True)
        )
        more = b""
        if record:
            fields = (44, 45, 45, 0, 0, members, count, bytes_, start)
            more += struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", *fields)
        if locator:
            more += struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
        place = end if inside else offset
        moved = (size + len(more), offset) if inside else (size, offset + len(more))
        last = (b"PK\x05\x06", 0, 0, members, members, *moved, 0)
        content[:] = content[:place] + more + content[place:end] + struct.pack("<4s4H2LH", *last)

    return edit


EDITS = st.lists(st.one_of(_field(), _field(), _byte(), _piece(), _zip64()), min_size=1, max_size=3)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "example.edgebundle"
    write_bundle(path, manifest(), CONTENTS)
    return path.read_bytes()


def _damaged(good: bytes, edits: list[Edit]) -> bytes:
    content = bytearray(good)
    for edit in edits:
        edit(content)
    return bytes(content)


def _contents(bundle: ModelBundle) -> dict[str, bytes]:
    return {name: bundle.member(name) for name in bundle.manifest.members}


def _assert_told_as_damage(error: BundleError) -> None:
    assert "\n" not in str(error)
    assert not any(word in str(error) for word in OS_WORDS), str(error)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_no_damage_is_anything_but_an_error_of_the_bundle(
    good: bytes, tmp_path: Path, edits: list[Edit]
) -> None:
    path = tmp_path / "damaged.edgebundle"
    path.write_bytes(_damaged(good, edits))
    assert model_input_size(path) in (None, manifest().preprocess.size)
    try:
        read_manifest(path)
        with open_bundle(path) as bundle:
            # Some bytes of a ZIP mean nothing (dates, attributes): the content must be the same.
            assert _contents(bundle) == CONTENTS
    except BundleError as error:
        _assert_told_as_damage(error)
        with pytest.raises(BundleError):
            Model.open(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_later_damage_to_the_file_is_reported_too(
    good: bytes, tmp_path: Path, edits: list[Edit]
) -> None:
    path = tmp_path / "changing.edgebundle"
    path.write_bytes(good)
    with open_bundle(path) as bundle:
        path.write_bytes(_damaged(good, edits))  # the same file, as the open one sees it
        for name in CONTENTS:
            try:
                assert bundle.member(name) == CONTENTS[name]
            except BundleError as error:
                _assert_told_as_damage(error)


def test_a_zip64_end_is_refused_before_python_follows_it(good: bytes, tmp_path: Path) -> None:
    """A directory of 2**63 bytes begins before the file: older Pythons seek there."""
    end = good.rindex(b"PK\x05\x06")
    members, size, offset = struct.unpack_from("<H2L", good, end + 10)
    fields = (44, 45, 45, 0, 0, members, members, 2**63, offset)
    more = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", *fields)
    more += struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    last = (b"PK\x05\x06", 0, 0, members, members, size + len(more), offset, 0)
    path = tmp_path / "zip64.edgebundle"
    path.write_bytes(good[:end] + more + struct.pack("<4s4H2LH", *last))
    with pytest.raises(BundleError, match=r"is damaged \(it has two directories\)"):
        open_bundle(path)


def test_a_folder_instead_of_the_file(tmp_path: Path) -> None:
    for read in (open_bundle, read_manifest):
        with pytest.raises(BundleError, match="is not a file"):
            read(tmp_path)


def test_a_file_without_read_permission_is_reported(good: bytes, tmp_path: Path) -> None:
    path = tmp_path / "locked.edgebundle"
    path.write_bytes(good)
    path.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)  # root may read everything
    try:
        with pytest.raises(BundleError, match=r"cannot be read \(permission denied\); check"):
            open_bundle(path)
    finally:
        if root:
            os.seteuid(0)


def test_a_disk_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "broken.edgebundle"
    path.symlink_to("/proc/self/mem")  # its first page gives EIO, as a broken disk does
    with pytest.raises(BundleError, match=r"cannot be read \((input/output error|invalid arg)"):
        open_bundle(path)
