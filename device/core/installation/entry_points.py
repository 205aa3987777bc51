"""What packages bring under a name, by entry points; each look goes through all installed."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def entry_point_names(group: str) -> set[str]:
    """Return the names in a group."""
    from importlib import metadata  # it takes time to import, too

    return metadata.entry_points(group=group).names


def load_entry_point(group: str, name: str) -> object | None:
    """Return what a package brings under a name; None where none does."""
    from importlib import metadata

    for entry in metadata.entry_points(group=group, name=name):
        return entry.load()  # type: ignore[no-any-return]
    return None


class PluginError(ValueError):
    """What a package brings under a name cannot be used."""


def load_plugin(group: str, name: str, kind: type[T]) -> T | None:
    """Return the object of a kind, with that name, which a package brings; None where none does.

    Raises:
        PluginError: it is something else, or cannot be imported.
    """
    try:
        found = load_entry_point(group, name)
    except Exception as error:  # another's package, which may be broken in any way
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(f"the entry point in {group} cannot be imported ({reason})") from error
    if found is None:
        return None
    if not isinstance(found, kind) or getattr(found, "name", name) != name:
        raise PluginError(f"the entry point in {group} is not a {kind.__name__} with that name")
    return found
