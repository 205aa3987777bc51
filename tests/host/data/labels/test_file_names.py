from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.host.data.labels.file_names import label_of_name, labels_of_names


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cat.0.jpg", "cat"),
        ("great_pyrenees_12.jpg", "great_pyrenees"),
        ("Abyssinian_100.jpg", "Abyssinian"),
        ("cat-7.PNG", "cat"),
        ("cat (3).jpg", "cat"),
        ("cat 3.jpg", "cat"),
        ("cat12.webp", "cat"),
        ("Äpfel_4.jpg", "Äpfel"),
        ("IMG_2041.jpg", None),
        ("IMG-20240101-WA0007.jpg", None),
        ("DSC_0001.JPG", None),
        ("PXL_20240101_1.jpg", None),
        ("frame_00012.jpg", None),
        ("0001.jpg", None),
        ("cat.jpg", None),
        ("12_cat.jpg", None),
    ],
)
def test_the_label_in_a_name(name: str, label: str | None) -> None:
    assert label_of_name(name) == label


def test_names_state_labels_only_as_a_whole() -> None:
    cats_and_dogs = [f"{kind}.{number}.jpg" for kind in ("cat", "dog") for number in range(5)]
    assert labels_of_names(cats_and_dogs) == ["cat"] * 5 + ["dog"] * 5
    assert labels_of_names([*cats_and_dogs, "readme.jpg"]) == ["cat"] * 5 + ["dog"] * 5 + [None]
    assert labels_of_names([f"cat.{number}.jpg" for number in range(5)]) is None
    assert labels_of_names(["beach1.jpg", "beach2.jpg", "dinner1.jpg"]) is None
    assert labels_of_names(["IMG_1.jpg", "IMG_2.jpg", "DSC_1.jpg", "DSC_2.jpg"]) is None
    assert labels_of_names([]) is None


@given(st.text(max_size=40))
def test_any_name_has_a_label_with_a_letter_or_none(name: str) -> None:
    label = label_of_name(name)
    assert label is None or (label[-1:].isalpha() and label == label.strip())
