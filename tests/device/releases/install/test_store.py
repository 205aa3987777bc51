"""Files are stored whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ReleaseError, StorageError
from edgeinfer.device.releases.install.store import receive, stored_sizes
from edgeinfer.device.releases.paths import Layout
from tests.device.releases.boards import make_board, sha256_of


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_board(tmp_path)


def test_a_file_is_stored_once(layout: Layout) -> None:
    assert receive(layout, sha256_of(b"content"), 7, io.BytesIO(b"content"))
    assert not receive(layout, sha256_of(b"content"), 7, io.BytesIO(b""))
    assert stored_sizes(layout) == {sha256_of(b"content"): 7}


def test_one_that_rotted_is_stored_anew(layout: Layout) -> None:
    sha256 = sha256_of(b"content")
    receive(layout, sha256, 7, io.BytesIO(b"content"))
    (layout.store / sha256).write_bytes(b"rotten!")
    assert receive(layout, sha256, 7, io.BytesIO(b"content"))
    assert (layout.store / sha256).read_bytes() == b"content"


@pytest.mark.parametrize(
    ("content", "got"),
    [(b"conten", "6 bytes"), (b"content!", "more bytes"), (b"CONTENT", "content with SHA-256")],
)
def test_what_differs_is_refused_and_nothing_remains(
    layout: Layout, content: bytes, got: str
) -> None:
    with pytest.raises(ReleaseError, match=got):
        receive(layout, sha256_of(b"content"), 7, io.BytesIO(content))
    assert list(layout.store.iterdir()) == []


@pytest.mark.parametrize("name", ["", "../x", "A" * 64, "0" * 63])
def test_a_name_that_is_no_hash_is_refused(layout: Layout, name: str) -> None:
    with pytest.raises(ReleaseError, match="SHA-256"):
        receive(layout, name, 1, io.BytesIO(b"x"))


def test_what_would_fill_the_disk_is_refused_before_it_is_read(layout: Layout) -> None:
    status = os.statvfs(layout.store)
    size = status.f_bavail * status.f_frsize
    stream = io.BytesIO(b"content")
    with pytest.raises(StorageError, match="MB are free"):
        receive(layout, sha256_of(b"content"), size, stream)
    assert stream.tell() == 0


@given(st.binary(max_size=50), st.integers(0, 60), st.binary(max_size=50))
def test_only_the_content_that_was_told_is_stored(
    tmp_path_factory: pytest.TempPathFactory, told: bytes, size: int, sent: bytes
) -> None:
    layout = make_board(tmp_path_factory.mktemp("board"))
    try:
        receive(layout, sha256_of(told), size, io.BytesIO(sent))
    except ReleaseError:
        assert sent != told or size != len(told)
        assert stored_sizes(layout) == {}
    else:
        assert sent == told
        assert (layout.store / sha256_of(told)).read_bytes() == told
