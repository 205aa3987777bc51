"""COCO's 80 names among 90 class numbers, and label files of any other length."""

from __future__ import annotations

import pytest

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tasks.detection.guess import fit_class_names

NAMES = (
    "person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant "
    "stop_sign parking_meter bench bird cat dog horse sheep cow elephant brown_bear zebra giraffe "
    "backpack umbrella handbag tie suitcase frisbee skis snowboard sports_ball kite baseball_bat "
    "baseball_glove skateboard surfboard tennis_racket bottle wine_glass cup fork knife spoon bowl "
    "banana apple sandwich orange broccoli carrot hot_dog pizza donut cake chair couch "
    "potted_plant bed dining_table toilet tv laptop mouse remote keyboard cell_phone microwave "
    "oven toaster sink refrigerator book clock vase scissors teddy_bear hair_drier toothbrush"
)
COCO = NAMES.split()


def test_cocos_names_are_at_their_numbers() -> None:
    assert len(COCO) == 80
    labels, note = fit_class_names(tuple(COCO), 90, subject="m")
    # COCO's numbers begin at 1: its annotations call the cat 17, the kite 38, the toothbrush 90.
    numbers = {"person": 1, "stop_sign": 13, "cat": 17, "backpack": 27, "kite": 38}
    numbers |= {"bottle": 44, "chair": 62, "toilet": 70, "tv": 72, "book": 84, "toothbrush": 90}
    assert {name: labels.index(name) + 1 for name in numbers} == numbers
    assert labels[11] == "class 11"
    assert note is not None
    assert "90 class numbers" in note


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (tuple(COCO[1:] + COCO[:1]), 90),
        (tuple(COCO[:79]), 90),
        (tuple(COCO), 91),
        (tuple(f"thing {i}" for i in range(80)), 90),
    ],
)
def test_other_numbers_of_labels_are_refused(names: tuple[str, ...], classes: int) -> None:
    with pytest.raises(ModelError, match=f"{len(names)} labels for {classes}"):
        fit_class_names(names, classes, subject="m")


def test_as_many_labels_as_classes_are_taken() -> None:
    assert fit_class_names(("???", "b"), 2, subject="m") == (("class 0", "b"), None)
    labels, note = fit_class_names(("background", "a", "b"), 2, subject="m")
    assert labels == ("a", "b")
    assert note is not None
