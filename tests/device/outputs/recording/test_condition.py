from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.outputs.recording.condition import (
    MAX_DEPTH,
    Comparison,
    Condition,
    Joined,
    Not,
    check_names,
    parse_condition,
)
from edgeinfer.device.tasks.classification.prediction import Classification
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.pose.prediction import Poses
from edgeinfer.device.tasks.prediction import Prediction
from edgeinfer.device.tasks.segmentation.prediction import Mask
from edgeinfer.device.tasks.value.prediction import Value

SEEN = Classification(
    labels=("dog", "cat", "Egyptian cat", "and"), probabilities=np.array([0.5, 0.25, 0.2, 0.05])
)
OBJECTS = Detections(
    labels=("dog", "cat"),
    boxes=np.zeros((2, 4)),
    classes=np.array([0, 0]),
    scores=np.array([0.9, 0.3]),
    size=(9, 9),
)
AREAS = Mask(
    labels=("ground", "bird"),
    classes=np.array([[0, 0, 0, 1]], np.uint8),
    box=(0, 0, 9, 9),
    size=(9, 9),
)
NOBODY = Poses(
    names=("nose",),
    limbs=(),
    keypoints=np.zeros((0, 1, 2)),
    keypoint_scores=np.zeros((0, 1)),
    scores=np.zeros(0),
    size=(9, 9),
)


