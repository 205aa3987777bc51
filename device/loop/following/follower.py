"""Answers whose objects keep their numbers, in the order of their frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.loop.following.counted import Counted
from edgeinfer.device.loop.following.places import Places, Points, make_places
from edgeinfer.device.loop.following.tally import Seen, Tally
from edgeinfer.device.loop.following.tracker import KEPT_S, Tracker
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.tasks.detection.prediction import NO_NUMBER, Detections
from edgeinfer.device.tasks.registry import OWN, find_task

MOST_KEPT_S = 3600.0
FILES_FPS = 30.0
"""Pictures of a folder that are read without --realtime have no times."""


@dataclass(frozen=True, kw_only=True)
class Follow:
    """How the objects of a detector are followed and counted, for `edgeinfer.open`.

    Examples:
        >>> follow = edgeinfer.Follow(lines={"door": ((0.1, 0.5), (0.9, 0.5))})
        >>> for found in edgeinfer.open("people.edgebundle", follow=follow):
        ...     print(found.text())
        #4 person 91.2%; door: 3 person in, 1 out

    Attributes:
        lines: lines to cross, by name: two points each, (x, y) in ratios from 0 to 1 of the
            picture's width and height. In is to the right, seen from the first point.
        zones: parts of the picture, by name: three corners or more each.
        kept_s: for how many seconds an object that is not seen keeps its number, above 0.

    Raises:
        UsageError: a line or zone is not possible, or two have the same name; or `kept_s` is not.
    """

    lines: Mapping[str, Points] = field(default_factory=dict)
    zones: Mapping[str, Points] = field(default_factory=dict)
    kept_s: float = KEPT_S

    def __post_init__(self) -> None:
        """Refuse what is not possible."""
        make_places(self.lines, self.zones)
        if not 0 < self.kept_s <= MOST_KEPT_S:
            raise UsageError(
                "--track-seconds",
                got=f"{self.kept_s:g}",
                expected=f"above 0, at most {MOST_KEPT_S:g}",
            )

    @property
    def places(self) -> Places:
        """The lines and zones."""
        return make_places(self.lines, self.zones)


class Follower:
    """Gives the objects of answers their numbers; answers come in the order of their frames.

    Args:
        follow: how.
        live: whether frames come from a camera, at the times that they have; pictures of a folder
            count as `FILES_FPS` a second.
    """

    def __init__(self, follow: Follow, *, live: bool = True) -> None:
        self._places = follow.places
        self._live = live
        self._tracker = Tracker(follow.kept_s)
        self._tally = Tally(self._places)
        self._form: tuple[object, ...] | None = None

    def __call__(self, answer: Answer) -> Answer:
        """Return the answer with numbered objects; answers of other kinds as they are."""
        found = answer.prediction
        if not isinstance(found, Detections):
            return answer
        form = (found.labels, found.size)
        if form != self._form:  # another model, or frames of another size: nothing goes on
            if self._form is not None:
                self._tracker.begin_again()
            self._form = form
        now_s = self._time_s(answer.frame)
        numbers = self._tracker.update(found.boxes, found.classes, now_s)
        counted = None
        if self._places.all:
            tallies = self._tally.update(self._seen(now_s), found.size, now_s)
            counted = Counted(found.labels, self._places, tallies)
        return replace(answer, prediction=replace(found, numbers=numbers, counted=counted))

    def _time_s(self, frame: Frame) -> float:
        """Return when a frame was taken: of a clip by its own times, however fast it is read."""
        if frame.position_s is not None:
            return frame.position_s
        return frame.captured_ns / 1e9 if self._live else frame.sequence / FILES_FPS

    def _seen(self, now_s: float) -> list[Seen]:
        return [
            Seen(
                number=track.number,
                label=track.label,
                centre=(box[:2] + box[2:]) / 2,
                size=float(np.sqrt((box[2:] - box[:2]).prod())),
                unseen_s=max(0.0, now_s - track.seen_s),
            )
            for track, box in zip(self._tracker.tracks, self._tracker.boxes, strict=True)
            if track.number != NO_NUMBER
        ]


def require_followed(task: str) -> None:
    """Refuse to follow what has no objects.

    Raises:
        UsageError: the task's answers have no boxes.
    """
    if not find_task(task).has_objects:
        able = [name for name in OWN if find_task(name).has_objects]
        raise UsageError(
            "--track",
            got=f"the model's task is '{task}', which has no objects with boxes",
            expected=f"one of {', '.join(able)}",
            next_step="leave --track, --line and --zone out",
        )
