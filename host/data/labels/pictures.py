"""From a table's rows to the pictures that they name."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from pathlib import Path

from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.core.errors import DataError
from edgeinfer.device.pictures.folders.names import split_of
from edgeinfer.host.data.folders.findings import Finding
from edgeinfer.host.data.folders.folder import LabelledFile, Layout
from edgeinfer.host.data.folders.listing import images_below
from edgeinfer.host.data.labels.columns import is_picture
from edgeinfer.host.data.labels.table import read_table


def table_layout(root: Path, table: Path) -> Layout:
    """Return the pictures of a folder with the labels that a table gives them.

    A name in the table is a path from the folder or from the table's own folder, with or without
    its suffix; a bare name may also be anywhere below the folder, if there is one such file.

    Args:
        root: the folder of pictures.
        table: see `read_table`.

    Raises:
        DataError: the table cannot be read, or names no picture of the folder.
    """
    root = Path(os.path.abspath(root))
    findings: list[Finding] = []
    pictures = Pictures(root, table, findings)
    rows = read_table(table)
    found: dict[str, tuple[str, Split | None]] = {}
    for row in rows:
        reason = ""
        path = pictures.find(row.file)
        label = unicodedata.normalize("NFC", row.label)
        if not label:
            reason = "has no label"
        elif path is None:
            reason = pictures.why_not_found(row.file)
        elif path in found:
            if found[path][0] != label:
                raise DataError(
                    f"{table}, line {row.line}",
                    got=f"gives {row.file} the label '{label}', an earlier line '{found[path][0]}'",
                    expected="one label for each picture",
                    next_step="remove one of the two lines",
                )
            reason = "is in the table twice"
        if reason or path is None:
            detail = f"{table.name}, line {row.line}: {reason}"
            findings.append(Finding(kind="ignored", path=row.file, detail=detail))
        else:
            found[path] = (label, split_in_table(table, row.line, row.split))
    if not found:
        raise DataError(
            table,
            got=f"names no picture of {root}: {findings[0].detail if findings else 'it is empty'}",
            expected="paths of pictures from that folder, such as cat/7.jpg",
            next_step="give the folder from which its paths start",
        )
    findings += pictures.without_row(set(found))
    labels = tuple(sorted({label for label, _ in found.values()}))
    place = {label: index for index, label in enumerate(labels)}
    files = tuple(
        LabelledFile(path=path, label=place[label], split=split)
        for path, (label, split) in sorted(found.items())
    )
    splits = {file.split for file in files}
    return Layout(
        root=root,
        labels=labels,
        splits=tuple(split for split in ("train", "validation", "test") if split in splits),
        files=files,
        findings=tuple(findings),
    )


class Pictures:
    """The pictures below a folder, by their path and by their name.

    Args:
        root: the folder, absolute.
        table: the table that names them; its own folder counts, too.
        findings: gets what is below the folder and is not a picture.
    """

    def __init__(self, root: Path, table: Path, findings: list[Finding]) -> None:
        self._root = root
        self._table = table
        others: list[Finding] = []
        self._all = list(images_below(root, root, others))
        here = os.path.relpath(os.path.abspath(table), root)
        findings += [finding for finding in others if finding.path != here]
        self._known = set(self._all)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in self._all:
            self._by_stem[os.path.splitext(path)[0]].append(path)
            name = unicodedata.normalize("NFC", os.path.basename(path))
            self._by_name[name].append(path)
            self._by_name[os.path.splitext(name)[0]].append(path)

    def find(self, name: str) -> str | None:
        """Return the absolute path of the picture that a table calls `name`, or None."""
        if not name:
            return None
        wanted = name if os.sep in name else name.replace("\\", os.sep)
        for folder in (self._root, Path(os.path.abspath(self._table)).parent):
            path = os.path.normpath(os.path.join(folder, wanted))
            if path in self._known or (is_picture(path) and os.path.isfile(path)):
                return path
            if len(self._by_stem.get(path, ())) == 1:
                return self._by_stem[path][0]
        same = self._by_name.get(unicodedata.normalize("NFC", wanted), [])
        return same[0] if len(same) == 1 else None

    def why_not_found(self, name: str) -> str:
        """Return why `find` found nothing."""
        if not name:
            return "names no file"
        same = self._by_name.get(unicodedata.normalize("NFC", name), [])
        return f"is the name of {len(same)} pictures" if same else "there is no such picture"

    def without_row(self, found: set[str]) -> list[Finding]:
        """Return the finding that pictures are not in the table; one for all of them."""
        others = [path for path in self._all if path not in found]
        if not others:
            return []
        count = f"{len(others):,} picture{'s' * (len(others) != 1)} of the folder"
        first = os.path.relpath(others[0], self._root)
        detail = f"has no line for {count}, such as {first}"
        return [Finding(kind="ignored", path=self._table.name, detail=detail)]


def split_in_table(table: Path, line: int, name: str | None) -> Split | None:
    """Return the split that a line of a table names, None without one.

    Raises:
        DataError: it is not the name of a split.
    """
    if name is None:
        return None
    split = split_of(name)
    if split is None:
        raise DataError(
            f"{table}, line {line}",
            got=f"the split is '{name}'",
            expected="train, validation or test",
        )
    return split
