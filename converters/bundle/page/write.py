"""Writing a page and its model card; a failure is reported and loses nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeinfer.converters.bundle.page.card import Card, card_text
from edgeinfer.converters.common.page.parts import Page
from edgeinfer.converters.common.page.render import MAX_BYTES, render
from edgeinfer.device.core.files import write_atomically

PAGE_FILE = "report.html"
CARD_FILE = "MODEL_CARD.md"


def write_page(
    folder: Path, make: Callable[[], tuple[Page, Card]], say: Callable[[str], None]
) -> Path | None:
    """Write the page and the model card of what is finished already.

    Args:
        folder: where to.
        make: makes both.
        say: reports what went wrong.

    Returns:
        The page; None if it could not be written.
    """
    path = folder / PAGE_FILE
    try:
        page, card = make()
        content = render(page).encode("utf-8", "backslashreplace")
        if len(content) > MAX_BYTES:
            raise ValueError(f"it has {len(content):,} bytes, more than {MAX_BYTES:,}")
        write_atomically(folder / CARD_FILE, card_text(card).encode("utf-8", "backslashreplace"))
        write_atomically(path, content)
    # A task of another package may fail in any way, and hours of training are not its price.
    except Exception as error:
        say(f"warning: the page was not written: {error}")
        return None
    return path
