"""What a runtime is given of a plain model: one signature, one size."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError, UsageError
from edgeinfer.device.models.input_size import model_input_size
from edgeinfer.device.models.model import Model
from edgeinfer.device.models.plain_content import plain_content
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import installed_runtimes
from edgeinfer.device.tflite.reader import read_tflite
from tests.device.tflite.graph_examples import any_size, two_signatures
from tests.device.tflite_examples import dense_model, encode


def shape_of(content: bytes, options: OpenOptions) -> tuple[int, ...]:
    running, graph = plain_content(content, options, subject="x.tflite")
    assert graph == read_tflite(running, subject="x")
    return graph.inputs[0].shape


@pytest.mark.parametrize("runtime", installed_runtimes())
@pytest.mark.parametrize("channels_first", [False, True])
def test_pictures_of_any_size_are_taken_in_the_one_that_is_named(
    tmp_path: Path, channels_first: bool, runtime: Any
) -> None:
    path = tmp_path / "any.tflite"
    path.write_bytes(any_size(channels_first=channels_first))
    options = OpenOptions(
        input_range="0..255", input_size=(40, 24), task="embedding", runtime=runtime
    )
    assert model_input_size(path, options) == (40, 24)
    assert model_input_size(path) is None
    with Model.open(path, options) as model:
        assert model.preprocessor.spec.size == (40, 24)
        assert model.preprocessor.spec.layout == ("chw" if channels_first else "hwc")
        picture = np.full((48, 80, 3), (10, 20, 30), np.uint8)
        (means,) = model.runner.invoke([model.preprocessor.tensor(picture)])
    np.testing.assert_allclose(np.asarray(means, np.float64), [[10, 20, 30]], rtol=1e-6)


def test_without_a_size_an_error_says_what_to_do() -> None:
    with pytest.raises(ModelError, match=r"\(any, any, any, 3\) takes pictures of any size.*") as e:
        shape_of(any_size(), OpenOptions())
    assert "--input-size=224x224" in e.value.next_step


def test_the_size_that_the_exporter_states_is_taken() -> None:
    stated = json.dumps({"task": "classify", "imgsz": [32, 64]})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("metadata.json", stated)
    content = any_size() + buffer.getvalue()
    assert shape_of(content, OpenOptions()) == (1, 32, 64, 3)
    # The user's word counts first.
    assert shape_of(content, OpenOptions(input_size=(8, 9))) == (1, 9, 8, 3)


@pytest.mark.parametrize(
    ("content", "size", "message"),
    [
        (any_size(height=20, width=30), (20, 30), "20x30 is given for .*any, 20, 30, 3"),
        (any_size(width=30), (20, 30), "any, any, 30, 3.*expected its own size"),
        (any_size(), (0, 30), "0x30, expected sides from 1 to 4096"),
        (any_size(), (5000, 30), "5000x30, expected sides"),
    ],
)
def test_a_size_that_does_not_fit_is_refused(
    content: bytes, size: tuple[int, int], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        shape_of(content, OpenOptions(input_size=size))


def test_a_model_of_one_size_stays_as_it_is() -> None:
    content = any_size(height=20, width=30)
    assert shape_of(content, OpenOptions(input_size=(30, 20))) == (1, 20, 30, 3)
    assert plain_content(content, OpenOptions(), subject="x").content is content


def test_of_several_signatures_one_has_to_be_named(tmp_path: Path) -> None:
    path = tmp_path / "two.tflite"
    path.write_bytes(two_signatures())
    with pytest.raises(ModelError, match="2 signatures: negated, squared, expected the one") as e:
        Model.open(path, OpenOptions(input_range="0..1"))
    assert "--signature=negated" in e.value.next_step
    with pytest.raises(UsageError, match="no 'cubed', expected one of negated, squared"):
        Model.open(path, OpenOptions(signature="cubed"))


def test_a_signature_that_is_not_there_is_refused() -> None:
    content = encode(dense_model())
    options = OpenOptions(signature="serving_default")
    assert plain_content(content, options, subject="x").content is content
    with pytest.raises(UsageError, match="no 'cubed', expected one of serving_default"):
        plain_content(content, OpenOptions(signature="cubed"), subject="x")


@settings(max_examples=100, deadline=None)
@given(
    content=st.sampled_from([any_size(), any_size(channels_first=True), two_signatures()]),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_damaged_files_raise_only_our_errors(
    content: bytes, changes: list[tuple[int, int]]
) -> None:
    damaged = bytearray(content)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    for options in (OpenOptions(input_size=(40, 24)), OpenOptions(signature="squared")):
        with suppress(ModelError, UsageError):
            running, graph = plain_content(bytes(damaged), options, subject="x")
            assert graph == read_tflite(running, subject="x")
            assert len(running) == len(damaged)
