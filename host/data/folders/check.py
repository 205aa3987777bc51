"""One pass over all images: finds damaged files, duplicates and contradictory labels.

The pass decodes every file once and keeps sixteen bytes of each, so memory holds names and hashes,
never pictures.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeinfer.converters.common.ordered_map import ordered_map
from edgeinfer.converters.common.progress import Progress
from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.pictures.decode import EXTRA, decode_image, read_image_bytes
from edgeinfer.device.pictures.headers import image_format
from edgeinfer.device.pictures.pixel_formats import Pixels
from edgeinfer.host.data.folders.findings import Finding, FindingKind
from edgeinfer.host.data.folders.folder import LabelledFile, Layout
from edgeinfer.host.data.folders.listing import once_a_kind
from edgeinfer.host.data.folders.warnings import is_grey, warn_of_grey, warn_of_labels

__all__ = ["Checked", "Finding", "check_files", "pixel_digest"]

# Keep the copy in the test split: dropping it would make the test smaller and leave the leaked
# picture in training.
_KEEP_FIRST = {"test": 0, "validation": 1, "train": 2, None: 3}


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A layout's usable files, in its order, and all findings, with those of the layout."""

    files: tuple[LabelledFile, ...]
    findings: tuple[Finding, ...]


def check_files(
    layout: Layout,
    *,
    progress: Progress | None = None,
    threads: int = 2,
    classes: bool = True,
) -> Checked:
    """Decode every file of a layout once and leave out what cannot or should not be used.

    Of exact duplicates (equal pixels, so a lossless copy in another format counts) under one label
    one is kept: the test split's before validation's before training's, then the first by name. A
    picture under two labels is left out altogether, since one of them is wrong.

    Labels that are nearly the same, and a class of grey pictures among classes in colour, are
    warnings; not where `classes` is false, and labels are such as measured values.
    """
    findings = [*layout.findings, *(warn_of_labels(layout.labels) if classes else ())]
    grey: dict[int, bool] = {}
    digests: dict[bytes, list[int]] = defaultdict(list)
    if progress is not None:
        progress.start("checking the images", len(layout.files))
    results = ordered_map(_look_at, (file.path for file in layout.files), threads=threads)
    for index, result in enumerate(results):
        if isinstance(result, _Unusable):
            findings.append(_finding(result.kind, layout, index, result.detail))
        else:
            digests[result.digest].append(index)
            grey[index] = result.grey
        if progress is not None:
            progress.advance()
    kept = []
    for copies in digests.values():
        if len({layout.files[index].label for index in copies}) > 1:
            findings.extend(_conflicts(layout, copies))
            continue
        first, *others = sorted(copies, key=lambda index: _preference(layout.files[index]))
        kept.append(first)
        detail = f"the same picture as {_relative(layout, first)}"
        findings.extend(
            _finding("duplicate", layout, index, detail, other=first) for index in others
        )
    shown = [(layout.files[index].label, grey[index]) for index in kept]
    findings += warn_of_grey(layout.labels, shown) if classes else []
    return Checked(
        files=tuple(layout.files[index] for index in sorted(kept)),
        findings=tuple(
            sorted(once_a_kind(findings), key=lambda finding: (finding.kind, finding.path))
        ),
    )


def pixel_digest(pixels: Pixels) -> bytes:
    """Return 16 bytes that are equal for equal pictures (BLAKE2b of shape and pixels)."""
    digest = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).reshape(-1).data)
    return digest.digest()


@dataclass(frozen=True, slots=True)
class _Seen:
    """A picture's digest, and whether it shows no colour."""

    digest: bytes
    grey: bool


@dataclass(frozen=True, slots=True)
class _Unusable:
    """Why a file cannot be used."""

    kind: FindingKind
    detail: str


def _look_at(path: str) -> _Seen | _Unusable:
    try:
        data = read_image_bytes(Path(path))
    except ImageError as error:
        return _Unusable("ignored", error.got)
    kind: FindingKind = "corrupt"
    if not data:
        kind = "empty"
    elif image_format(data) is None:
        kind = "not-an-image"
    try:
        pixels = decode_image(data, subject=path)
    except ImageError as error:
        if error.code == f"{ImageError.kind}.{EXTRA}":
            return _Unusable("ignored", f"{error.got}; {error.next_step}")
        return _Unusable(kind, error.got)
    return _Seen(digest=pixel_digest(pixels), grey=is_grey(pixels))


def _conflicts(layout: Layout, copies: Sequence[int]) -> list[Finding]:
    """Return a finding for each copy, naming a file that contradicts it."""
    found = []
    firsts: dict[int, int] = {}
    for index in copies:
        firsts.setdefault(layout.files[index].label, index)
    for index in copies:
        label = layout.files[index].label
        other = next(i for other_label, i in firsts.items() if other_label != label)
        detail = (
            f"labelled '{layout.labels[label]}', but {_relative(layout, other)} "
            f"is the same picture, labelled '{layout.labels[layout.files[other].label]}'"
        )
        found.append(_finding("conflict", layout, index, detail, other=other))
    return found


def _preference(file: LabelledFile) -> tuple[int, str]:
    return _KEEP_FIRST[file.split], file.path


def _relative(layout: Layout, index: int) -> str:
    return os.path.relpath(layout.files[index].path, layout.root)


def _finding(
    kind: FindingKind, layout: Layout, index: int, detail: str, *, other: int | None = None
) -> Finding:
    return Finding(
        kind=kind,
        path=_relative(layout, index),
        detail=detail,
        other="" if other is None else _relative(layout, other),
    )
