"""How old the pictures of a stream are when they arrive, told by the stream's own clock.

A receiver never learns when a picture was captured, only when it came and the sender's time stamp,
in a clock whose zero is unknown. The picture with the smallest delay, arrival minus time stamp,
ties the two clocks together: any other one was older on arrival, by what its delay is longer. What
the fastest picture itself took is not known; for how long the decoder held it back is.

Two things would make that false. On connecting, the reader first gets what piled up while FFmpeg
looked into the stream: those pictures come faster than they were captured, and the last of them is
the first that is new. And clocks of two machines drift apart: the tie loosens slowly.
"""

from __future__ import annotations

import itertools
import statistics
from collections import deque
from dataclasses import dataclass

DRIFT = 250e-6
"""How fast two clocks may drift apart; quartz in sun and frost stays below 200 millionths.
What a network delays by more than before is forgotten as slowly: a second in more than an hour."""
PACED_STEP = 0.75
"""A picture that comes by the stream's clock takes at least this part of its step in the stream."""
PACED_WAIT = 0.1
"""That part of its step was waited for it; no picture out of a backlog is waited for."""
PACED_FRAMES = 3
PACED_NS = 500_000_000
"""After this many pictures, or this time, at the pace of the stream's clock the backlog is over."""
STEADY_NS = 1_000_000_000
STEADY_WITHIN_NS = 20_000_000
"""It is over as well if for this time the delay shrinks by no more than this. That is for machines
that decode all the time, and for networks that deliver in gusts."""
GUST_NS = 250_000_000
"""More of one pause does not count, and what comes later than this does not count either."""
SINGLE_GAP = 3
"""A step this many times the usual one is a pause: the decoder's delay cannot be taken from it."""
_RECENT = 9
MAX_HELD = 16
"""More pictures no decoder holds back."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A decoded picture, before it is known whether anyone wants it.

    Attributes:
        arrived_ns: when it came out of the decoder, in nanoseconds of `time.monotonic_ns()`.
        waited_ns: how much of the time since it was asked for was spent without computing.
        stream_ns: its time stamp, in the stream's clock.
        bidirectional: it is a B picture, which was encoded after one that follows it.
    """

    arrived_ns: int
    waited_ns: int
    stream_ns: int
    bidirectional: bool = False


