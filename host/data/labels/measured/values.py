"""The measured values of a data set: from a table, or from the pictures' names."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.run_folder.trained_run import Split
from edgeinfer.device.core.errors import DataError, UsageError
from edgeinfer.device.pictures.folders.names import split_of
from edgeinfer.host.data.folders.findings import Finding
from edgeinfer.host.data.folders.listing import images_below, refuse_odd_name, visible_entries
from edgeinfer.host.data.labels.measured.column_values import read_column
from edgeinfer.host.data.labels.measured.value_table import ValueRow, ValueTable, read_value_table
from edgeinfer.host.data.labels.name_pattern import parse_pattern, suggested_pattern
from edgeinfer.host.data.labels.pictures import Pictures, split_in_table

TABLE_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl")


@dataclass(frozen=True, kw_only=True)
class ValueSource:
    """Where values are, as the user says it.

    Attributes:
        table: a CSV or JSON file; None without one.
        targets: the columns to learn, in order; none takes the table's one column of values, or all
            parts in braces of the pattern.
        units: one for all values or one each; none takes those of the table.
        pattern: of file names with values in them; None without one.
    """

    table: Path | None = None
    targets: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    pattern: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MeasuredFile:
    """A picture and its values.

    Attributes:
        path: absolute.
        values: in the layout's units and order.
        split: the split that the data set puts it in, or None.
    """

    path: str
    values: tuple[float, ...]
    split: Split | None = None


@dataclass(frozen=True, kw_only=True)
class ValueLayout:
    """Pictures with measured values.

    Attributes:
        root: the folder, absolute.
        names: of the values.
        units: of the values; "" where one is not known.
        files: sorted by path; nothing has been read yet.
        findings: what is not used, and what was converted.
    """

    root: Path
    names: tuple[str, ...]
    units: tuple[str, ...]
    files: tuple[MeasuredFile, ...]
    findings: tuple[Finding, ...]


def find_values(root: Path, source: ValueSource) -> ValueLayout:
    """List a data set's pictures with their values.

    Args:
        root: the folder of pictures.
        source: where the values are.

    Raises:
        DataError: there are none, or they cannot be understood; the sentence says why.
        UsageError: an option does not fit.
    """
    root = Path(os.path.abspath(root))
    refuse_odd_name(os.fspath(root), root)
    if source.table is not None and source.pattern is not None:
        raise UsageError(
            "--labels-csv and --name-pattern", got="both say where the values are", expected="one"
        )
    if source.table is not None:
        return _from_table(root, source.table, source)
    if source.pattern is not None:
        return _from_names(root, source.pattern, source)
    raise _no_values(root)


def _from_table(root: Path, path: Path, source: ValueSource) -> ValueLayout:
    table = read_value_table(path, source.targets)
    findings: list[Finding] = []
    pictures = Pictures(root, path, findings)
    numbers, units = _numbers(path.name, table, source, findings)
    found: dict[str, tuple[ValueRow, tuple[float, ...]]] = {}
    left_out: dict[str, list[str]] = {}
    for row, values in zip(table.rows, numbers, strict=True):
        picture = pictures.find(row.file)
        if picture is None:
            left_out.setdefault(pictures.why_not_found(row.file), []).append(_where(row))
        elif values is None:
            left_out.setdefault("has no value", []).append(_where(row))
        elif picture not in found:
            found[picture] = (row, values)
        elif found[picture][1] == values:
            left_out.setdefault("is in the table twice, with the same value", []).append(
                _where(row)
            )
        else:
            raise DataError(
                f"{path}, line {row.line}",
                got=f"gives {row.file} {_listed(values)}, line {found[picture][0].line} "
                f"{_listed(found[picture][1])}",
                expected="one value for each picture",
                next_step="remove one of the two lines",
            )
    for reason, wheres in left_out.items():
        others = len(wheres) - 1
        more = f", and {others:,} more line{'s' * (others != 1)}" if others else ""
        detail = f"{wheres[0]} {reason}{more}"
        findings.append(Finding(kind="ignored", path=path.name, detail=detail))
    if not found:
        raise DataError(
            path,
            got=f"gives no picture of {root} a value"
            + (f": {next(iter(left_out.values()))[0]} {next(iter(left_out))}" if left_out else ""),
            expected="paths of pictures from that folder, such as gauges/7.jpg",
            next_step="give the folder from which its paths start",
        )
    findings += pictures.without_row(set(found))
    return ValueLayout(
        root=root,
        names=table.names,
        units=units,
        files=tuple(
            MeasuredFile(
                path=picture, values=values, split=split_in_table(path, row.line, row.split)
            )
            for picture, (row, values) in sorted(found.items())
        ),
        findings=tuple(findings),
    )


def _from_names(root: Path, text: str, source: ValueSource) -> ValueLayout:
    pattern = parse_pattern(text, "--name-pattern", numbers=True)
    names = source.targets or pattern.names
    for name in names:
        if name not in pattern.names:
            raise UsageError(
                "--target",
                got=f"'{name}' is not a part of the pattern {text!r}",
                expected=f"one of {', '.join(pattern.names)}",
            )
    findings: list[Finding] = []
    paths = sorted(images_below(root, root, findings))
    if not paths:
        raise DataError(root, got="contains no images", expected="pictures with values in names")
    relative = [os.path.relpath(path, root) for path in paths]
    matches = [pattern.match(path) for path in relative]
    rows = tuple(
        ValueRow(line=number, file=file, cells=tuple(match[pattern.names.index(n)] for n in names))
        for number, (file, match) in enumerate(zip(relative, matches, strict=True), start=1)
        if match is not None
    )
    others = [file for file, match in zip(relative, matches, strict=True) if match is None]
    if not rows:
        raise DataError(
            root,
            got=f"none of its {len(paths):,} pictures has a name such as {text!r}: {others[0]}",
            expected="names that the pattern fits, without their suffixes",
        )
    if others:
        detail = f"the pattern {text!r} does not fit its name"
        more = f", as those of {len(others) - 1:,} more" if len(others) > 1 else ""
        findings.append(Finding(kind="ignored", path=others[0], detail=detail + more))
    table = ValueTable(names=tuple(names), units=("",) * len(names), rows=rows, comma_country=True)
    numbers, units = _numbers("names of pictures", table, source, findings)
    splits = _folder_splits(relative)
    return ValueLayout(
        root=root,
        names=table.names,
        units=units,
        files=tuple(
            MeasuredFile(
                path=os.path.join(root, row.file),
                values=values,
                split=splits.get(Path(row.file).parts[0]),
            )
            for row, values in zip(rows, numbers, strict=True)
            if values is not None
        ),
        findings=tuple(findings),
    )


def _numbers(
    place: str, table: ValueTable, source: ValueSource, findings: list[Finding]
) -> tuple[list[tuple[float, ...] | None], tuple[str, ...]]:
    """Return the values of each row, None for one that lacks any, and their units."""
    count = len(table.names)
    if len(source.units) not in (0, 1, count):
        raise UsageError(
            "--unit",
            got=f"has {len(source.units)} units for {count} values",
            expected=f"one, or {count} with commas between them",
        )
    wanted = source.units * count if len(source.units) == 1 else source.units or (None,) * count
    columns = [
        read_column(
            [row.cells[index] for row in table.rows],
            [f"{place}, line {row.line}" for row in table.rows],
            name=name,
            unit=table.units[index],
            wanted=wanted[index],
            comma_country=table.comma_country,
        )
        for index, name in enumerate(table.names)
    ]
    for column in columns:
        findings += [Finding(kind="note", path=".", detail=note) for note in column.notes]
    rows: list[tuple[float, ...] | None] = []
    for values in zip(*(column.values for column in columns), strict=True):
        there = tuple(value for value in values if value is not None)
        rows.append(there if len(there) == count else None)
    return rows, tuple(column.unit for column in columns)


def _folder_splits(paths: list[str]) -> dict[str, Split]:
    """Return the split of each folder, if all pictures are in folders named as splits."""
    counts = Counter(Path(path).parts[0] for path in paths)
    splits = {name: split_of(name) for name in counts}
    known = {name: split for name, split in splits.items() if split is not None}
    whole = len(known) == len(splits) and "train" in known.values()
    return known if whole and len(set(known.values())) == len(known) else {}


def _where(row: ValueRow) -> str:
    return f"line {row.line} ({row.file})"


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _no_values(root: Path) -> DataError:
    tables = [
        entry.name
        for entry in visible_entries(root)
        if os.path.splitext(entry.name)[1].lower() in TABLE_SUFFIXES
    ]
    paths = list(images_below(root, root, []))
    stems = [os.path.splitext(os.path.basename(path))[0] for path in paths]
    pattern = suggested_pattern(stems) if stems else None
    advice = "name a table with --labels-csv, or say where names have the value: --name-pattern"
    if tables:
        advice = f"if {tables[0]} has the values, add --labels-csv {os.path.join(root, tables[0])}"
    elif pattern is not None:
        advice = f"if the names have the values, add --name-pattern '{pattern}'"
    return DataError(
        root,
        got=f"holds {len(paths):,} pictures, and nothing says what they measure",
        expected="a table of files and values, or names with values in them",
        next_step=advice,
    )
