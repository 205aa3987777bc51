"""How large a picture a model takes, told from its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.models.input_size import model_input_size
from tests.device.models.test_plain_tflite import flat


def test_bundle(sample_bundle: Path) -> None:
    assert model_input_size(sample_bundle) == (28, 28)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("mobilenet_v1_0.25_128_quant.tflite", (128, 128)),
        ("tf2_mobilenet_v2_1.0_224_ptq.tflite", (224, 224)),
    ],
)
def test_plain_model(shared_data: Path, name: str, size: tuple[int, int]) -> None:
    assert model_input_size(shared_data / "coral" / name) == size


@pytest.mark.parametrize("content", [b"", b"no model at all", b"PK\x03\x04 cut"])
def test_what_is_wrong_is_said_when_it_is_opened(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.tflite"
    assert model_input_size(path) is None
    path.write_bytes(content)
    assert model_input_size(path) is None


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ([1, 9, 12, 3], (12, 9)),
        ([1, 3, 9, 12], (12, 9)),
        ([1, 9, 12], (12, 9)),
        ([1, 300], None),
    ],
)
def test_other_layouts(tmp_path: Path, shape: list[int], size: tuple[int, int] | None) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(flat(shape))
    assert model_input_size(path) == size
