from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.host.data.folders.check import check_files
from edgeinfer.host.data.folders.folder import find_layout
from edgeinfer.host.data.folders.warnings import is_grey, warn_of_grey, warn_of_labels
from tests.host.data.conftest import MakeFolder


@pytest.mark.parametrize(
    ("labels", "path", "said"),
    [
        (("Cat", "cat", "dog"), "Cat", "the classes 'Cat' and 'cat' differ only in capital"),
        (("great dane", "great_dane"), "great dane", "differ only in .* spaces, '-' or '_'"),
        (("bird", "dog "), "dog ", "the name of the class 'dog ' ends with a space"),
        ((" cat", "dog"), " cat", "begins with a space"),
        (("cat", "dog\u00a0"), "dog\u00a0", "ends with a space"),
        (("STRASSE", "straße"), "STRASSE", "'STRASSE' and 'straße' differ"),
    ],
)
def test_odd_labels(labels: tuple[str, ...], path: str, said: str) -> None:
    (finding,) = warn_of_labels(labels)
    assert (finding.kind, finding.path, finding.left_out) == ("warning", path, False)
    with pytest.raises(ValueError, match=said):
        raise ValueError(finding.detail)


def test_labels_that_differ(make_folder: MakeFolder) -> None:
    assert warn_of_labels(("cat", "cats", "c-3", "-", "_", "4", "5")) == []


def test_they_are_used_all_the_same(make_folder: MakeFolder) -> None:
    checked = check_files(find_layout(make_folder({"Cat": 3, "cat ": 3})))
    assert len(checked.files) == 6
    assert [(finding.kind, finding.path) for finding in checked.findings] == [
        ("warning", "Cat"),
        ("warning", "cat "),
    ]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_class_of_grey_pictures_among_classes_in_colour(
    make_folder: MakeFolder, suffix: str
) -> None:
    root = make_folder({"a": 4, "b": 4, "c": 4})
    for path in sorted((root / "b").iterdir()):
        grey = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2GRAY)
        path.unlink()
        # As scanners save them: grey in three channels.
        cv2.imwrite(str(path.with_suffix(suffix)), cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    (finding,) = check_files(find_layout(root)).findings
    assert (finding.kind, finding.path) == ("warning", "b")
    assert finding.detail.startswith("4 of its 4 pictures are grey, those of other classes are in")
    assert "train --channels grey" in finding.sentence


def pictures(**greys: tuple[int, int]) -> list[tuple[int, bool]]:
    """Return for classes in the order of their names how many are grey, and how many not."""
    return [
        (label, grey)
        for label, (few, many) in enumerate(greys.values())
        for grey in [True] * few + [False] * many
    ]


@pytest.mark.parametrize(
    ("counts", "odd"),
    [
        ({"a": (20, 0), "b": (0, 20), "c": (1, 20)}, ["a"]),
        ({"a": (20, 1), "b": (0, 20)}, ["a"]),
        ({"a": (20, 0), "b": (20, 0), "c": (0, 20)}, ["c"]),
        ({"a": (20, 0), "b": (20, 0)}, []),
        ({"a": (10, 10), "b": (0, 20)}, []),
        ({"a": (20, 0), "b": (10, 10)}, []),
        ({"a": (0, 20), "b": (0, 20)}, []),
    ],
)
def test_how_many_pictures_it_takes(counts: dict[str, tuple[int, int]], odd: list[str]) -> None:
    found = warn_of_grey(tuple(counts), pictures(**counts))
    assert [finding.path for finding in found] == odd


def test_what_is_grey(tmp_path: Path) -> None:
    grey = np.repeat(np.arange(200, dtype=np.uint8).reshape(10, 20, 1), 3, axis=2)
    assert is_grey(grey)
    coloured = grey.copy()
    coloured[5, 7, 0] += 40
    assert not is_grey(coloured)
    assert is_grey(np.zeros((1, 3000, 3), np.uint8))
