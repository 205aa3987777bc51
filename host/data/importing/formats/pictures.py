"""The pictures of a data set, found by the names that its labels give them.

A name in someone's labels may be absolute, lead out of the data set with `..`, have a drive letter
and backslashes, or differ in case. Only pictures below the data set's folder are ever found by it.
"""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from edgeinfer.device.pictures.folders.leftovers import leftover
from edgeinfer.device.pictures.folders.names import Split, split_of
from edgeinfer.device.pictures.pixel_formats import IMAGE_SUFFIXES
from edgeinfer.host.data.folders.listing import needs_conversion
from edgeinfer.host.data.importing.found import Record

NO_SUCH_PICTURE = "labels of a picture that is not there"

_CASE = "picture's name differs in capital letters"


class PictureIndex:
    """The pictures below a folder.

    Args:
        root: the folder.
        record: takes what is not read.

    Attributes:
        paths: of all pictures, absolute and sorted.
    """

    def __init__(self, root: Path, record: Record) -> None:
        self.root = Path(os.path.abspath(root))
        self._record = record
        self.paths: list[str] = []
        for path in files_below(self.root):
            if os.path.splitext(path)[1].lower() in IMAGE_SUFFIXES:
                self.paths.append(path)
            elif needs_conversion(path):
                record.left_out("picture in a format that is not read", self.relative(path))
        self._known = set(self.paths)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        for path in self.paths:
            name = _folded(os.path.basename(path))
            self._by_name[name].append(path)
            self._by_stem[os.path.splitext(name)[0]].append(path)

    def relative(self, path: str | Path) -> str:
        """Return a path from the data set's folder."""
        return os.path.relpath(path, self.root)

    def find(self, name: str, near: Path, place: object) -> str | None:
        """Return the path of the picture with a name; None where there is none, or several.

        Args:
            name: as it is written; of a path the longest end counts that exists.
            near: the folder of the file that names it.
            place: where it is written, for the record.
        """
        parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
        for start in range(len(parts)):
            for folder in (near, self.root):
                path = os.path.join(os.path.abspath(folder), *parts[start:])
                if path in self._known:
                    return path
        if not parts:
            return None
        found = self._by_name.get(_folded(parts[-1]), [])
        if len(found) > 1 and len(parts) > 1:
            parent = _folded(parts[-2])
            found = [p for p in found if _folded(os.path.basename(os.path.dirname(p))) == parent]
        if len(found) != 1:
            return None
        if _composed(os.path.basename(found[0])) != _composed(parts[-1]):
            self._record.corrected(_CASE, place, name)
        return found[0]

    def find_stem(self, stem: str, near: Path) -> str | None:
        """Return the path of the picture with a name without its suffix; see `find`."""
        found = self._by_stem.get(_folded(stem), [])
        if len(found) > 1:
            here = os.path.abspath(near)
            exact = [path for path in found if os.path.dirname(path) == here]
            found = exact or [
                path for path in found if self.split(path) == self.split(os.path.join(near, "x"))
            ]
        return found[0] if len(found) == 1 else None

    def split(self, path: str | Path) -> Split | None:
        """Return the split that the folders of a path name, if any."""
        folders = Path(self.relative(path)).parts[:-1]
        return next((split for part in folders if (split := split_of(part)) is not None), None)


def files_below(root: Path, suffixes: Iterable[str] | None = None) -> Iterator[str]:
    """Yield the files below a folder, sorted, without links to folders, hidden ones and leftovers.

    Args:
        root: the folder.
        suffixes: only those that end so, in lower case.
    """
    wanted = None if suffixes is None else frozenset(suffixes)
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and not leftover(os.path.join(folder, name), folder=True)
        )
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.startswith(".") or leftover(path, folder=False) or not os.path.isfile(path):
                continue
            if wanted is None or os.path.splitext(name)[1].lower() in wanted:
                yield path


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return _composed(name).casefold()
