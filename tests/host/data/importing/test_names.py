from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.importing.found import Record
from edgeinfer.host.data.importing.names import (
    RENAMED_LABEL,
    UniqueNames,
    label_folder,
    label_folders,
)
from tests.host.data.importing.conftest import reasons


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("cat", "cat"),
        ("Käse 2", "Käse 2"),
        ("a/b", "a_b"),
        ("..", "_"),
        (".hidden", "_hidden"),
        ("../../etc", "__.._etc"),
        ("what?", "what_"),
        ("end. ", "end"),
        ("a\nb", "a_b"),
        ("Thumbs.db", "_Thumbs.db"),
        ("x" * 300, "x" * 200),
    ],
)
def test_folders_of_labels(label: str, folder: str, record: Record) -> None:
    assert label_folder(label, record) == folder
    assert reasons(record) == ({} if label == folder else {RENAMED_LABEL: 1})


@settings(max_examples=80)
@given(st.text(min_size=1, max_size=300))
def test_any_label_is_one_folder(label: str) -> None:
    folder = label_folder(label)
    assert folder
    assert folder not in {".", ".."}
    assert "/" not in folder
    assert "\0" not in folder
    assert len(folder.encode("utf-8", "replace")) < 210


def test_two_labels_of_one_folder(record: Record) -> None:
    with pytest.raises(DataError, match=r"labels 'a/b' and 'a_b': would both be the folder 'a_b'"):
        label_folders(["a/b", "a_b"], record)


def test_names_are_unique_in_any_case() -> None:
    names = UniqueNames()
    taken = [names.take("cat", name) for name in ("a.jpg", "A.JPG", "a.jpg", "b.jpg", "../a.jpg")]
    assert taken == ["a.jpg", "A-2.JPG", "a-3.jpg", "b.jpg", "_a.jpg"]
    assert names.take("Cat", "a.jpg") == "a-4.jpg"
    assert names.take("dog", "a.jpg") == "a.jpg"
