"""Other people's float models that the system cannot read."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import read_trained
from edgeinfer.converters.tensorflow.import_model import float_tflite, import_model, source_kind
from edgeinfer.converters.tensorflow.to_tflite import convert_keras
from edgeinfer.converters.tensorflow.worker.job import Here
from edgeinfer.device.core.errors import ConversionError, ModelError, UsageError
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tflite.reader import read_tflite
from tests.converters.tensorflow.keras2_models import pixels, save, tf_keras, tflite_answers
from tests.device.core.model_file import foreign_examples as foreign


def test_a_disk_that_cannot_be_read_is_reported_as_such(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.symlink_to("/proc/self/mem")  # its first page gives EIO
    with pytest.raises(ModelError, match=r"cannot be read \(input/output error\)"):
        float_tflite(path, tensorflow=Here())


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    os.mkfifo(path)
    with pytest.raises(ModelError, match="is not a file"):
        float_tflite(path, tensorflow=Here())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.edgebundle",
            b"PK\3\4",
            "is a bundle, expected a folder that .*; name what the bundle was made of",
        ),
        (
            "words.txt",
            b"words",
            "is not a model that edgeinfer knows, expected a folder that `edge",
        ),
        (
            "a.zip",
            foreign.packed("labels.txt", "keras_model.h5"),
            "is a ZIP that contains keras_model.h5, .*; unpack it and give keras_model.h5",
        ),
        ("a.pth", foreign.TORCH_LEGACY, "is a PyTorch file of weights, without .* model.py:funct"),
        (
            "a.pb",
            foreign.FROZEN_GRAPH,
            "is a frozen TensorFlow graph, expected a folder .*; make",
        ),
        (
            "a.h5",
            foreign.LFS_POINTER,
            "is a Git LFS pointer, .*; fetch the file with `git lfs",
        ),
        ("a.jpg", foreign.JPEG, "is a picture, expected a folder that `edgeinfer train` made"),
        ("a.keras", b"\x89HDF\r\n\x1a\n", r"is an HDF5 file, expected the name to end in \.h5 or"),
        (
            "a.h5",
            b"PK\3\4" + bytes(26) + b"metadata.json",
            "is a Keras model, expected the name to",
        ),
    ],
)
def test_files_that_cannot_be_a_source(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=said):
        source_kind(tmp_path / name)


def test_the_folder_around_a_run(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "trained.json").touch()
    said = rf"is a folder of runs \(1, .*: `edgeinfer convert {tmp_path}/cats`$"
    with pytest.raises(ModelError, match=said):
        source_kind(tmp_path)
    with pytest.raises(ModelError, match=said):
        read_trained(tmp_path)


def keras3() -> Any:
    pytest.importorskip("tensorflow", reason="conversion needs the [host] extra")
    return pytest.importorskip("keras")


def network(*first: Any, keras: Any = None) -> Any:
    """A small network behind layers that are tested."""
    keras = keras or keras3()
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((8, 10, 3)),
            *first,
            *(layers.Conv2D(4, 3, activation="relu"), layers.Flatten(), layers.Dense(5)),
        ]
    )


def heads(*names: str) -> Any:
    """A network of pixels from 0 to 255 with outputs of 1, 2, ... numbers."""
    keras = keras3()
    image = keras.Input((8, 10, 3))
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image))
    sized = enumerate(names, 1)
    return keras.Model(image, [keras.layers.Dense(n, name=name)(flat) for n, name in sized])


def images(count: int) -> list[Any]:
    return [picture[None].astype(np.float32) for picture in pixels((8, 10, 3), count)]


@pytest.mark.slow
def test_augmentation_is_left_out_and_rescaling_stays(tmp_path: Path) -> None:
    layers = keras3().layers
    # The last one draws a seed, which changes a variable, even where it does nothing else.
    drawn = (layers.RandomFlip(), layers.RandomRotation(0.5), layers.RandomGrayscale())
    model = network(*drawn, layers.Rescaling(1 / 255))
    model.save(tmp_path / "model.keras")
    content = float_tflite(tmp_path / "model.keras", tensorflow=Here())
    graph = read_tflite(content, subject="x")
    names = {name for name, _ in graph.op_counts}
    # MUL is what the input's range is known by.
    assert names == {"MUL", "CONV_2D", "RESHAPE", "FULLY_CONNECTED"}
    for one, (found,) in zip(images(3), tflite_answers(content, *images(3)), strict=True):
        np.testing.assert_allclose(found, model(one, training=False), atol=1e-4)


@pytest.mark.slow
def test_augmentation_that_was_exported_switched_on_is_named(tmp_path: Path) -> None:
    layers = keras3().layers
    # As Keras 3 exports by itself.
    network(layers.RandomFlip(), layers.RandomRotation(0.5)).export(tmp_path / "on", verbose=False)
    with pytest.raises(ConversionError, match=r"draws random numbers for each picture \(Stateless"):
        float_tflite(tmp_path / "on", tensorflow=Here())


@pytest.mark.slow
def test_a_saved_model_keeps_its_rescaling(tmp_path: Path) -> None:
    model = network(keras3().layers.Rescaling(1 / 127.5))
    model.export(tmp_path / "saved", verbose=False)
    content = float_tflite(tmp_path / "saved", tensorflow=Here())
    assert ("MUL", 1) in read_tflite(content, subject="x").op_counts
    for one, (found,) in zip(images(2), tflite_answers(content, *images(2)), strict=True):
        np.testing.assert_allclose(found, model(one, training=False), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "float16"])
def test_several_outputs_keep_order_and_names_whatever_makes_them_small(
    precision: Any, tmp_path: Path
) -> None:
    names = ("zoom", "angle", "middle")
    model = heads(*names)
    model.save(tmp_path / "model.keras")
    imported = import_model(tmp_path / "model.keras", tmp_path, tensorflow=Here())
    assert imported.saved_model is not None
    samples = []
    for number, picture in enumerate(pixels((8, 10, 3), 4)):
        (tmp_path / f"{number}.png").write_bytes(encode_png(picture))
        samples.append(Sample(source=str(tmp_path / f"{number}.png")))
    spec = PreprocessSpec(size=(10, 8), mean=(0.0,) * 3, std=(1.0,) * 3)
    made = convert_keras(
        *(imported.saved_model, spec, samples),
        tensorflow=Here(),
        precision=precision,
        outputs=imported.outputs,
    )
    inputs = images(4)
    for content, off in ((imported.float32, 1e-4), (made.float32, 1e-4), (made.small, 0.03)):
        graph = read_tflite(content, subject="x")
        assert [(one.name, one.shape[1]) for one in graph.outputs] == [
            *zip(names, (1, 2, 3), strict=True)
        ]
        for one, found in zip(inputs, tflite_answers(content, *inputs), strict=True):
            for head, truth in zip(found, model(one, training=False), strict=True):
                np.testing.assert_allclose(head, truth, atol=off)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["2.h5", "3.h5", "3.keras"])
def test_code_in_a_file_runs_only_if_its_layer_is_named(kind: str, tmp_path: Path) -> None:
    keras = tf_keras() if kind[0] == "2" else keras3()
    mark = tmp_path / "mark"
    path = tmp_path / f"model.{kind[2:]}"

    def told(place: str) -> Any:
        return lambda image: image / (__import__("pathlib").Path(place).write_text("ran") * 85)

    model = network(keras.layers.Lambda(told(str(mark)), name="mine"), keras=keras)
    save(model, path)
    mark.unlink()
    with pytest.raises(
        ConversionError, match=r"author in the layer mine, .*: --trust-lambda mine$"
    ):
        float_tflite(path, tensorflow=Here())
    with pytest.raises(
        UsageError, match=r"'other' is not a layer of .* that runs code, expected mine"
    ):
        import_model(path, tmp_path, tensorflow=Here(), trust_lambda=("mine", "other"))
    assert not mark.exists()
    found = import_model(path, tmp_path, tensorflow=Here(), trust_lambda=("mine",))
    assert mark.exists()
    for one, (answer,) in zip(images(2), tflite_answers(found.float32, *images(2)), strict=True):
        np.testing.assert_allclose(answer, model(one, training=False), atol=1e-4)


def test_no_other_kind_of_file_has_code_to_trust(tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3")
    with pytest.raises(
        UsageError, match=r"given for a\.tflite, which is a \.tflite model, expected"
    ):
        import_model(path, tmp_path, tensorflow=Here(), trust_lambda=("mine",))


@pytest.mark.slow
def test_what_keras_says_is_shown_whole_with_its_cause_first(tmp_path: Path) -> None:
    network().save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as source:
        members = {name: source.read(name) for name in source.namelist()}
    members["config.json"] = members["config.json"].replace(b'"units": 5', b'"units": "five"')
    path = tmp_path / "changed.keras"
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
    with pytest.raises(ConversionError) as caught:
        float_tflite(path, tensorflow=Here())
    said = str(caught.value)
    assert "(ValueError: Received an invalid value for `units`, expected" in said
    assert "Traceback" not in said
    assert "\n" not in said
