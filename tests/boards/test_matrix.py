from __future__ import annotations

import json

from edgeinfer.boards import load_profile, profile_names
from edgeinfer.boards.files import PROFILES as FOLDER
from edgeinfer.boards.matrix import boards_by_system, matrix_json, matrix_lines

PROFILES = [load_profile(name) for name in profile_names(FOLDER)]


def table(lines: list[str]) -> list[list[str]]:
    rows = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def test_every_system_has_a_row_and_every_cell_a_source() -> None:
    lines = matrix_lines(PROFILES)
    heads, _, *rows = table(lines)
    systems = boards_by_system(PROFILES)
    assert [row[0] for row in rows] == [system.name for system in systems]
    assert all(len(row) == len(heads) for row in rows)
    numbered = [line for line in lines if line[:1].isdigit()]
    for row, system in zip(rows, systems, strict=True):
        assert row[2].endswith("]")
        assert row[3].endswith("]") == bool(system.runtime)
        assert row[5].endswith("]") == bool(system.cameras)
        assert row[1].startswith(f"**{system.ran}** [" if system.ran else "no")
    cited = {int(part.split("]")[0]) for row in rows for part in " ".join(row).split("[")[1:]}
    assert cited == set(range(1, len(numbered) + 1))


def test_what_was_run_here_stands_first_and_apart() -> None:
    ran = [bool(system.ran) for system in boards_by_system(PROFILES)]
    assert ran == sorted(ran, reverse=True)
    assert set(ran) == {True, False}


def test_plugged_in_accelerators_follow_their_boards() -> None:
    text = "\n".join(matrix_lines(PROFILES))
    assert "`rpi5` (`-coral-pcie`, `-coral-usb`)" in text
    assert "| `coral-dev`, `coral-dev-mini` |" in text
    alone = "\n".join(matrix_lines([load_profile("rpi5-coral-usb")]))
    assert "| `rpi5-coral-usb` |" in alone


def test_libedgetpu_is_named_where_there_may_be_a_coral() -> None:
    rows = table(matrix_lines([load_profile("rpi4")]))
    assert {row[4] for row in rows[2:]} == {"-"}
    rows = table(matrix_lines([load_profile("rpi4-coral-usb")]))
    told = {row[0]: row[4].split()[0] for row in rows[2:]}
    assert len(told) == 4
    for system, build in told.items():
        assert build == ("16.0TF2.13.1" if "Bookworm" in system else "none"), system


def test_json_has_the_same() -> None:
    document = json.loads(json.dumps(matrix_json(PROFILES)))
    assert [entry["name"] for entry in document] == [s.name for s in boards_by_system(PROFILES)]
    mendel = next(entry for entry in document if entry["os_id"] == "mendel")
    assert mendel["boards"] == ["coral-dev", "coral-dev-mini"]
    assert (mendel["ran"], mendel["python_carried"], mendel["version_id"]) == (None, "3.10", "")


def test_no_boards_no_rows() -> None:
    assert len(table(matrix_lines([]))) == 2
