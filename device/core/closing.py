"""What is closed at the end of a `with` block."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, TypeVar

C = TypeVar("C", bound="Closing")


class Closing(Protocol):
    """Something that holds a file, a device or a model until it is closed."""

    def close(self) -> None:
        """Release what is held; closing twice is harmless."""
        return

    def __enter__(self: C) -> C:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()
