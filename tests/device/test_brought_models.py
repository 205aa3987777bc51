"""The models of public reports, each read as what it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.models.model import Model
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.value.prediction import Value

PICTURE = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
UNIT = {"input_range": "0..1"}

READ_AS: dict[str, tuple[dict[str, Any], str]] = {
    "anysize": ({**UNIT, "input_size": (96, 96)}, "Classification"),
    "bbox4": ({**UNIT, "task": "value"}, "Values"),
    "donkey2": (UNIT, "Values"),
    "grey": (UNIT, "Classification"),
    "logits5": (UNIT, "Classification"),
    "multilabel5": (UNIT, "MultiLabel"),
    "nchw": (UNIT, "Classification"),
    "ptq_dyn": (UNIT, "Classification"),
    "ptq_float": (UNIT, "Classification"),
    "ptq_fp16": (UNIT, "Classification"),
    "ptq_narrow_int8": ({}, "Classification"),
    "ptq_narrow_uint8": ({}, "Classification"),
    "ptq_wide_int8": ({}, "Classification"),
    "ptq_wide_uint8": ({}, "Classification"),
    "rescaling": ({}, "Classification"),
    "rgba": ({**UNIT, "channels": "rgba"}, "Classification"),
    "sigmoid1": (UNIT, "Classification"),
    "softmax2": (UNIT, "Classification"),
    "steering1": ({**UNIT, "unit": "deg"}, "Value"),
    "twosig": ({**UNIT, "signature": "classify"}, "Classification"),
    "depth": ({**UNIT, "task": "picture"}, "OutputPicture"),
    "drive2": ({**UNIT, "task": "value"}, "Values"),
    "fomo_int8": ({}, "Mask"),
    "hotdog1": (UNIT, "Classification"),
    "imagenet_float": ({"input_range": "imagenet"}, "Classification"),
    "imagenet_int8": ({}, "Classification"),
    "mnist28_int8": ({}, "Classification"),
    "mnv3_float": ({}, "Classification"),
    "nin_logits": (UNIT, "Classification"),
    "superres": (UNIT, "OutputPicture"),
    "tf52318_float": ({}, "MultiLabel"),
    "tf52318_uint8": ({}, "MultiLabel"),
}
"""The options that a model needs, and the kind of its prediction."""

SAME_PIXELS = (("ptq_float", "ptq_wide_int8"), ("ptq_float", "ptq_narrow_int8"))
"""A float model, and its integer form, which answers nearly the same."""


@pytest.fixture(scope="module")
def cases(shared_data: Path) -> Path:
    """The scripts and files of the cases."""
    return shared_data.parent / "cases" / "models"


@pytest.fixture(scope="module")
def made(cases: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a model by its name; two scripts make them all, with TensorFlow."""
    folder = tmp_path_factory.mktemp("brought")
    for script in ("make_keras.py", "make_issues.py"):
        command = [sys.executable, str(cases / script), str(folder)]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
    return lambda name: folder / f"{name}.tflite"


@pytest.mark.long
@pytest.mark.parametrize("name", READ_AS)
def test_each_is_read_as_what_it_is(made: Callable[[str], Path], name: str) -> None:
    options, kind = READ_AS[name]
    with Model.open(made(name), OpenOptions(**options)) as model:
        assert type(model.predict(PICTURE)).__name__ == kind
    if "input_range" in options:
        # Nothing in the file states it, and so it is not guessed.
        with pytest.raises(ModelError, match="nothing in the file states the range"):
            Model.open(made(name), OpenOptions(**{**options, "input_range": None}))


@pytest.mark.long
@pytest.mark.parametrize(("float_name", "integer_name"), SAME_PIXELS)
def test_integers_get_the_pixels_of_the_float_model(
    made: Callable[[str], Path], float_name: str, integer_name: str
) -> None:
    with (
        Model.open(made(float_name), OpenOptions(input_range="0..1")) as real,
        Model.open(made(integer_name)) as small,
    ):
        first, second = (dict(one.predict(PICTURE).ranked(5)) for one in (real, small))
    # The narrow one cuts off what is brighter than its calibration pictures.
    assert max(abs(first[label] - second[label]) for label in first) < 0.02


@pytest.mark.long
def test_several_inputs_are_refused(made: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match=r"inputs are .* expected a model of single images"):
        Model.open(made("twoinputs"))


def test_one_number_is_a_value(cases: Path) -> None:
    path = cases / "steer_f32.tflite"
    with pytest.raises(ModelError, match="nothing in the file states the range"):
        Model.open(path)
    with Model.open(path, OpenOptions(input_range="0..1", unit="deg")) as model:
        answer = model.predict(PICTURE)
    assert isinstance(answer, Value)
    assert (answer.unit, np.isfinite(answer.value)) == ("deg", True)
