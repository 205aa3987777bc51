"""The options of `edgeinfer run` that follow and count objects."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from edgeinfer.device.cli.help.pages import option_group

if TYPE_CHECKING:
    from edgeinfer.device.loop.following.follower import Follow


@dataclass(frozen=True, kw_only=True)
class FollowChoice:
    """What the user chose on the command line.

    Attributes:
        track: `--track`.
        kept_s: `--track-seconds`; None if it is not given.
        lines: the values of `--line`.
        zones: the values of `--zone`.
    """

    track: bool
    kept_s: float | None
    lines: tuple[str, ...]
    zones: tuple[str, ...]

    def parse(self) -> Follow | None:
        """Return how objects are followed; None if they are not.

        Raises:
            UsageError: a place cannot be read, or nothing is followed so long.
        """
        if not (self.track or self.lines or self.zones):
            if self.kept_s is not None:
                from edgeinfer.device.core.errors import UsageError

                raise UsageError(
                    "--track-seconds",
                    got="is given, and no object is followed",
                    expected="--track, --line or --zone with it",
                )
            return None
        from edgeinfer.device.loop.following.follower import Follow
        from edgeinfer.device.loop.following.places import parse_places

        lines, zones = parse_places("--line", self.lines), parse_places("--zone", self.zones)
        if self.kept_s is None:
            return Follow(lines=lines, zones=zones)
        return Follow(lines=lines, zones=zones, kept_s=self.kept_s)


def follow_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command takes them as `following`, a `FollowChoice`."""

    @functools.wraps(command)
    def with_choice(
        *,
        track: bool,
        track_seconds: float | None,
        line: tuple[str, ...],
        zone: tuple[str, ...],
        **others: Any,
    ) -> Any:
        choice = FollowChoice(track=track, kept_s=track_seconds, lines=line, zones=zone)
        return command(following=choice, **others)

    for option in reversed(_OPTIONS):
        with_choice = option(with_choice)
    return with_choice


_objects = option_group("Objects")

_OPTIONS = (
    _objects(
        "--track", is_flag=True, help="Give each object a number that it keeps from frame to frame."
    ),
    _objects(
        "--line",
        multiple=True,
        metavar="NAME:X,Y,X,Y",
        help="Count objects that cross this line, in and out; ratios from 0 to 1 of the picture. "
        "In is to its right, seen from the first point. May be repeated; includes --track.",
    ),
    _objects(
        "--zone",
        multiple=True,
        metavar="NAME:X,Y,X,Y,X,Y,...",
        help="Count objects in this part of the picture, and how long they stay. May be repeated; "
        "includes --track.",
    ),
    _objects(
        "--track-seconds",
        type=click.FloatRange(0, 3600, min_open=True),
        metavar="SECONDS",
        show_default="2",
        help="How long an object that is not seen keeps its number.",
    ),
)
