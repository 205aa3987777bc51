"""`--line` and `--zone` are read, or refused with a reason."""

from __future__ import annotations

import pytest

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.loop.following.follower import Follow
from edgeinfer.device.loop.following.places import Line, Zone, make_places, parse_places


def test_lines_and_zones() -> None:
    lines = parse_places("--line", ["door:0.1,0.5,0.9,0.5"])
    places = make_places(lines, parse_places("--zone", ["desk:0,0,1,0,0.5,1"]))
    assert places.all == (
        Line("door", ((0.1, 0.5), (0.9, 0.5))),
        Zone("desk", ((0.0, 0.0), (1.0, 0.0), (0.5, 1.0))),
    )
    assert places.names == ("door", "desk")


@pytest.mark.parametrize(
    ("lines", "zones", "words"),
    [
        (["0.1,0.5,0.9,0.5"], [], "is not a name with points"),
        (["door:"], [], "is not a name with points"),
        (["door:0,0,1"], [], "is not a name with points"),
        (["door:a,b,c,d"], [], "is not a name with points"),
        (["my door:0,0,1,1"], [], "'my door': is not a name"),
        ([":0,0,1,1"], [], "'': is not a name"),
        (["door:0,0,1,1,1,0"], [], "has 3 points, expected 2"),
        (["door:0,0,1,nan"], [], "has a point outside of the picture"),
        (["door:0,0,100,200"], [], "has a point outside of the picture"),
        (["door:0.5,0.5,0.5,0.5"], [], "begins and ends at the same point"),
        ([], ["desk:0,0,1,1"], "has 2 points, expected 3 to 64"),
        ([], ["desk:0,0,0.5,0.5,1,1"], "has no area"),
        (["a:0,0,1,1"], ["a:0,0,1,0,1,1"], "two are called 'a'"),
        (["a:0,0,1,1", "a:0,0,1,0"], [], "two are called 'a'"),
        ([f"l{n}:0,0,1,1" for n in range(33)], [], "33 places, expected at most 32"),
    ],
)
def test_what_cannot_be_is_refused(lines: list[str], zones: list[str], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_places(parse_places("--line", lines), parse_places("--zone", zones))
    assert words in str(caught.value)


@pytest.mark.parametrize("kept_s", [0.0, -1.0, float("nan"), 3601.0])
def test_times_that_cannot_be(kept_s: float) -> None:
    with pytest.raises(UsageError, match="--track-seconds"):
        Follow(kept_s=kept_s)
