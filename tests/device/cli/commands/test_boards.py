"""`edgeinfer boards`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edgeinfer.boards import profile_names
from edgeinfer.boards.files import PROFILES
from edgeinfer.device.cli.commands.boards import boards
from edgeinfer.device.core.text.wrapping import columns
from tests.support.program import edgeinfer, edgeinfer_here, error_line

MINE = 'based_on = "rpi4"\ntitle = "My carrier board"\n'
OWN = profile_names(PROFILES)


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    """An environment with a configuration folder of the test's own."""
    (tmp_path / "edgeinfer" / "boards").mkdir(parents=True)
    return {"XDG_CONFIG_HOME": str(tmp_path), "EDGEINFER_BOARDS": ""}


def add(name: str, text: str, own: dict[str, str]) -> Path:
    path = Path(own["XDG_CONFIG_HOME"]) / "edgeinfer" / "boards" / f"{name}.toml"
    path.write_text(text)
    return path


def test_every_board_has_a_row_of_at_most_80_columns(own: dict[str, str]) -> None:
    lines = edgeinfer("boards", env=own).stdout.splitlines()
    assert [line.split()[0] for line in lines[1 : 1 + len(OWN)]] == list(OWN)
    assert max(map(len, lines)) <= 80
    (row,) = [line for line in lines if line.split()[0] == "rpi5-coral-pcie"]
    assert row.split() == ["rpi5-coral-pcie", "aarch64", "4", "1,024", "edgetpu,", "pcie", "3"]


def test_for_scripts(own: dict[str, str]) -> None:
    document = json.loads(edgeinfer_here("boards", "--json", env=own).stdout)
    assert set(document) == set(OWN)
    assert document["coral-usb"]["cores"] is None
    assert document["rpi4"]["accelerator"] is None
    shown = json.loads(edgeinfer_here("boards", "show", "coral-dev", "--json", env=own).stdout)
    assert shown == json.loads(
        edgeinfer_here("boards", "--json", "show", "coral-dev", env=own).stdout
    )
    assert shown["systems"][0]["python_carried"] == "3.10"
    assert shown["latencies"][0]["latency_ms"] == 2.6
    matrix = json.loads(edgeinfer_here("boards", "matrix", "--json", env=own).stdout)
    assert {name for system in matrix for name in system["boards"]} == set(OWN) - {"coral-usb"}


def test_the_matrix_is_a_table_for_a_terminal_or_markdown(own: dict[str, str]) -> None:
    table = edgeinfer_here("boards", "matrix", env=own).stdout
    assert max(map(columns, table.splitlines())) <= 80
    assert "|" not in table
    assert "`" not in table
    plain = {name.removesuffix("-coral-usb").removesuffix("-coral-pcie") for name in OWN}
    assert {name for name in plain if name not in table} == {"coral-usb"} - plain
    row = next(line for line in table.splitlines() if line.startswith("Debian 12 (Bookworm), x86"))
    assert "natively" in row
    assert "ai-edge-litert" in row
    markdown = edgeinfer_here("boards", "matrix", "--markdown", env=own).stdout
    assert "| system | run here | Python |" in markdown
    both = edgeinfer_here("boards", "matrix", "--markdown", "--json", env=own)
    assert "--markdown" in error_line(both, 2)


def test_one_board_is_explained(own: dict[str, str]) -> None:
    shown = edgeinfer_here("boards", "show", "rpi4", env=own).stdout
    assert shown.startswith("rpi4: Raspberry Pi 4\n")
    assert "edgeinfer flash --board rpi4 --host USER@HOST" in shown
    assert "Raspberry Pi OS 12 (Bookworm), 64-bit: tested, qemu-user" in shown
    assert "Raspberry Pi OS 13 (Trixie), 32-bit: not tested" in shown
    assert "  libedgetpu  " not in shown
    with_coral = edgeinfer_here("boards", "show", "rpi4-coral-usb", env=own).stdout
    assert "  libedgetpu     16.0TF2.13.1" in with_coral
    mendel = edgeinfer_here("boards", "show", "coral-dev", env=own).stdout
    assert "3.7, too old: edgeinfer flash brings 3.10" in mendel
    assert "note           Not run on the hardware." in mendel
    assert "published latencies, not measured by edgeinfer:" in mendel


@pytest.mark.parametrize("name", OWN)
def test_lines_are_short_but_for_addresses(name: str, own: dict[str, str]) -> None:
    for line in edgeinfer_here("boards", "show", name, env=own).stdout.splitlines():
        assert len(line) <= 80 or "https://" in line


def test_a_board_that_a_user_added(own: dict[str, str]) -> None:
    path = add("mine", MINE, own)
    shown = edgeinfer_here("boards", env=own).stdout
    assert "\n  mine  " in shown
    assert f"added: {path}" in " ".join(shown.split())
    assert edgeinfer_here("boards", "show", "mine", env=own).stdout.startswith(
        "mine: My carrier board"
    )


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("rpi4", MINE, "'rpi4' is a board of edgeinfer's own, expected another name; rename"),
        ("mine", MINE + "colour = 1\n", "mine.toml: an unknown key 'colour', expected only"),
        ("mine", "title = ", "mine.toml: cannot be read"),
    ],
)
@pytest.mark.parametrize("arguments", [(), ("show", "mine"), ("matrix", "--json")])
def test_a_bad_file_is_one_line(
    name: str, text: str, words: str, arguments: tuple[str, ...], own: dict[str, str]
) -> None:
    add(name, text, own)
    done = edgeinfer_here("boards", *arguments, env=own)
    assert words in error_line(done)
    assert done.stdout == ""


def test_a_bad_name_of_a_file_is_one_line(own: dict[str, str]) -> None:
    add("Mine", MINE, own)
    assert "name is 'Mine', expected small letters" in error_line(edgeinfer_here("boards", env=own))


def test_other_commands_report_a_bad_file_too(own: dict[str, str], tmp_path: Path) -> None:
    add("rpi4", MINE, own)
    done = edgeinfer_here("inspect", tmp_path / "x.tflite", "--board", "rpi4", env=own)
    assert "'rpi4' is a board of edgeinfer's own" in error_line(done)


def test_unknown_names_are_wrong_usage(own: dict[str, str]) -> None:
    line = error_line(edgeinfer("boards", "show", "rpi\x1b[2J", env=own), code=2)
    assert line.startswith(
        "error: board rpi\\x1b[2J: is not a known board, expected one of coral-dev"
    )
    assert edgeinfer("boards", "burn", env=own).returncode == 2


def test_others_may_join_with_subcommands() -> None:
    context = click.Context(boards)
    names = boards.list_commands(context)
    assert {"show", "matrix"} <= set(names)
    for name in names:
        assert boards.get_command(context, name) is not None, name
    assert boards.get_command(context, "absent") is None


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from edgeinfer.device.cli.main import cli\n"
        "for words in (['boards'], ['boards', 'show', 'rpi4'], ['boards', 'matrix']):\n"
        "    cli(words, standalone_mode=False)\n"
        "heavy = {'cv2', 'tensorflow', 'keras', 'ai_edge_litert', 'tflite_runtime', 'rich'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("heavy: []\n")
