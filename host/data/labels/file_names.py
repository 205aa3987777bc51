"""Labels in the names of pictures, such as `cat.0.jpg` or `great_pyrenees_12.jpg`."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter

_NUMBERED = re.compile(r"(?P<label>.*[^\W\d_])[ ._-]*\(?\d+\)?", re.DOTALL)
"""A label that ends in a letter, then a number, also one in brackets."""

_OF_NO_LABEL = frozenset(
    {
        *("dcim", "dji", "dsc", "dscf", "dscn", "dscs", "gopr", "gp", "gx", "img", "imgp", "mvi"),
        *("mvimg", "p", "pano", "pxl", "sam", "vlcsnap", "wa", "whatsapp", "kodak"),
        *("capture", "foto", "frame", "image", "imagen", "kamera", "photo", "pic", "picture"),
        *("sample", "scan", "screenshot", "snap", "snapshot"),
    }
)
"""What cameras, telephones and programs begin names with; none of them is a class."""

MIN_SHARE = 0.9
"""The smallest share of the names that must have a label."""


def label_of_name(name: str) -> str | None:
    """Return the label in a picture's file name, or None without one.

    Examples:
        >>> label_of_name("cat.0.jpg"), label_of_name("great_pyrenees_12.jpg")
        ('cat', 'great_pyrenees')
        >>> label_of_name("IMG_2041.jpg") is None
        True
    """
    found = _NUMBERED.fullmatch(os.path.splitext(name)[0])
    if found is None:
        return None
    label = unicodedata.normalize("NFC", found["label"].strip())
    first = re.split(r"[\W\d_]+", label.casefold())[0]
    return None if first in _OF_NO_LABEL else label


def labels_of_names(names: list[str]) -> list[str | None] | None:
    """Return the label of each name, or None if the names as a whole do not state labels.

    They do if nearly all of them have one, of at least two, and there are two names or more for
    each: a single `beach1.jpg` among others is a name, not a class.

    Args:
        names: the names of all pictures of a folder.
    """
    labels = [label_of_name(name) for name in names]
    counts = Counter(label for label in labels if label is not None)
    labelled = sum(counts.values())
    if len(counts) < 2 or labelled < MIN_SHARE * len(names) or min(counts.values()) < 2:
        return None
    return labels
