"""What a page consists of: sections of texts, tables, charts and pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from edgeinfer.device.tasks.prediction import Canvas


@dataclass(frozen=True, kw_only=True)
class Text:
    """Paragraphs.

    Attributes:
        paragraphs: plain text.
        warning: whether readers must not miss it.
    """

    paragraphs: tuple[str, ...]
    warning: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table; the first columns hold text, the others numbers.

    Attributes:
        title: above the table; empty for none.
        header: the columns' names.
        rows: the cells as text.
        texts: how many columns hold text.
        note: below the title.
        folded: whether it is closed until a reader opens it.
        marked: the rows that stand out, such as a chosen one, by their places.
        shades: how dark each cell is, 0 to 1, as rows of cells; 0 for cells without a shade.
        upright: whether the names of number columns are written upwards, for narrow columns.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    texts: int = 1
    note: str = ""
    folded: bool = False
    marked: frozenset[int] = frozenset()
    shades: tuple[tuple[float, ...], ...] = ()
    upright: bool = False


@dataclass(frozen=True, kw_only=True)
class Key:
    """A line of a chart's legend.

    Attributes:
        colour: the number of the colour.
        text: what has it.
        dashed: whether the line is dashed.
    """

    colour: int
    text: str
    dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A chart.

    Attributes:
        title: above it.
        svg: what `plot.draw` made.
        description: what it shows, for readers who do not see it.
        legend: what its colours mean.
        note: below it.
        table: the numbers behind it; None where they are in another table.
    """

    title: str
    svg: str
    description: str
    legend: tuple[Key, ...] = ()
    note: str = ""
    table: Table | None = None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Charts next to each other where there is room."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A picture that a page shows.

    Attributes:
        place: its place among the samples.
        lines: what is below it.
        draw: draws onto the small picture; None draws nothing.
    """

    place: int
    lines: tuple[str, ...] = ()
    draw: Callable[[Canvas], None] | None = None


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Some of the samples that a page is about; `Gallery` is what becomes of them.

    Attributes:
        title: above them.
        pictures: which ones.
        note: below the title.
    """

    title: str
    pictures: tuple[Shown, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A picture in a page.

    Attributes:
        uri: a `data:` address; empty for a picture that could not be read.
        name: of its file.
        lines: what is below it.
    """

    uri: str
    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Pictures with what is known of each.

    Attributes:
        title: above them.
        tiles: the pictures.
        note: below the title.
    """

    title: str
    tiles: tuple[Tile, ...]
    note: str = ""


Part: TypeAlias = Text | Table | Figure | Figures | Pictures | Gallery


@dataclass(frozen=True, kw_only=True)
class Section:
    """A chapter of a page.

    Attributes:
        title: its heading.
        parts: what is in it.
    """

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A whole page.

    Attributes:
        title: its heading, and the window's title.
        lead: a sentence or two below it.
        facts: the most important figures: a name and a value each.
        sections: its chapters; those without parts are left out.
    """

    title: str
    lead: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()