class StreamAge:
    """Tells when the pictures of one connection were captured. Feed it each of them, in order.

    Args:
        held: pictures that reader and decoder hold back at all times: a picture comes out when as
            many after it have come in. What B pictures add is counted here.
    """

    def __init__(self, held: int) -> None:
        self._always_held = held
        self._b_pictures = 0
        self._longest_b_run = 0
        self._begin()

    def _begin(self) -> None:
        self._recent: deque[Arrival] = deque(maxlen=MAX_HELD + _RECENT)
        self._capture_offset_ns: float | None = None
        self._delay_ns: float | None = None
        self._late_ns = 0.0
        self._paced_frames = 0
        self._paced_ns = 0
        self._steady_ns = 0
        self._steady_delay_ns = float("inf")
        self._settled = False

    @property
    def settled(self) -> bool:
        """Whether the backlog of the connection has come to its end; ages are known from then."""
        return self._settled

    @property
    def late_s(self) -> float:
        """How much longer the last picture took than the fastest one, in seconds."""
        return self._late_ns / 1e9

    @property
    def held_s(self) -> float:
        """How long reader and decoder hold a picture back at the stream's present rate, in seconds.

        One pause does not count as a rate.
        """
        return self._held * min(self._steps()[-2:], default=0) / 1e9

    @property
    def captured_ns(self) -> int:
        """When the last picture was captured at the latest, as `time.monotonic_ns()` tells it.

        Before the backlog has ended this is only when it is younger than it can be.
        """
        last = self._recent[-1]
        if self._capture_offset_ns is None:
            return last.arrived_ns
        return min(round(last.stream_ns + self._capture_offset_ns), last.arrived_ns)

    def add(self, arrival: Arrival) -> None:
        """Learn of the next picture."""
        before = self._recent[-1] if self._recent else None
        if before is not None and arrival.stream_ns < before.stream_ns:
            self._begin()  # the sender's clock was set, and what is on the way is unknown again
            before = None
        self._count_b_pictures(arrival.bidirectional)
        self._recent.append(arrival)
        elapsed_ns = 0 if before is None else arrival.arrived_ns - before.arrived_ns
        self._learn_delay(arrival, elapsed_ns)
        self._learn_capture(arrival, elapsed_ns)
        if before is not None and not self._settled:
            self._look_for_the_end(arrival, elapsed_ns, arrival.stream_ns - before.stream_ns)

    @property
    def _held(self) -> int:
        # Before the first of n B pictures is sent, n more are captured; with them waits the one
        # before, as the decoder gives all of them at the same delay.
        reordered = self._longest_b_run + 1 if self._longest_b_run else 0
        return min(self._always_held + reordered, MAX_HELD)

    def _steps(self) -> list[int]:
        """Return the latest steps of the stream's clock, the oldest first."""
        times = [arrival.stream_ns for arrival in self._recent][-_RECENT:]
        return [after - before for before, after in itertools.pairwise(times)]

    def _count_b_pictures(self, bidirectional: bool) -> None:
        self._b_pictures = self._b_pictures + 1 if bidirectional else 0
        if self._b_pictures <= self._longest_b_run:
            return
        held_before = self._held
        self._longest_b_run = self._b_pictures
        if self._capture_offset_ns is not None and (steps := self._steps()):
            self._capture_offset_ns -= (self._held - held_before) * statistics.median(steps)

    def _learn_delay(self, arrival: Arrival, elapsed_ns: int) -> None:
        """Compare the picture's delay with the smallest."""
        delay_ns = arrival.arrived_ns - arrival.stream_ns
        self._delay_ns = _smallest(self._delay_ns, elapsed_ns, delay_ns)
        self._late_ns = delay_ns - self._delay_ns

    def _learn_capture(self, arrival: Arrival, elapsed_ns: int) -> None:
        """Tie the clocks: an earlier picture came out when this one came in."""
        held = self._held
        if len(self._recent) <= held:
            return
        earlier = self._recent[-1 - held]
        usual_ns = statistics.median(self._steps()) if held else 0
        if arrival.stream_ns - earlier.stream_ns > SINGLE_GAP * held * usual_ns:
            return
        delay_ns = earlier.arrived_ns - arrival.stream_ns
        self._capture_offset_ns = _smallest(self._capture_offset_ns, elapsed_ns, delay_ns)

    def _look_for_the_end(self, arrival: Arrival, elapsed_ns: int, step_ns: int) -> None:
        """See whether pictures come as the stream's clock goes: then the backlog is at its end."""
        paced = (
            elapsed_ns >= PACED_STEP * step_ns
            and arrival.waited_ns >= PACED_WAIT * step_ns
            and self._late_ns <= (1 - PACED_STEP) * step_ns  # else it was kept on its way
        )
        if paced and step_ns > 0:
            self._paced_frames += 1
            self._paced_ns += min(step_ns, round(statistics.median(self._steps())))
        else:
            self._paced_frames = self._paced_ns = 0
        assert self._delay_ns is not None
        if self._delay_ns < self._steady_delay_ns - STEADY_WITHIN_NS:
            self._steady_delay_ns = self._delay_ns
            self._steady_ns = 0
        elif step_ns > 0 and self._late_ns <= GUST_NS:
            self._steady_ns += min(elapsed_ns, GUST_NS)
        # The first of them still tie the clocks by pictures of the backlog.
        paced_frames = self._paced_frames - self._held
        self._settled = self._capture_offset_ns is not None and (
            paced_frames >= PACED_FRAMES
            or (paced_frames >= 1 and self._paced_ns >= PACED_NS)
            or self._steady_ns >= STEADY_NS
        )


def _smallest(before_ns: float | None, elapsed_ns: int, delay_ns: float) -> float:
    """Return the smallest delay, which what the clocks may have drifted does not hold for ever."""
    return delay_ns if before_ns is None else min(before_ns + DRIFT * elapsed_ns, delay_ns)
