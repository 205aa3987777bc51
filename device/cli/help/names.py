"""Types of options whose values are names: shells complete them, and mistyped ones are explained.

`shell_complete` gives what a shell offers, see docs/completion.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.core.errors import did_you_mean

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Choice(click.Choice):  # type: ignore[type-arg, unused-ignore]
    """One of a few words; a mistyped one gets the word that was probably meant."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word.

        Raises:
            click.BadParameter: it is none of them.
        """
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            meant = did_you_mean(str(value), map(str, self.choices))
            if not meant:
                raise
            raise click.BadParameter(f"{error.message.rstrip('.')}; {meant}", ctx, param) from error


def choice(*words: str) -> Choice:
    """Return the type of an option that takes one of these words."""
    return Choice(words)


class Name(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A name that the command itself looks up; shells complete it from those that are known.

    Args:
        known: gives the names; called only when a shell completes.
        files: a path is allowed too.
    """

    name = "name"

    def __init__(self, known: Callable[[], Iterable[str]], *, files: bool = False) -> None:
        self._known = known
        self._files = files

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin with what was typed; without one, files if allowed."""
        from click.shell_completion import CompletionItem

        items = [CompletionItem(name) for name in self._known() if name.startswith(incomplete)]
        return items or [CompletionItem(incomplete, type="file")] * self._files


class DelegateName(Name):
    """An accelerator's name, or a delegate's library; a mistyped name is not loaded as a library.

    A library has a dot or a slash in its name, an accelerator has not.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name or the path.

        Raises:
            click.BadParameter: it is neither, but nearly an accelerator's name.
        """
        from edgeinfer.device.accelerators.registry import OWN, find_accelerator

        library = "." in value or "/" in value
        if not library and value not in OWN and find_accelerator(value) is None:
            meant = did_you_mean(value, self._known())
            if meant:
                self.fail(f"'{value}' is not a known accelerator; {meant}", param, ctx)
        return value


def board_names() -> Iterable[str]:
    """Return the names of the boards that are known here."""
    from edgeinfer.boards import profile_names

    return profile_names()


def accelerator_names() -> Iterable[str]:
    """Return the names of the accelerators that are known here."""
    from edgeinfer.device.accelerators.registry import accelerator_names as names

    return names()


def sources() -> Iterable[str]:
    """Return what a camera option takes, except files: the cameras here, and words."""
    from edgeinfer.device.cameras.v4l2.devices import find_cameras

    return [str(camera.path) for camera in find_cameras()] + ["picamera", "simulated", "gst:"]


BOARD = Name(board_names)
ACCELERATOR = Name(accelerator_names)
DELEGATE = DelegateName(accelerator_names, files=True)
SOURCE = Name(sources, files=True)
