"""What packages bring under a name, by entry points; each look goes through all installed."""

from __future__ import annotations


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
