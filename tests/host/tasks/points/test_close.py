"""Things whose centres are in one cell: how many are lost, and where."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.detection.target import BoxesTarget, TrueBox
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.host.tasks.points.network import STRIDE
from edgeinfer.host.tasks.points.task import TASK
from tests.host.tasks.detection.boxed_pictures import picture

SIDE = 4 * STRIDE
SPEC = PreprocessSpec(size=(SIDE, SIDE), crop="stretch")


def sample(path: Path, *things: TrueBox) -> Sample:
    picture(path, 0)
    return Sample(source=str(path), target=BoxesTarget(things))


def thing(x: float, y: float, *, label: int = 0, side: float = STRIDE) -> TrueBox:
    """Return a thing with its centre there, in pixels of the prepared picture."""
    edges = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return TrueBox(label, *(edge / SIDE for edge in edges))


def doubts(*samples: Sample) -> list[str]:
    return TASK.doubts(samples, TASK.rows(samples, SPEC))


def test_things_of_a_class_in_one_cell_count_as_one(tmp_path: Path) -> None:
    low, high = STRIDE + 0.5, 2 * STRIDE - 0.5
    pair = sample(tmp_path / "a.png", thing(low, low), thing(high, high))
    three = sample(tmp_path / "b.png", *(thing(at, low) for at in (low, low + 2, high)))
    (said,) = doubts(pair, three)
    assert said.startswith("3 of 5 things are not told from another of their class")
    assert f"same {STRIDE} x {STRIDE} pixels, such as 3 at one place of {three.source}" in said
    assert "larger --size" in said
    assert "--tiles" in said


def test_others_are_separate(tmp_path: Path) -> None:
    low, high = STRIDE + 0.5, 2 * STRIDE - 0.5
    other_class = sample(tmp_path / "a.png", thing(low, low), thing(high, high, label=1))
    other_cell = sample(tmp_path / "b.png", thing(low, low), thing(high + 1, low))
    assert doubts(other_class, other_cell, sample(tmp_path / "c.png")) == []
    assert doubts(sample(tmp_path / "d.png")) == []


def test_of_too_many_things_a_picture_is_named(tmp_path: Path) -> None:
    least = SIDE / (TASK.most_things + 2)
    many = [thing(least * (n + 1), STRIDE / 2, label=n) for n in range(TASK.most_things + 1)]
    (said,) = doubts(sample(tmp_path / "a.png"), sample(tmp_path / "b.png", *many))
    assert said.startswith(f"1 pictures have more than {TASK.most_things} things, such as ")
    assert str(tmp_path / "b.png") in said
    assert doubts(sample(tmp_path / "c.png", *many[1:])) == []
