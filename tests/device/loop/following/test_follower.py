"""Answers get their numbers, whatever comes between them; and the whole command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.loop.following.follower import Follow, Follower, require_followed
from edgeinfer.device.loop.results import Answer
from edgeinfer.device.pictures.frame import Frame
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.prediction import Prediction
from tests.converters.detector_bundle import write_detector, write_photo
from tests.support.program import edgeinfer_here, error_line

PIXELS = np.zeros((2, 2, 3), np.uint8)


def objects(*lefts: float, size: tuple[int, int] = (200, 100)) -> Detections:
    """Return squares of 20 pixels at a height of 40."""
    boxes = np.array([[x, 40, x + 20, 60] for x in lefts], np.float64).reshape(-1, 4)
    return Detections(
        labels=("person",),
        boxes=boxes,
        classes=np.zeros(len(lefts), np.int64),
        scores=np.full(len(lefts), 0.9),
        size=size,
    )


def answer(
    prediction: Prediction, sequence: int, time_s: float, position_s: float | None = None
) -> Answer:
    frame = Frame(
        pixels=PIXELS, sequence=sequence, captured_ns=int(time_s * 1e9), position_s=position_s
    )
    return Answer(frame=frame, prediction=prediction, age_ms=1.0)


def numbers(follower: Follower, *answers: Answer) -> list[list[int]]:
    found = []
    for one in answers:
        prediction = follower(one).prediction
        assert isinstance(prediction, Detections)
        assert prediction.numbers is not None
        found.append(prediction.numbers.tolist())
    return found


def test_numbers_come_with_the_third_answer() -> None:
    answers = [answer(objects(10 + 2 * n, 150), n, n / 10) for n in range(4)]
    assert numbers(Follower(Follow()), *answers) == [[-1, -1], [-1, -1], [1, 2], [1, 2]]


def test_a_clip_counts_by_its_own_times() -> None:
    """Read as fast as it can be, a step of a box's size within 0.2 ms would be another thing."""
    moving = [answer(objects(10 + 12 * n), n, n * 2e-4, n / 10) for n in range(8)]
    assert numbers(Follower(Follow()), *moving)[-1] == [1]
    folder = [answer(objects(10 + 4 * n), n, n * 2e-4) for n in range(8)]
    assert numbers(Follower(Follow(), live=False), *folder)[-1] == [1]


def test_frames_of_another_size_begin_again_with_other_numbers() -> None:
    follower = Follower(Follow())
    first = [answer(objects(10), n, n / 10) for n in range(3)]
    other = [answer(objects(10, size=(400, 200)), n, n / 10) for n in range(3, 6)]
    assert numbers(follower, *first, *other) == [[-1], [-1], [1], [-1], [-1], [2]]


def test_what_a_followed_answer_says() -> None:
    follower = Follower(
        Follow(
            lines={"door": ((0.5, 0), (0.5, 1))},
            zones={"mat": ((0, 0), (0.5, 0), (0.5, 1), (0, 1))},
        )
    )
    for step in range(12):
        prediction = follower(answer(objects(20 + 10 * step), step, step / 5)).prediction
    assert prediction.text() == "#1 person 90.0%; door: 0 person in, 1 out; mat: empty"
    told = prediction.to_json()
    assert told["lines"] == {"door": {"person": {"in": 0, "out": 1}}}
    zones = told["zones"]
    assert isinstance(zones, dict)
    assert zones["mat"]["person"] == {"now": 0, "entered": 1, "longest_s": 0.0}
    detections = told["detections"]
    assert isinstance(detections, list)
    assert detections[0]["number"] == 1
    cells = prediction.cells()
    assert (cells["numbers"], cells["places"]) == ("1", "door: 0 person in, 1 out; mat: empty")
    assert prediction.quantities() == {
        "count": 1,
        "count(person)": 1,
        "count(person, door)": 1,
        "in(person, door)": 0,
        "out(person, door)": 1,
    }


def test_only_objects_are_followed() -> None:
    plain = Classification(labels=("cat", "dog"), probabilities=np.array([0.2, 0.8]))
    assert Follower(Follow())(answer(plain, 0, 0.0)).prediction is plain
    require_followed("detection")
    with pytest.raises(UsageError, match="'classification', which has no objects with boxes"):
        require_followed("classification")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    return write_detector(folder / "d.edgebundle", write_photo(folder / "photo.png"))


def test_the_command(bundle: Path, tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(6):
        write_photo(frames / f"{number}.png", 250, 200 if number < 4 else 0)
    done = edgeinfer_here(
        *("run", "--camera", frames, "--model", bundle, "--json", "--zone"),
        *("left:0,0,0.5,0,0.5,1,0,1", "--line", "middle:0,0.5,1,0.5", "--output"),
        *(f"stills:{tmp_path / 'stills'}", "--record-when", "count(cat, left)>0 and count(dog)==0"),
        *("--output", f"csv:{tmp_path / 'rows.csv'}"),
    )
    assert done.returncode == 0, done.stderr
    *answers, _ = map(json.loads, done.stdout.splitlines())
    found = [[one["number"] for one in told["detections"]] for told in answers]
    assert found == [[None, None], [None, None], [1, 2], [1, 2], [1], [1]]
    assert answers[-1]["zones"]["left"]["cat"]["now"] == 1
    assert answers[-1]["zones"]["left"]["cat"]["longest_s"] == pytest.approx(3 / 30, abs=1e-3)
    assert answers[-1]["lines"] == {"middle": {}}
    assert len(list((tmp_path / "stills").glob("*.jpg"))) == 2
    rows = (tmp_path / "rows.csv").read_text().splitlines()
    assert rows[0].endswith(",numbers,places")
    assert rows[-1].endswith(",1,middle: none crossed; left: 1 cat for 0 s")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--track-seconds", 3), "no object is followed"),
        (("--line", "door:0,0,1"), "is not a name with points"),
        (("--track", "--record-when", "count(cat, door)>0"), "nothing is recorded"),
    ],
)
def test_options_that_do_not_go_together(
    bundle: Path, words: tuple[object, ...], said: str, tmp_path: Path
) -> None:
    write_photo(tmp_path / "0.png")
    done = edgeinfer_here("run", "--camera", tmp_path, "--model", bundle, *words)
    assert said in error_line(done, code=2)
