"""Pictures of kinds that were read wrongly, next to the checkout, each with its right answer."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeinfer.device.core.errors import ImageError
from edgeinfer.device.models.model import Model
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.tasks.classification.prediction import Classification


@pytest.fixture(scope="module")
def media(shared_data: Path) -> Path:
    folder = shared_data.parent / "cases" / "media"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: this test needs the shared pictures")
    return folder


@pytest.fixture(scope="module")
def labels(shared_data: Path) -> list[str]:
    return (shared_data / "coral" / "imagenet_labels.txt").read_text().splitlines()


@pytest.mark.parametrize(
    "name", ["clipboard_bitfields.bmp", "rgb_nir_unspecified_extra.tif", "still.gif"]
)
def test_a_cat_is_a_cat(name: str, media: Path, shared_data: Path, labels: list[str]) -> None:
    with Model.open(shared_data / "coral" / "mobilenet_v2_1.0_224_quant.tflite") as model:
        prediction = model.predict(media / name)
    assert isinstance(prediction, Classification)
    best = int(np.argmax(prediction.probabilities))
    assert labels[best] == "Egyptian cat"
    assert prediction.probabilities[best] > 0.8


def test_a_fourth_band_that_is_not_an_alpha_changes_nothing(media: Path) -> None:
    path = media / "rgb_nir_unspecified_extra.tif"
    with Image.open(path) as picture:
        assert (read_image(path) == np.asarray(picture.convert("RGB"))).all()


def test_a_gif_without_pillow_says_what_it_needs(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PIL.GifImagePlugin", None)
    with pytest.raises(ImageError, match=r"is a GIF picture, which needs Pillow; .*pictures"):
        read_image(media / "still.gif")
