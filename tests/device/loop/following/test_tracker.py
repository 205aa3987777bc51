"""Objects keep their numbers on known tracks, over gaps, and at any rate of frames."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.device.loop.following.tracker import CERTAIN_AFTER, Tracker, distance_overlap
from edgeinfer.device.tasks.detection.prediction import NO_NUMBER
from tests.device.loop.following.scenes import Detector, Scene, Thing, street

SEEDS = range(20)


def numbers_of(scene: Scene, seed: int, tracker: Tracker | None = None) -> dict[int, list[int]]:
    """Return the numbers that each thing had, one after the other, and those of mistakes as -1."""
    tracker = tracker or Tracker()
    had: dict[int, list[int]] = {}
    for frame in scene.frames(seed):
        numbers = tracker.update(frame.boxes, frame.classes, frame.time_s)
        for thing, number in zip(frame.things.tolist(), numbers.tolist(), strict=True):
            if number != NO_NUMBER and had.setdefault(thing, [number])[-1] != number:
                had[thing].append(number)
    return had


def test_people_on_a_street_keep_their_numbers() -> None:
    people = switches = 0
    for seed in SEEDS:
        scene = street(seed)
        had = numbers_of(scene, seed)
        mistakes = set(had.pop(-1, []))
        assert set(had) == set(range(len(scene.things)))
        given = [number for numbers in had.values() for number in numbers]
        assert len(set(given)) == len(given), "no two have the same number"
        assert mistakes <= set(given), "a mistake never gets a new number"
        people += len(had)
        switches += len(given) - len(had)
    assert people == 160
    # A mistake next to someone who is hidden takes the track with it.
    assert switches <= 1


@pytest.mark.parametrize("fps", [4.0, 10.0, 60.0])
def test_at_any_rate(fps: float) -> None:
    for seed in range(5):
        scene = street(seed)
        had = numbers_of(Scene(scene.things, scene.seconds, fps=fps), seed)
        assert all(len(numbers) == 1 for thing, numbers in had.items() if thing >= 0), had


def thing(
    x: float, y: float, velocity: tuple[float, float], hidden_s: tuple[float, float] = (0, 0)
) -> Thing:
    return Thing(
        *(0, np.array([x, y]), np.array(velocity), np.array([60.0, 80.0])), hidden_s=hidden_s
    )


PLAIN = Detector(jitter=0.02, missed=0.0, mistakes=0.0)


def test_two_that_cross_do_not_swap_their_numbers() -> None:
    crossing = (thing(200, 300, (200, 20)), thing(1000, 350, (-200, -20)))
    for seed in range(10):
        had = numbers_of(Scene(crossing, 5.0, PLAIN), seed)
        assert [len(numbers) for numbers in had.values()] == [1, 1], (seed, had)


def test_a_gap_is_bridged_up_to_its_limit() -> None:
    hidden = (thing(200, 300, (150, 0), (2.0, 3.5)),)
    assert numbers_of(Scene(hidden, 6.0, PLAIN), 0) == {0: [1]}
    assert numbers_of(Scene(hidden, 6.0, PLAIN), 0, Tracker(kept_s=1.0)) == {0: [1, 2]}


def test_after_a_pause_of_the_camera_all_are_others() -> None:
    tracker, box, label = Tracker(), np.array([[10.0, 10, 50, 50]]), np.array([0])
    for frame in range(CERTAIN_AFTER):
        assert tracker.update(box, label, frame / 10).tolist()
    for frame, expected in enumerate([NO_NUMBER, NO_NUMBER, 2, 2]):
        assert tracker.update(box, label, 60 + frame / 10).tolist() == [expected]


def test_classes_are_apart() -> None:
    tracker = Tracker()
    box = np.array([[10.0, 10, 50, 50]])
    for frame in range(CERTAIN_AFTER):
        numbers = tracker.update(box, np.array([0]), frame / 10)
    assert numbers.tolist() == [1]
    assert tracker.update(box, np.array([1]), 0.5).tolist() == [NO_NUMBER]


def test_no_objects_and_times_that_go_back() -> None:
    tracker = Tracker()
    none = np.zeros((0, 4)), np.zeros(0, np.int64)
    assert tracker.update(*none, 5.0).tolist() == []
    for time_s in (5.1, 5.0, 4.0, 5.2):
        numbers = tracker.update(np.array([[0.0, 0, 9, 9]]), np.array([0]), time_s)
    assert numbers.tolist() == [1]
    tracker.begin_again()
    assert tracker.tracks == []


def test_overlap_and_distance() -> None:
    box = np.array([[0.0, 0, 10, 10]])
    others = np.array([[0.0, 0, 10, 10], [10, 0, 20, 10], [100, 0, 110, 10]])
    (likeness,) = distance_overlap(box, others)
    assert likeness == pytest.approx([1, -100 / 500, -10000 / 12200])
