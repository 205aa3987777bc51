"""Warnings about labels and pictures that are used, but probably not what was meant."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.data.folders.findings import Finding

_SAMPLED = 64
"""Rows and columns of a picture that are looked at for colour."""

_GREY_LEVELS = 3
"""Channels of a grey picture may differ by this many levels after lossy compression."""

_MOSTLY_GREY = 0.95
_HARDLY_GREY = 0.2


def is_grey(pixels: Pixels) -> bool:
    """Return whether a picture, (H, W, 3) uint8, shows no colour."""
    rows, columns = (max(1, side // _SAMPLED) for side in pixels.shape[:2])
    sampled = pixels[::rows, ::columns].astype(np.int16)
    return bool((sampled.max(axis=2) - sampled.min(axis=2)).max(initial=0) <= _GREY_LEVELS)


def warn_of_labels(labels: Sequence[str]) -> list[Finding]:
    """Return warnings about labels that are nearly the same, or have spaces around them."""
    found = []
    similar: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        similar[_plain(label)].append(label)
        if label != label.strip():
            side = "begins" if label != label.lstrip() else "ends"
            found.append(_warning(label, f"the name of the class '{label}' {side} with a space"))
    for plain, same in similar.items():
        if plain and len(same) > 1:
            others = ", ".join(f"'{label}'" for label in same[1:])
            detail = (
                f"the classes '{same[0]}' and {others} differ only in capital letters, spaces, "
                "'-' or '_'; if they are one class, merge them"
            )
            found.append(_warning(same[0], detail))
    return found


def warn_of_grey(labels: Sequence[str], pictures: Sequence[tuple[int, bool]]) -> list[Finding]:
    """Return warnings about classes whose pictures are grey while those of others are not.

    Args:
        labels: the classes.
        pictures: of each one the class's index, and whether it is grey.
    """
    counts = Counter(label for label, _ in pictures)
    greys = Counter(label for label, grey in pictures if grey)
    grey = [label for label in counts if greys[label] >= _MOSTLY_GREY * counts[label]]
    colour = [label for label in counts if greys[label] <= _HARDLY_GREY * counts[label]]
    if not grey or not colour:
        return []
    # Of two kinds of classes the rarer one is the odd one.
    odd, here, there = (grey, "grey", "in colour")
    if len(colour) < len(grey):
        odd, here, there = (colour, "in colour", "grey")
    found = []
    for label in sorted(odd):
        count = greys[label] if odd is grey else counts[label] - greys[label]
        detail = (
            f"{count:,} of its {counts[label]:,} pictures are {here}, those of other classes are "
            f"{there}: the model may learn this difference instead of what the pictures show; "
            "`train --channels grey` ignores colour"
        )
        found.append(_warning(labels[label], detail))
    return found


def _plain(label: str) -> str:
    folded = unicodedata.normalize("NFKC", label).casefold()
    return "".join(char for char in folded if not char.isspace() and char not in "-_")


def _warning(label: str, detail: str) -> Finding:
    return Finding(kind="warning", path=label, detail=detail)
