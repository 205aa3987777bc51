"""Files are stored whole or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ReleaseError, StorageError
from edgeinfer.device.releases.install.store import receive, receive_all, stored_sizes
from edgeinfer.device.releases.paths import Layout
from tests.device.releases.boards import make_board, sha256_of


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_board(tmp_path)


def test_a_file_is_stored_once(layout: Layout) -> None:
    assert receive(layout, sha256_of(b"content"), 7, io.BytesIO(b"content"))
    assert not receive(layout, sha256_of(b"content"), 7, io.BytesIO(b""))
    assert stored_sizes(layout) == {sha256_of(b"content"): 7}


def test_a_damaged_file_is_stored_again(layout: Layout) -> None:
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
def test_a_name_that_is_not_a_hash_is_refused(layout: Layout, name: str) -> None:
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
def test_only_the_announced_content_is_stored(
    tmp_path_factory: pytest.TempPathFactory, expected: bytes, size: int, sent: bytes
) -> None:
    layout = make_board(tmp_path_factory.mktemp("board"))
    try:
        receive(layout, sha256_of(expected), size, io.BytesIO(sent))
    except ReleaseError:
        assert sent != expected or size != len(expected)
        assert stored_sizes(layout) == {}
    else:
        assert sent == expected
        assert (layout.store / sha256_of(expected)).read_bytes() == expected


FILES = (b"first", b"", b"second", b"third")


def announced(contents: Iterable[bytes]) -> list[tuple[str, int]]:
    return [(sha256_of(content), len(content)) for content in contents]


def test_several_come_in_one_stream(layout: Layout) -> None:
    assert receive_all(layout, announced(FILES), io.BytesIO(b"".join(FILES))) == 4
    assert stored_sizes(layout) == dict(announced(FILES))


@pytest.mark.parametrize("known", FILES)
def test_a_stored_file_is_skipped(layout: Layout, known: bytes) -> None:
    receive(layout, sha256_of(known), len(known), io.BytesIO(known))
    assert receive_all(layout, announced(FILES), io.BytesIO(b"".join(FILES))) == 3
    assert stored_sizes(layout) == dict(announced(FILES))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"firstsec", 2),  # the connection was lost
        (b"firstsecondthir", 3),
        (b"firstsecondthirds", 3),
        (b"firstsecundthird", 2),
    ],
)
def test_of_several_those_before_one_that_fails_are_kept(
    layout: Layout, sent: bytes, kept: int
) -> None:
    with pytest.raises(ReleaseError):
        receive_all(layout, announced(FILES), io.BytesIO(sent))
    assert stored_sizes(layout) == dict(announced(FILES[:kept]))
