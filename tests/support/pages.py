"""README.md and the pages of docs/: their code, headings, links and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.checkout import ROOT

README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = (README, ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md")))
TEXT = {page: page.read_text(encoding="utf-8") for page in PAGES}

FENCE = re.compile(r"^(?P<fence>```+)(?P<kind>[^\n]*)\n(?P<code>.*?)^(?P=fence)", re.M | re.S)
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<to>[^)\s]+)\)")
_REFERENCE = re.compile(r"^\[[^\]]+\]: (\S+)$", re.MULTILINE)
_HEADING = re.compile(r"^#+ +(?P<title>.+?) *$", re.MULTILINE)
_MADE_HEADING = re.compile(r"^ +:prog_name: (.+)$", re.MULTILINE)
"""What mkdocs-click makes a heading of."""


def named(page: Path) -> str:
    """Return a page's path in the checkout."""
    return str(page.relative_to(ROOT))


def blocks(page: Path, kind: str) -> list[str]:
    """Return the page's code of that kind, with continued lines joined."""
    found = (match for match in FENCE.finditer(TEXT[page]) if match["kind"].strip() == kind)
    return [match["code"].replace("\\\n", " ") for match in found]


def shell_lines(page: Path) -> list[str]:
    """Return what a page tells to type, line by line."""
    return [line for block in blocks(page, "sh") for line in block.splitlines() if line]


def anchors(page: Path) -> set[str]:
    """Return what a link may have behind `#`, as code hosts and MkDocs make it of headings."""
    text = FENCE.sub("", TEXT[page])
    return {_slug(title) for title in [*_HEADING.findall(text), *_MADE_HEADING.findall(text)]}


def _slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-")


def links(page: Path) -> Iterator[str]:
    """Give where the page's links lead, pictures included."""
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", TEXT[page]))
    yield from (match["to"] for match in _LINK.finditer(text))
    yield from _REFERENCE.findall(text)


def table(page: Path, title: str) -> list[list[str]]:
    """Return the cells of the tables below a heading, without the tables' own headings."""
    _, section = re.split(rf"^#+ {re.escape(title)}$", TEXT[page], flags=re.MULTILINE)
    rows: list[list[str]] = []
    lines = re.split(r"^#", section, flags=re.MULTILINE)[0].splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if line.startswith("|---"):
            rows.pop()
        elif line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        assert line.startswith("|") or not before.startswith("|---"), f"{title}: an empty table"
    return rows
