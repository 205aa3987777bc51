"""The pages' commands take their options, their links lead somewhere, no page is left out."""

from __future__ import annotations

import re
import shlex
from importlib import metadata
from pathlib import Path

import click
import cv2
import numpy as np
import pytest

from edgeinfer.device.cli.main import COMMANDS_GROUP, cli
from edgeinfer.host.demo.clothes import demo_steps
from tests.support.checkout import ROOT
from tests.support.pages import (
    DOCS,
    FENCE,
    PAGES,
    README,
    TEXT,
    anchors,
    blocks,
    links,
    named,
    shell_lines,
)
from tests.support.program import edgeinfer_here

QUICKSTART = DOCS / "quickstart.md"
MOST_README_LINES = 200
MOST_PICTURE_BYTES = 100_000


def lines_of_all(start: str) -> list[str]:
    return sorted({line for page in PAGES for line in shell_lines(page) if line.startswith(start)})


def parse(line: str) -> tuple[str, dict[str, object]]:
    """Parse a line as the program would, without running it."""
    _, name, *arguments = shlex.split(line)
    command = cli.get_command(click.Context(cli), name)
    assert command is not None, line
    while isinstance(command, click.Group) and (arguments or command.no_args_is_help):
        sub = command.get_command(click.Context(command), arguments.pop(0))
        assert sub is not None, line
        command = sub
    options, rest, _ = command.make_parser(click.Context(command)).parse_args(arguments)
    assert rest == [], line
    return name, options


def test_readme_starts_with_its_two_commands() -> None:
    assert shell_lines(README)[:2] == ["make demo", "make test"]


def test_readme_is_short_and_its_picture_is_small() -> None:
    assert len(TEXT[README].splitlines()) <= MOST_README_LINES
    (picture,) = re.findall(r"!\[[^\]]*\]\((\S+)\)", TEXT[README])
    assert (ROOT / picture).stat().st_size < MOST_PICTURE_BYTES


@pytest.mark.parametrize("line", lines_of_all("edgeinfer "))
def test_program_lines_parse(line: str) -> None:
    parse(line)


@pytest.mark.parametrize("line", lines_of_all("make "))
def test_make_targets_exist(line: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in shlex.split(line)[1:]:
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_command_to_type_is_in_a_tested_block(page: Path) -> None:
    for match in FENCE.finditer(TEXT[page]):
        assert match["kind"].strip(), "a block does not say what it is"
        if match["kind"].strip() != "sh":
            assert not re.search(r"^(edgeinfer|make) ", match["code"], re.MULTILINE), match["code"]


def test_the_lines_by_hand_are_those_of_the_demo() -> None:
    """So `make demo`, which CI runs, has run them."""
    code = blocks(QUICKSTART, "sh")
    by_hand = next(block for block in code if "edgeinfer train fashion-mnist" in block)
    shown = [parse(line) for line in by_hand.splitlines() if line.startswith("edgeinfer ")]
    steps = [parse("edgeinfer " + shlex.join(step.arguments)) for step in demo_steps(Path("demo"))]
    assert [name for name, _ in shown] == [name for name, _ in steps]
    for (_, by_hand_options), (_, demo_options) in zip(shown, steps, strict=True):
        for option in set(by_hand_options) - {"photos", "camera"}:
            assert by_hand_options[option] == demo_options[option]


SMALLER = {
    # The network that `train` takes by default needs minutes, and a test split of two pictures
    # tells nothing of accuracy.
    "train": ("--architecture", "small-cnn", "--size", "16", "--epochs", "1"),
    "convert": ("--max-drop", "100"),
    "run": ("--max-frames", "3"),
}
"""What is added to the quickstart's lines, to run them on little data in little time."""


@pytest.mark.slow
@pytest.mark.usefixtures("warm_tensorflow")
def test_the_quickstart_works_with_photographs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(0)
    for label, light in (("cat", 60), ("dog", 180)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(12):
            pixels = generator.integers(light - 50, light + 50, (24, 32, 3), np.uint8)
            path = tmp_path / "photos" / label / f"{number:03}.jpg"
            assert cv2.imwrite(str(path), pixels)
    monkeypatch.chdir(tmp_path)
    section = TEXT[QUICKSTART].partition("\n## Your own photographs\n")[2].partition("\n## ")[0]
    lines = [line for line in shell_lines(QUICKSTART) if line in section]
    # `--camera` alone is a camera, which no machine that runs tests need have.
    assert lines.pop(lines.index("edgeinfer run --camera"))
    assert [shlex.split(line)[1] for line in lines] == ["data", "train", "convert", "run", "run"]
    for line in lines:
        words = shlex.split(line)[1:]
        done = edgeinfer_here(
            *words, *SMALLER.get(words[0], ()), env={"XDG_DATA_HOME": str(tmp_path / "data")}
        )
        assert done.returncode == 0, (line, done.stderr)
    assert "3 frames" in done.stdout
    assert (tmp_path / "photos.edgebundle").is_file()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        to = (page.parent / path).resolve() if path else page
        assert to.is_file(), link
        # What lies outside of docs/ is not a part of the site.
        assert DOCS not in page.parents or DOCS in to.parents, link
        assert not anchor or anchor in anchors(to), link


def test_every_page_is_in_the_navigation() -> None:
    config = (ROOT / ".ci" / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r"[\w/-]+\.md$", config.partition("\nnav:")[2], re.MULTILINE)
    there = [str(page.relative_to(DOCS)) for page in PAGES if DOCS in page.parents]
    assert sorted(listed) == sorted(there)


def test_every_command_is_explained_and_in_the_reference() -> None:
    names = metadata.entry_points(group=COMMANDS_GROUP).names
    reference = TEXT[DOCS / "cli.md"]
    listed = re.findall(r"^ +:prog_name: edgeinfer (\w+)$", reference, re.MULTILINE)
    assert sorted(listed) == sorted(names)
    shown = {parse(line)[0] for line in lines_of_all("edgeinfer ")}
    assert set(names) - shown == {"demo"}, "no page shows how to call it"
    assert "`edgeinfer demo`" in TEXT[QUICKSTART]
