"""What a folder's name says: a split such as "training_set", a wrapping such as "images", a date.

A name is read as words, so that one rule covers `train`, `Train-Data`, `seg_train`, `trainset`,
`TRAIN_IMAGES` and `train2017`. It is only a hint: whether a folder called `test` is a split or a
class is decided by what it holds, see `arrangement`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Literal

Split = Literal["train", "validation", "test"]
"""The parts of a data set: what is learned from, what training is steered by, what is measured."""

Role = Literal["train", "validation", "test", "unlabelled"]
"""What a folder is by its name; "unlabelled" holds pictures whose class nobody has written down."""

_ROLES: dict[str, Role] = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "trainval": "train",
    "val": "validation",
    "valid": "validation",
    "validate": "validation",
    "validating": "validation",
    "validation": "validation",
    "vali": "validation",
    "dev": "validation",
    "devel": "validation",
    "development": "validation",
    "eval": "validation",
    "evaluate": "validation",
    "evaluation": "validation",
    "test": "test",
    "tests": "test",
    "testing": "test",
    "tst": "test",
    "holdout": "test",
    "heldout": "test",
    "pred": "unlabelled",
    "predict": "unlabelled",
    "prediction": "unlabelled",
    "predictions": "unlabelled",
    "unlabelled": "unlabelled",
    "unlabeled": "unlabelled",
}

_FILLER_WORDS = (
    "set sets split splits subset part folder dir seg data dataset datasets image images img imgs "
    "picture pictures pic pics photo photos sample samples file files frame frames crop crops "
    "jpg jpeg png raw full small resized processed labelled labeled class classes"
)
_FILLERS = frozenset(_FILLER_WORDS.split())
"""Words that say nothing about which part of a data set a folder is."""

_WRAPPING_WORDS = (
    "archive archives download downloads input inputs public main master root all complete content "
    "contents extracted original kaggle my the new"
)
_WRAPPINGS = _FILLERS | frozenset(_WRAPPING_WORDS.split())
"""Words of folders that only wrap others."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\dA-Z_]+|\d+|[^\W_]+")
_DATE = re.compile(r"[\d\W_]*\d[\d\W_]*")
_CAMERA_FOLDER = re.compile(r"\d{3}[A-Z0-9_]{5}|DCIM", re.IGNORECASE)
_MONTH_WORDS = (
    "jan feb mar apr may jun jul aug sep oct nov dec january february march april june july august "
    "september october november december"
)
_MONTHS = frozenset(_MONTH_WORDS.split())


def role_of(name: str) -> Role | None:
    """Return which part of a data set a folder is by its name; None if the name says no such thing.

    >>> role_of("Train-Data"), role_of("seg_test"), role_of("val2017"), role_of("train station")
    ('train', 'test', 'validation', None)
    """
    # Capitals divide "TrainData" but not "TRAINset".
    return _role_of_words(_words(name)) or _role_of_words(_words(name.casefold()))


def _said(words: list[str]) -> list[str]:
    return [word for word in words if word not in _FILLERS and not word.isdecimal()]


def _role_of_words(words: list[str]) -> Role | None:
    said = _said(words)
    roles = {_ROLES.get(word) for word in said}
    if roles == {"train", "validation"}:  # as in "train_val": to learn from, not divided yet
        return "train"
    if "unlabelled" in roles and None not in roles:
        return "unlabelled"
    return roles.pop() if len(roles) == 1 else None


def roles_of(names: Collection[str]) -> dict[str, Role]:
    """Return which parts of a data set folders next to each other are; those that are none lack.

    What names share is taken off them, and of `dev` and `eval` next to each other `eval` is the
    test.

    >>> roles_of(["asl_alphabet_train", "asl_alphabet_test"])
    {'asl_alphabet_train': 'train', 'asl_alphabet_test': 'test'}
    >>> roles_of(["train", "dev", "eval"])
    {'train': 'train', 'dev': 'validation', 'eval': 'test'}
    """
    roles = {name: role for name in names if (role := role_of(name)) is not None}
    if not roles:
        candidates: dict[tuple[str, ...], dict[str, Role]] = defaultdict(dict)
        for name in names:
            said = _said(_words(name))
            own = [word for word in said if word in _ROLES]
            if len(own) == 1:
                shared = tuple(word for word in said if word not in _ROLES)
                candidates[shared][name] = _ROLES[own[0]]
        roles = max(candidates.values(), key=len, default={})
        if len(set(roles.values())) < 2:
            return {}
    measured = {name for name in roles if _measures(name)}
    if "test" not in roles.values() and len(measured) == 1 and measured != _validating(roles):
        roles |= dict.fromkeys(measured, "test")
    return roles


def _measures(name: str) -> bool:
    return any(word.startswith("eval") for word in _words(name))


def _validating(roles: Mapping[str, Role]) -> set[str]:
    return {name for name, role in roles.items() if role == "validation"}


def split_of(name: str) -> Split | None:
    """Return the split that a folder is by its name, if any."""
    role = role_of(name)
    return None if role == "unlabelled" else role


def is_wrapping(name: str) -> bool:
    """Return whether a folder's name says nothing, such as "images", "archive" or "my_dataset/".

    >>> is_wrapping("data"), is_wrapping("raw-images"), is_wrapping("cat images")
    (True, True, False)
    """
    words = [word for word in _words(name) if not word.isdecimal()]
    return bool(words) and all(word in _WRAPPINGS for word in words)


def is_date(name: str) -> bool:
    """Return whether a folder is named after a time, or by a camera: it sorts, and is not a class.

    >>> is_date("2024"), is_date("2024-05-01"), is_date("May 2024"), is_date("100CANON")
    (True, True, True, True)
    >>> is_date("7"), is_date("front")
    (False, False)
    """
    if _CAMERA_FOLDER.fullmatch(name):
        return True
    if _DATE.fullmatch(name):
        return sum(char.isdecimal() for char in name) >= 4
    words = [word for word in _words(name) if not word.isdecimal()]
    return bool(words) and all(word in _MONTHS for word in words)


def _words(name: str) -> list[str]:
    """Return a name's words in lower case; a filler that is glued to a role is a separate word."""
    text = unicodedata.normalize("NFKC", name)
    words = [word.casefold() for word in _WORD.findall(text)]
    # "held out" and "hold-out" are one word each.
    joined = " ".join(words).replace("held out", "heldout").replace("hold out", "holdout").split()
    return [part for word in joined for part in _unglued(word)]


def _unglued(word: str) -> list[str]:
    """Split a word such as "trainset" or "validationdata"."""
    if word in _ROLES or word in _FILLERS:
        return [word]
    for end in range(len(word) - 1, 1, -1):
        if word[:end] in _ROLES and word[end:] in _FILLERS:
            return [word[:end], word[end:]]
    return [word]
