"""From a page's parts to one file that needs no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeinfer.converters.common.page.parts import Page
from edgeinfer.converters.common.page.texts import plain

if TYPE_CHECKING:  # the base install, which names the extra that a command needs, has no jinja2
    import jinja2

MAX_BYTES = 5_000_000
"""No page is larger."""


def environment(*packages: str) -> jinja2.Environment:
    """Return the environment of templates: those of every page, and those of other packages.

    Args:
        packages: names of packages with a folder `templates`; their templates may extend
            `base.html` and use the macros of `parts.html`.
    """
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(name) for name in (*packages, __package__)]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["kind"] = _kind
    made.filters["plain"] = plain
    return made


def render(page: Page) -> str:
    """Return a page as HTML; equal pages give equal text."""
    return environment().get_template("page.html").render(page=page)


def _kind(part: Any) -> str:
    return type(part).__name__
