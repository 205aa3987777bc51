from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.pictures.folders.names import (
    _FILLERS,
    _ROLES,
    Role,
    is_date,
    is_wrapping,
    role_of,
    roles_of,
    split_of,
)

NAMES: dict[Role | None, str] = {
    "train": "train training Train-Data training_set seg_train train_images trainset TRAINset "
    "trainingData train2017 train_val trainval Training_Images train-jpg",
    "validation": "val valid validate validation dev eval Validation_Set val2017 valid_images",
    "test": "test testing test_set seg_test TestSet test1 holdout hold-out Held_Out testimages",
    "unlabelled": "seg_pred pred predictions test_unlabelled unlabeled",
    None: "cat kit images contest latest evaluated trainer steam-train test-tube training-shoes",
}


@pytest.mark.parametrize("role", NAMES)
def test_usual_names(role: Role | None) -> None:
    assert {name: role_of(name) for name in NAMES[role].split()} == dict.fromkeys(
        NAMES[role].split(), role
    )


def test_names_with_spaces() -> None:
    assert [role_of(name) for name in ("Training Data", "test (1)", "train station", "")] == [
        "train",
        "test",
        None,
        None,
    ]


def test_pictures_without_labels_are_not_a_split() -> None:
    assert split_of("seg_pred") is None
    assert split_of("seg_test") == "test"


@pytest.mark.parametrize(
    ("names", "roles"),
    [
        ("asl_alphabet_train asl_alphabet_test", ["train", "test"]),
        ("x_train x_val x_test", ["train", "validation", "test"]),
        ("TrainBirds ValBirds", ["train", "validation"]),
        ("train dev eval", ["train", "validation", "test"]),
        ("train eval", ["train", "validation"]),
        ("train dev eval test", ["train", "validation", "validation", "test"]),
        ("train eval notes", ["train", "validation", None]),
        ("train_cat test_dog", [None, None]),
        ("test_tube test_paper", [None, None]),
        ("x_train", [None]),
        ("cat dog", [None, None]),
        ("", []),
    ],
)
def test_names_next_to_each_other(names: str, roles: list[Role | None]) -> None:
    found = roles_of(names.split())
    assert [found.get(name) for name in names.split()] == roles


WORDS = st.sampled_from(sorted(_ROLES))
FILLERS = st.lists(st.sampled_from(sorted(_FILLERS)), max_size=2)
SPELLINGS = st.sampled_from([str.lower, str.upper, str.title])


@given(WORDS, FILLERS, FILLERS, st.sampled_from("_- ."), SPELLINGS)
def test_words_around_a_role_and_its_spelling_do_not_matter(
    word: str, before: list[str], after: list[str], mark: str, spell: type[str]
) -> None:
    name = spell(mark.join([*before, word, *after]))
    assert role_of(name) == _ROLES[word], name


@given(WORDS, st.sampled_from(sorted(_FILLERS)))
def test_a_filler_may_be_glued_to_a_role(word: str, filler: str) -> None:
    assert role_of(word + filler) == _ROLES[word]


@given(WORDS, st.text("bfghkq", min_size=2, max_size=6), st.sampled_from("_- "))
def test_another_word_makes_it_no_split(word: str, other: str, mark: str) -> None:
    assert role_of(f"{word}{mark}{other}") is None
    assert role_of(f"{other}{mark}{word}") is None


@given(st.text(max_size=20))
def test_any_name_may_come(name: str) -> None:
    assert not (role_of(name) is not None and is_wrapping(name))
    is_date(name)


@pytest.mark.parametrize("name", ["images", "data", "Raw-Images", "archive (2)", "my dataset"])
def test_wrappings(name: str) -> None:
    assert is_wrapping(name)


@pytest.mark.parametrize("name", ["cat images", "pets", "2024", "", "train"])
def test_names_that_say_something(name: str) -> None:
    assert not is_wrapping(name)


@pytest.mark.parametrize("name", ["2024", "2024-05-01", "May", "dec 2023", "101_PANA", "DCIM"])
def test_dates(name: str) -> None:
    assert is_date(name)


@pytest.mark.parametrize("name", ["7", "12", "front", "mayor", "1 euro", ""])
def test_what_is_not_a_date(name: str) -> None:
    assert not is_date(name)
