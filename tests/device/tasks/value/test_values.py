"""Several values, of one output or of several, their names and units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.runtime.open_options import AnswerOptions
from edgeinfer.device.tasks.guess import Guess, Shown
from edgeinfer.device.tasks.registry import guess_task
from edgeinfer.device.tasks.spec import ValueSpec
from edgeinfer.device.tasks.task import Said
from edgeinfer.device.tasks.value.prediction import Value, Values
from edgeinfer.device.tasks.value.task import TASK
from edgeinfer.device.tflite.metadata.tflite_metadata import ModelMetadata, TensorMetadata
from tests.device.graph_examples import model

IMAGE = TensorSpec(name="image", shape=(1, 120, 160, 3), dtype="float32")


def outputs(*names: str) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(name=name, shape=(1, 1), dtype="float32") for name in names)


def guessed(*names: str, signature: tuple[str, ...] = (), said: tuple[str, ...] = ()) -> Guess:
    tensors = tuple(range(1, len(names) + 1))
    graph = model((), [("FULLY_CONNECTED", (0,), tensors)], inputs=(0,), outputs=tensors)
    metadata = None
    if said:
        metadata = ModelMetadata(
            name="", description="", version="", author="", license="", inputs=(),
            outputs=tuple(TensorMetadata(name=name, description="") for name in said),
        )  # fmt: skip
    found = guess_task(
        Shown(
            graph=graph,
            inputs=(IMAGE,),
            outputs=outputs(*names),
            metadata=metadata,
            output_names=signature,
        )
    )
    assert found is not None
    assert (found.task, found.classes) == ("value", len(names))
    return found


MEANINGLESS = ("StatefulPartitionedCall_1:0", "StatefulPartitionedCall_1:1")


def test_names_come_from_metadata_then_the_signature_then_the_tensors() -> None:
    assert guessed("angle", "throttle").labels == ("angle", "throttle")
    assert guessed(*MEANINGLESS, signature=("angle", "throttle")).labels == ("angle", "throttle")
    assert guessed("a", "b", signature=("angle", "throttle")).labels == ("angle", "throttle")
    assert guessed("a", "b", said=("angle", "throttle")).labels == ("angle", "throttle")


@pytest.mark.parametrize(
    "names",
    [MEANINGLESS, ("Identity", "Identity_1"), ("output_0", "output_1"), ("", "x"), ("a", "a")],
)
def test_names_that_say_nothing_are_numbers(names: tuple[str, str]) -> None:
    found = guessed(*names)
    assert found.labels == ()
    labels, note = TASK.fit_labels(found, None, given=False, subject="m")
    assert labels == ("value 0", "value 1")
    assert note is not None


def test_one_output_of_several_numbers_is_values_where_the_user_says_so() -> None:
    spec = TensorSpec(name="out", shape=(1, 2), dtype="float32")
    graph = model((), [("FULLY_CONNECTED", (0,), (1,))], inputs=(0,), outputs=(1,))
    shown = Shown(graph=graph, inputs=(IMAGE,), outputs=(spec,))
    found = guess_task(shown, "value")
    assert found is not None
    assert found.classes == 2
    free = guess_task(shown)
    assert free is not None
    assert free.task == "classification"
    assert "--task value" in free.reason


def test_names_must_fit_and_one_value_has_none() -> None:
    with pytest.raises(ModelError, match=r"3 labels for 2"):
        TASK.fit_labels(guessed("a", "b"), ("x", "y", "z"), given=True, subject="m")
    # Those in the model are of classes.
    found, _ = TASK.fit_labels(guessed("a", "b"), ("x", "y", "z"), given=False, subject="m")
    assert found == ("value 0", "value 1")
    one = Guess(task="value", value=ValueSpec(unit=""))
    assert TASK.fit_labels(one, ("x", "y"), given=False, subject="m") == ((), None)
    with pytest.raises(ModelError, match=r"measures one value"):
        TASK.fit_labels(one, ("x", "y"), given=True, subject="m")


SEVERAL = Said(labels=("angle", "throttle"), value=ValueSpec(unit=""))


def test_units_are_one_for_all_or_one_each() -> None:
    def units(unit: str) -> tuple[str, ...]:
        said = TASK.adjusted(SEVERAL, AnswerOptions(unit=unit))
        TASK.check(said)
        decode = TASK.make_decode(said, outputs("a", "b"), PreprocessSpec(size=(8, 8)))
        answer = decode([np.array([[0.5]], np.float32), np.array([[2]], np.float32)])
        assert isinstance(answer, Values)
        assert answer.quantities() == {"angle": 0.5, "throttle": 2.0}
        return answer.units

    assert units("bar") == ("bar", "bar")
    assert units("deg, %") == ("deg", "%")
    with pytest.raises(UsageError, match=r"3 units for 2 values"):
        units("a,b,c")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (replace(SEVERAL, labels=("a", "a")), "same name"),
        (replace(SEVERAL, labels=("a",)), "a name for each value"),
        (replace(SEVERAL, value=ValueSpec(unit="", units=("a",))), "1 units for 2"),
    ],
)
def test_contradictions_are_refused(said: Said, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TASK.check(said)


@given(st.lists(st.floats(width=32), min_size=2, max_size=5))
def test_values_are_the_outputs_one_after_the_other(numbers: list[float]) -> None:
    said = Said(
        labels=tuple(f"n{i}" for i in range(len(numbers))),
        value=ValueSpec(unit="m", scale=2.0, offset=1.0),
    )
    expected = np.array(numbers) * 2 + 1
    spec = TensorSpec(name="out", shape=(1, len(numbers)), dtype="float32")
    TASK.check_outputs(said, [spec])
    one = TASK.make_decode(said, [spec], PreprocessSpec(size=(8, 8)))(
        [np.array([numbers], np.float32)]
    )
    assert isinstance(one, Values)
    np.testing.assert_array_equal(one.values, expected)
    assert all(isinstance(part, str) for part in (one.text(), one.headline))


def test_several_values_for_people_and_scripts() -> None:
    answer = Values(names=("angle", "throttle"), values=np.array([-12.5, 0.25]), units=("deg", ""))
    assert answer["angle"] == -12.5
    assert (answer.headline, answer.text()) == (
        "angle -12.5, throttle 0.25",
        "angle -12.5 deg, throttle 0.25",
    )
    assert answer.cells() == {"value": "angle=-12.5;throttle=0.25", "unit": "deg;"}
    assert answer.to_json()["values"] == [
        {"name": "angle", "value": -12.5, "unit": "deg"},
        {"name": "throttle", "value": 0.25, "unit": ""},
    ]
    before = [replace(answer, values=np.array([float(i), 1.0])) for i in (1, 2)]
    assert all(map(answer.goes_on, before))
    assert answer.smoothed(before).values.tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match=r"as many of each"):
        replace(answer, names=("angle",))


def test_what_is_not_finite_is_null_in_json_and_moves_no_median() -> None:
    broken = Value(value=float("nan"), unit="bar")
    assert broken.to_json() == {"value": None, "unit": "bar"}
    good = [Value(value=v, unit="bar") for v in (1.0, float("inf"), 3.0)]
    assert broken.smoothed(good).value == 2.0
    assert not np.isfinite(broken.smoothed([broken]).value)
