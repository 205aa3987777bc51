from __future__ import annotations

from pathlib import Path

from edgeinfer.converters.bundle.page.card import Card
from edgeinfer.converters.bundle.page.write import CARD_FILE, PAGE_FILE, write_page
from edgeinfer.converters.common.page.parts import Page, Section, Text

CARD = Card(name="x", library="keras", task="value", summary="About x.")


def made(text: str = "hello \udcff") -> tuple[Page, Card]:
    return Page(title="x", sections=(Section(title="s", parts=(Text(paragraphs=(text,)),)),)), CARD


def test_page_and_card_are_written(tmp_path: Path) -> None:
    told: list[str] = []
    assert write_page(tmp_path, made, told.append) == tmp_path / PAGE_FILE
    assert told == []
    assert "hello \\udcff" in (tmp_path / PAGE_FILE).read_text("utf-8")
    assert (tmp_path / CARD_FILE).read_text("utf-8").startswith("---\n")


def test_a_page_that_cannot_be_made_is_only_a_warning(tmp_path: Path) -> None:
    def broken() -> tuple[Page, Card]:
        raise KeyError("a task of another package")

    told: list[str] = []
    assert write_page(tmp_path, broken, told.append) is None
    (line,) = told
    assert line.startswith("warning: the page was not written: ")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_only_a_warning(tmp_path: Path) -> None:
    told: list[str] = []
    file = tmp_path / "file"
    file.write_text("")
    assert write_page(file / "folder", made, told.append) is None
    assert len(told) == 1


def test_no_page_is_too_large_to_be_opened(tmp_path: Path) -> None:
    told: list[str] = []
    assert write_page(tmp_path, lambda: made("x" * 5_000_001), told.append) is None
    assert "more than 5,000,000" in told[0]