@pytest.mark.parametrize(
    ("text", "prediction", "holds"),
    [
        ("dog>0.4", SEEN, True),
        ("dog>0.5", SEEN, False),
        ("dog >= .5", SEEN, True),
        ("dog==0.5 and cat != 0.5", SEEN, True),
        ("dog<=5e-1", SEEN, True),
        ("Egyptian   cat>0.1", SEEN, True),
        ('"Egyptian cat" > 0.1', SEEN, True),
        ('"and" > 0.01', SEEN, True),
        ("None > 0 or lambda == 1 or c1 > 0", SEEN, False),
        ("dog> 00.4 or value>1", SEEN, True),
        ("bird < 1", SEEN, True),
        # 'and' binds closer than 'or', 'not' closer than both.
        ("dog>0 or cat>1 and cat>1", SEEN, True),
        ("(dog>0 or cat>1) and cat>1", SEEN, False),
        ("not dog>0 or cat>0", SEEN, True),
        ("not (dog>0 or cat>0)", SEEN, False),
        ("NOT dog>0.9 AND cat>0.2", SEEN, True),
        ("not not dog>0.4", SEEN, True),
        ("value>21", Value(value=21.5, unit="bar"), True),
        ("value < -3", Value(value=21.5, unit="bar"), False),
        ("value<3 or value>20", Value(value=21.5, unit="bar"), True),
        ("dog>0.8", OBJECTS, True),
        ("cat>0", OBJECTS, False),
        ("count>=2", OBJECTS, True),
        ("count==0", NOBODY, True),
        ("count(dog)==2", OBJECTS, True),
        ("count(bird)==0 and count( dog )>0", OBJECTS, True),
        ('count("dog")>2', OBJECTS, False),
        ("not count(dog, door)>0", OBJECTS, True),
        ("bird>=0.25", AREAS, True),
        ("bird>0.25", AREAS, False),
    ],
)
def test_what_holds(text: str, prediction: Prediction, holds: bool) -> None:
    assert parse_condition(text).holds(prediction) is holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "ends too early, expected a class's name"),
        ("count()>1", "'\\)' at character 7, expected a class's name"),
        ("count(dog>1", "'>' at character 10, expected ',' or '\\)'"),
        ("in(dog)>1", "'\\)' at character 7, expected a comma"),
        ("count(dog, )>1", "'\\)' at character 12, expected the name of a line or zone"),
        ("stay(dog, door>1", "'>' at character 15, expected '\\)'"),
        ("dog", "ends too early, expected one of >"),
        ("dog>", "ends too early, expected a number"),
        ("dog>cat", "'cat' at character 5, expected a number"),
        ("dog>0.5 cat>0.5", "'cat' at character 9, expected 'and', 'or' or the end"),
        ("dog=0.5", "'=' at character 4"),
        ("(dog>0.5", "ends too early, expected '\\)'"),
        ("dog>0.5)", "'\\)' at character 8"),
        ("dog>0.5 and", "ends too early"),
        ("and dog>0.5", "'and' at character 1"),
        ('""> 0.5', "'\"\"' at character 1"),
        ('"dog > 0.5', "'\"' at character 1"),
        ("dog > 1e999", "a finite number"),
        ("dog > nan", "expected a number"),
        ("value > 1_0", "expected a number"),
        ("dog > ٣", "expected a number"),
        ("dog; rm", "';' at character 4"),
        ("(dog>0.5 cat>0.5", "'cat' at character 10, expected '\\)'"),
        ("dog>0.5>0.1", "'>' at character 8, expected 'and', 'or' or the end"),
        ("dog\0>0.5", r"'\\x00' at character 4"),
        ("  dog > 0.5  ;", "';' at character 14"),
        ("not " * (MAX_DEPTH + 1) + "dog>0", "nested too deeply"),
        ("not(" * MAX_DEPTH + "dog>0", "nested too deeply"),
        ("(" * 4000, "nested too deeply"),
        ("x" * 5000, "5,000 characters long"),
    ],
)
def test_the_error_says_where_a_condition_is_wrong(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        parse_condition(text)
    assert raised.value.exit_code == 2
    assert len(str(raised.value)) < 300


def test_what_nests_just_deep_enough_is_read() -> None:
    half = MAX_DEPTH // 2
    nested = "not (" * half + "dog>0.9 and cat>0.9" + ")" * half
    assert parse_condition(nested).holds(SEEN) is (half % 2 == 1)
    assert parse_condition(" or ".join(["not not dog>0.9"] * MAX_DEPTH)).holds(SEEN) is False


@given(st.text(alphabet=st.sampled_from('dogandotr()<>=!".0123 \t') | st.characters(), max_size=40))
def test_any_text_is_a_condition_or_a_usage_error(text: str) -> None:
    try:
        condition = parse_condition(text)
    except UsageError:
        return
    condition.holds(SEEN)


def text_of(condition: Condition) -> str:
    """Write a condition so that it is read as the same again."""
    if isinstance(condition, Comparison):
        return f"{json.dumps(condition.name)}{condition.operator}{condition.number!r}"
    if isinstance(condition, Not):
        return f"not ({text_of(condition.part)})"
    return f" {'and' if condition.all else 'or'} ".join(f"({text_of(p)})" for p in condition.parts)


NAMES = st.text(
    st.characters(exclude_characters='"\\', exclude_categories=("C", "Z")), min_size=1, max_size=8
)
COMPARISONS = st.builds(
    Comparison,
    name=NAMES.filter(lambda name: name.isascii() and name not in ("value", "count")),
    operator=st.sampled_from([">", ">=", "<", "<=", "==", "!="]),
    number=st.floats(0, 1),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    COMPARISONS,
    lambda parts: (
        st.builds(Not, part=parts)
        | st.builds(
            Joined, all=st.booleans(), parts=st.lists(parts, min_size=2, max_size=3).map(tuple)
        )
    ),
    max_leaves=8,
)


@given(CONDITIONS)
def test_what_is_written_is_read_as_the_same(condition: Condition) -> None:
    assert parse_condition(text_of(condition)) == condition


def test_names_that_the_model_lacks_are_refused_with_close_ones() -> None:
    condition = parse_condition("dgo>0.8 or cat>0.5")
    with pytest.raises(UsageError, match="no class 'dgo', expected one such as 'dog'"):
        check_names(condition, ["bird", "cat", "dog"])
    with pytest.raises(UsageError, match="expected one such as 'hotdog, Hot dog'"):
        check_names(parse_condition("hot dog>0"), ["dough", "hotdog, Hot dog", "hat dough"])
    check_names(parse_condition("dog>0.8 or count>1"), ["dog"])
    check_names(parse_condition("value>0.8"), [])
    for text in ("dog>80", "not dog>-0.1"):
        with pytest.raises(UsageError, match=r"'dog' is compared with .*a score, from 0 to 1"):
            check_names(parse_condition(text), ["dog"])
    # Of several measured numbers each has its own range.
    check_names(parse_condition("angle>20 or angle<-20"), ["angle", "throttle"], measured=True)
    with pytest.raises(UsageError, match="no class 'speed'"):
        check_names(parse_condition("speed>20"), ["angle", "throttle"], measured=True)
    with pytest.raises(UsageError, match="no class 'value'"):
        check_names(parse_condition("value>0.8"), ["dog"])
    with pytest.raises(UsageError, match="no class 'dog', expected one such as 'value'"):
        check_names(parse_condition("dog>0.8"), [])


def test_counts_name_classes_and_places_that_are_there() -> None:
    text = "count(dog)>2 and in(dog, door)>1 or stay(dog, mat)>30"
    check_names(parse_condition(text), ["dog"], counted=True, places=["door", "mat"])
    with pytest.raises(UsageError, match="no class 'dgo', expected one such as 'dog'"):
        check_names(parse_condition("count(dgo)>0"), ["dog"], counted=True)
    with pytest.raises(UsageError, match="no line or zone is called 'gate', expected one of door"):
        check_names(parse_condition("in(dog, gate)>0"), ["dog"], counted=True, places=["door"])
    with pytest.raises(UsageError, match="called 'door', expected --line or --zone"):
        check_names(parse_condition("count(dog, door)>0"), ["dog"], counted=True)
    with pytest.raises(UsageError, match="finds no objects to count"):
        check_names(parse_condition("count(dog)>0"), ["dog"])
