"""Percentiles of durations in constant memory."""

from __future__ import annotations

import math


class DurationHistogram:
    """Counts durations in buckets whose bounds grow by a constant factor.

    A percentile is the geometric middle of its bucket, so its relative error is at most 0.5 %
    (half of `GROWTH`), however long the loop runs; some 2,800 counters hold 1 microsecond to
    1,000,000 seconds. What lies outside counts at the end nearest to it.
    """

    GROWTH = 1.01
    LOWEST_MS = 1e-3
    HIGHEST_MS = 1e9

    def __init__(self) -> None:
        self._log_growth = math.log(self.GROWTH)
        buckets = math.ceil(math.log(self.HIGHEST_MS / self.LOWEST_MS) / self._log_growth)
        self._counts = [0] * buckets
        self._total = 0

    def add(self, duration_ms: float) -> None:
        """Count a duration in milliseconds."""
        ratio = max(1.0, duration_ms / self.LOWEST_MS)
        bucket = int(math.log(ratio) / self._log_growth)
        self._counts[min(bucket, len(self._counts) - 1)] += 1
        self._total += 1

    def percentile(self, percent: float) -> float | None:
        """Return the duration, in milliseconds, that `percent` of 100 do not exceed.

        It is the nearest rank: the smallest of the durations counted that qualifies. None where
        nothing was counted.
        """
        rank = max(1, math.ceil(self._total * percent / 100))
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if count and seen >= rank:
                return self.LOWEST_MS * math.exp((bucket + 0.5) * self._log_growth)
        return None
