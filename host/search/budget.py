"""The user's limits, and whether a model keeps them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgeinfer.device.core.errors import UsageError

_EXACT = 1e-9
"""Shares are not exact in binary; a billionth must not decide."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The limits that a model must keep, for `SearchOptions(budget=...)`. Give at least one.

    With `accuracy_points` the fastest model within the limits wins, otherwise the most accurate.

    Examples:
        >>> budget = edgeinfer.Budget(accuracy_points=1.0, size_kb=500)
        >>> options = edgeinfer.SearchOptions(budget=budget)

    Attributes:
        accuracy_points: how many points of accuracy the model may lose on the validation pictures,
            compared with the float model. None has no limit.
        invoke_ms: how long one inference may take, in milliseconds. None has no limit.
        size_kb: how large the `.tflite` file may be, in kB of 1,000 bytes. None has no limit.

    Raises:
        UsageError: no limit is given, or one is out of range.
    """

    accuracy_points: float | None = None
    invoke_ms: float | None = None
    size_kb: float | None = None

    def __post_init__(self) -> None:
        """Refuse impossible limits.

        Raises:
            UsageError: names the option.
        """
        for option, value, above in (
            ("--budget-accuracy", self.accuracy_points, False),
            ("--budget-ms", self.invoke_ms, True),
            ("--budget-kb", self.size_kb, True),
        ):
            if value is None:
                continue
            if not math.isfinite(value) or value < 0 or (above and not value):
                expected = "above 0" if above else "0 points or more"
                raise UsageError(option, got=f"{value:g}", expected=expected)
        if self.accuracy_points is self.invoke_ms is self.size_kb is None:
            raise UsageError(
                "budget",
                got="no limit",
                expected="--budget-accuracy, --budget-ms or --budget-kb",
            )

    @property
    def wants_fastest(self) -> bool:
        """Whether the fastest model within the limits wins; otherwise the most accurate one."""
        return self.accuracy_points is not None

    def floor(self, float_accuracy: float) -> float | None:
        """Return the lowest validation top-1 allowed, 0 to 1; None if accuracy has no limit."""
        if self.accuracy_points is None:
            return None
        return float_accuracy - self.accuracy_points / 100

    def excess(
        self,
        *,
        float_accuracy: float,
        accuracy: float | None = None,
        invoke_ms: float | None = None,
        size_bytes: int | None = None,
    ) -> dict[str, float]:
        """Return by how much each limit is exceeded, as a part of it; 0 or less if it is kept.

        Args:
            float_accuracy: validation top-1 of the run's float model, 0 to 1.
            accuracy: the model's validation top-1; None, as for the others, if it is not known.
            invoke_ms: milliseconds.
            size_bytes: of the `.tflite` file.
        """
        parts: dict[str, float] = {}
        floor = self.floor(float_accuracy)
        if floor is not None and accuracy is not None:
            # Points of accuracy count as parts of the whole: ten points too few are 10 %.
            parts["accuracy"] = floor - accuracy
        if self.invoke_ms is not None and invoke_ms is not None:
            parts["ms"] = invoke_ms / self.invoke_ms - 1
        if self.size_kb is not None and size_bytes is not None:
            parts["kb"] = size_bytes / (1000 * self.size_kb) - 1
        return {name: 0.0 if abs(part) <= _EXACT else part for name, part in parts.items()}

    def text(self) -> str:
        """Return the limits on one line, for people."""
        parts = []
        if self.accuracy_points is not None:
            points = "1 point" if self.accuracy_points == 1 else f"{self.accuracy_points:g} points"
            parts.append(f"at most {points} below the float model")
        if self.invoke_ms is not None:
            parts.append(f"at most {self.invoke_ms:g} ms")
        if self.size_kb is not None:
            parts.append(f"at most {self.size_kb:g} kB")
        goal = "the fastest" if self.wants_fastest else "the most accurate"
        return f"{goal} with {', '.join(parts)}"
