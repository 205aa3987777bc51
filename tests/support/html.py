"""Reading a page as a browser does: which elements and addresses it has."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

_VOID = {"meta", "img", "br", "path", "circle", "rect"}
_LOADING = {"src", "href", "srcset", "action", "data", "poster", "background"}
"""Attributes that name what a browser loads or opens."""


class PageReader(HTMLParser):
    """Reads a whole page.

    Attributes:
        elements: how many there are of each kind.
        addresses: everything that a browser would load.
        handlers: attributes that hold scripts.
        open: the elements that are not closed; empty for a whole page.
        text: all text, with single spaces.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.open: list[str] = []
        self._texts: list[str] = []
        self.feed(page)
        self.close()

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        for name, value in attrs:
            if name in _LOADING:
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self._texts.append(data)


def read_page(page: str) -> PageReader:
    """Read a page, and make sure that it is whole and needs nothing else."""
    read = PageReader(page)
    assert read.open == []
    assert read.handlers == []
    assert read.elements["script"] == read.elements["link"] == read.elements["iframe"] == 0
    assert all(address.startswith("data:image/") for address in read.addresses)
    assert "url(" not in page
    assert "@import" not in page
    return read
