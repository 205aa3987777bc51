from __future__ import annotations

from edgeinfer.converters.common.page.parts import (
    Figure,
    Gallery,
    Key,
    Page,
    Part,
    Section,
    Table,
    Text,
    Tile,
)
from edgeinfer.converters.common.page.render import render
from tests.support.html import read_page

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; drop table",
    "{{ 7 * 7 }}{% raw %}",
    "$x_1$",
    "\u202eabc\u05d0",
    "a\x00b\x1b[31m\udcff",
    "W" * 300,
)


def page(name: str) -> Page:
    table = Table(
        title=name, header=(name, "n"), rows=((name, "1"),), note=name, shades=((0.0, 0.5),),
        folded=True, marked=frozenset({0}), upright=True,
    )  # fmt: skip
    parts: tuple[Part, ...] = (
        Text(paragraphs=(name,), warning=True),
        table,
        Figure(
            title=name, svg="<svg></svg>", description=name, legend=(Key(colour=1, text=name),),
            note=name, table=table,
        ),
        Gallery(
            title=name, note=name,
            tiles=(Tile(uri="", name=name, lines=(name,)), Tile(uri="data:image/png,", name=name)),
        ),
    )  # fmt: skip
    return Page(
        title=name, lead=name, facts=((name, name),), sections=(Section(title=name, parts=parts),)
    )


def test_no_name_can_become_a_part_of_the_page() -> None:
    plain = read_page(render(page("harmless")))
    for name in HOSTILE:
        read = read_page(render(page(name)))
        assert read.elements == plain.elements, name
        assert read.addresses == ["data:image/png,"]


def test_names_are_shown_as_they_are_and_bytes_as_numbers() -> None:
    text = read_page(render(page(HOSTILE[0]))).text
    assert text.count(HOSTILE[0]) >= 10
    assert "a\\x00b\\x1b[31m\\udcff" in read_page(render(page(HOSTILE[6]))).text


def test_a_page_is_the_same_each_time_and_can_be_written() -> None:
    assert render(page("x")) == render(page("x"))
    render(page(HOSTILE[6])).encode()


def test_chapters_without_parts_are_left_out() -> None:
    made = render(Page(title="t", sections=(Section(title="nothing here", parts=()),)))
    assert "nothing here" not in made


def test_a_page_knows_dark_narrow_and_printed() -> None:
    made = render(page("x"))
    assert "prefers-color-scheme: dark" in made
    assert "@media print" in made
    assert 'name="viewport"' in made
