"""Lines and zones count exactly what passes, by known tracks."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.device.loop.following.follower import Follow, Follower
from edgeinfer.device.loop.following.places import Line, Places, Zone
from edgeinfer.device.loop.following.tally import Seen, Tallies, Tally
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.tasks.detection.prediction import Detections
from tests.device.loop.following.scenes import SIZE, Scene, Thing, street

DOOR = Line("door", ((0.5, 0.0), (0.5, 1.0)))
"""From top to bottom: who goes to its right goes to the left of the picture."""
SQUARE = Zone("square", ((0.3, 0.2), (0.7, 0.2), (0.7, 0.8), (0.3, 0.8)))


def counted(scene: Scene, follow: Follow, seed: int) -> list[dict[str, float]]:
    """Return the quantities of each frame, through the loop's own follower."""
    follower = Follower(follow)
    found = []
    for number, frame in enumerate(scene.frames(seed)):
        prediction = Detections(
            labels=("person", "dog"),
            boxes=frame.boxes,
            classes=frame.classes,
            scores=np.full(len(frame.boxes), 0.9),
            size=SIZE,
        )
        pixels = np.zeros((2, 2, 3), np.uint8)
        picture = Frame(pixels=pixels, sequence=number, captured_ns=int(frame.time_s * 1e9))
        answer = follower(Answer(frame=picture, prediction=prediction, age_ms=1.0))
        found.append(answer.prediction.quantities())
    return found


@pytest.mark.parametrize("seed", range(20))
def test_everyone_who_crosses_is_counted_once(seed: int) -> None:
    scene = street(seed)
    last = counted(scene, Follow(lines={DOOR.name: DOOR.points}), seed)[-1]
    to_the_left = sum(thing.velocity[0] < 0 for thing in scene.things)
    expected = {"in": to_the_left, "out": len(scene.things) - to_the_left}
    told = {way: last.get(f"{way}(person, door)", 0) for way in expected}
    assert told == expected
    assert last["count(person, door)"] == len(scene.things)


@pytest.mark.parametrize("seed", range(20))
def test_everyone_who_was_in_a_zone_is_counted_once(seed: int) -> None:
    scene = street(seed)
    follower_counts = counted(scene, Follow(zones={SQUARE.name: SQUARE.points}), seed)
    most = max(one.get("count(person, square)", 0) for one in follower_counts)
    truth = 0
    for number in range(round(scene.seconds * scene.fps)):
        time_s = number / scene.fps
        centres = [
            thing.centre(time_s) / SIZE
            for thing in scene.things
            if thing.from_s <= time_s < thing.to_s
        ]
        truth = max(truth, sum(0.3 < x < 0.7 and 0.2 < y < 0.8 for x, y in centres))
    assert abs(most - truth) <= 1, "one may be at the edge or hidden"


def seen(x: float, y: float, *, number: int = 1, unseen_s: float = 0.0) -> Seen:
    return Seen(number=number, label=0, centre=np.array([x, y]), size=100.0, unseen_s=unseen_s)


def follow(tally: Tally, *points: tuple[float, float]) -> Tallies:
    for step, (x, y) in enumerate(points):
        tallies = tally.update([seen(x, y)], SIZE, float(step))
    return tallies


def test_one_who_waits_on_the_line_is_not_counted_over_and_over() -> None:
    tally = Tally(Places(lines=(DOOR,)))
    jitter = [(640 + (-1) ** step * 4.0, 300.0) for step in range(40)]
    line = follow(tally, (700, 300), *jitter).lines["door"]
    assert (line.went_in, line.went_out) == ({}, {})
    line = follow(tally, (600, 300), *jitter, (700, 300)).lines["door"]
    assert (line.went_in, line.went_out) == ({0: 1}, {0: 1})


def test_who_goes_around_the_line_does_not_cross_it() -> None:
    short = Line("short", ((0.5, 0.4), (0.5, 0.6)))
    line = follow(Tally(Places(lines=(short,))), (600, 100), (700, 100), (700, 360)).lines["short"]
    assert (line.went_in, line.went_out) == ({}, {})
    line = follow(Tally(Places(lines=(short,))), (600, 360), (700, 360)).lines["short"]
    assert (line.went_in, line.went_out) == ({}, {0: 1})


def test_one_who_is_lost_and_found_beyond_the_line_crossed_it() -> None:
    tally = Tally(Places(lines=(DOOR,)))
    tally.update([seen(600, 300)], SIZE, 0.0)
    for step in range(1, 4):
        lost = tally.update([seen(600 + 60.0 * step, 300, unseen_s=step / 10)], SIZE, step / 10)
        assert lost.lines["door"].went_out == {}
    assert tally.update([seen(800, 300)], SIZE, 0.5).lines["door"].went_out == {0: 1}


def test_how_long_one_stays_in_a_zone() -> None:
    tally = Tally(Places(zones=(SQUARE,)))
    zone = tally.update([seen(100, 300)], SIZE, 0.0).zones["square"]
    assert (zone.now, zone.entered) == ({}, {})
    for time_s in (1.0, 3.0, 6.0):
        zone = tally.update([seen(640, 360)], SIZE, time_s).zones["square"]
    assert (zone.now, zone.entered, zone.longest_s) == ({0: 1}, {0: 1}, {0: 5.0})
    # Not seen for a moment is still there, for longer is not, and back is not a second one.
    zone = tally.update([seen(640, 360, unseen_s=0.3)], SIZE, 6.3).zones["square"]
    assert zone.now == {0: 1}
    zone = tally.update([seen(640, 360, unseen_s=0.9)], SIZE, 6.9).zones["square"]
    assert zone.now == {}
    zone = tally.update([seen(640, 360)], SIZE, 7.0).zones["square"]
    assert (zone.now, zone.entered, zone.longest_s) == ({0: 1}, {0: 1}, {0: 6.0})
    zone = tally.update([seen(1200, 360)], SIZE, 8.0).zones["square"]
    assert (zone.now, zone.entered) == ({}, {0: 1})
    zone = tally.update([], SIZE, 9.0).zones["square"]
    assert (zone.now, zone.entered) == ({}, {0: 1})


def test_two_classes_are_counted_apart() -> None:
    walkers = tuple(
        Thing(
            label,
            np.array([100.0, 200.0 + 200 * label]),
            np.array([300.0, 0]),
            np.array([60.0, 60]),
        )
        for label in (0, 1)
    )
    last = counted(Scene(walkers, 4.0), Follow(lines={DOOR.name: DOOR.points}), 3)[-1]
    assert last["out(person, door)"] == last["out(dog, door)"] == 1
