"""A grey camera and transfer learning: photographs to answers, with ImageNet's weights."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.run_folder.trained_run import KERAS_FILE, read_trained
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.preprocess import Preprocessor
from edgeinfer.host.models import ARCHITECTURES
from tests.support.program import edgeinfer_here

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("warm_tensorflow")]

LABELS = ("across", "down")


def stripes(label: str, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return a grey picture, (H, W) uint8, of stripes with noise."""
    rows, columns = np.mgrid[:72, :88]
    phase = generator.uniform(0, 6)
    wave = np.sin((rows if label == "across" else columns) / generator.uniform(1.5, 4) + phase)
    light = 120 + 70 * wave + generator.normal(0, 12, rows.shape)
    return np.asarray(np.clip(light, 0, 255), np.uint8)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    generator = np.random.default_rng(4)
    for label in LABELS:
        (folder / label).mkdir(parents=True)
        for index in range(24):
            assert cv2.imwrite(str(folder / label / f"{index}.png"), stripes(label, generator))
    return folder


def test_a_pretrained_network_answers_a_grey_camera(photographs: Path, tmp_path: Path) -> None:
    env = {"XDG_DATA_HOME": str(tmp_path / "data")}
    run, bundle = tmp_path / "run", tmp_path / "stripes.edgebundle"
    done = edgeinfer_here(
        *("train", photographs, "--architecture", "efficientnet-lite0", "--channels", "grey"),
        *("--size", "64x48", "--epochs", 3, "--fine-tune-epochs", 1, "--fine-tune", "upper"),
        *("--out", run),
        env=env,
    )
    assert done.returncode == 0, done.stderr
    spec = read_trained(run).preprocess
    assert (spec.channels, spec.size) == ("grey", (64, 48))
    assert (spec.mean, spec.std) == ((127.0,), (128.0,))
    assert ARCHITECTURES["efficientnet-lite0"].normalization_for("grey") == (spec.mean, spec.std)
    # Two validation pictures a class tell nothing of accuracy: the gate stays open.
    done = edgeinfer_here("convert", run, "--out", bundle, "--max-drop", 100, env=env)
    assert done.returncode == 0, done.stderr
    done = edgeinfer_here("verify", bundle, "--json", env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["implementations"] == ["native", "numpy"]
    done = edgeinfer_here(
        *("run", "--camera", photographs, "--model", bundle, "--max-frames", 48, "--json"), env=env
    )
    assert done.returncode == 0, done.stderr
    *answers, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert last["summary"]["frames"] == len(answers) == 48
    assert last["summary"]["labelled_frames"] == 48
    # It learned: by chance half of them are right, give or take eight.
    assert last["summary"]["accuracy"] > 0.75

    import keras

    assert keras.models.load_model(run / KERAS_FILE).input.shape == (None, 48, 64, 1)
    with open_bundle(bundle) as opened:
        tensor = opened.manifest.variants["cpu"].input
    path = photographs / LABELS[0] / "0.png"
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    for native in (True, False):
        preprocessor = Preprocessor(spec, tensor, native=native)
        # As a camera sends it, and as the training read it.
        np.testing.assert_array_equal(
            preprocessor.tensor(np.asarray(grey, np.uint8), "grey"),
            preprocessor.tensor(read_image(path)),
        )
