"""Each format that people bring is named for what it is, with what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.core.model_file import ModelKind, is_bundle, model_kind, recognize
from edgeinfer.device.diagnose.inspect.description import describe_file
from edgeinfer.device.models.model import Model
from tests.device.core.model_file import foreign_examples as foreign
from tests.device.core.model_file.foreign_examples import packed

CASES: dict[str, tuple[bytes, ModelKind, str]] = {
    "net.onnx": (foreign.ONNX, "onnx", "is an ONNX model, .*; make a bundle of it, .*: `edge"),
    "opset.onnx": (foreign.ONNX_OPSET_FIRST, "onnx", "is an ONNX model"),
    "onnx.tflite": (foreign.ONNX, "onnx", "is an ONNX model"),
    "net.pt2": (foreign.PT2, "pt2", r"exported \(.pt2\), .*; make a bundle of it, .*: `edgei"),
    "older.pt2": (foreign.PT2_BEFORE_2_8, "pt2", "is a program that PyTorch exported"),
    "net.pt": (
        foreign.TORCH,
        "torch",
        "without the network's code, .* `edgeinfer convert model.py",
    ),
    "net.pth": (foreign.TORCH_LEGACY, "torch", "weights, without .* `edgeinfer convert model.py:f"),
    "script.pt": (
        foreign.TORCHSCRIPT,
        "torchscript",
        "is a TorchScript model, .*model.py:function",
    ),
    "net.safetensors": (
        foreign.SAFETENSORS,
        "safetensors",
        "safetensors file of weights.*model.py:",
    ),
    "net.pkl": (
        foreign.PICKLE,
        "pickle",
        "is a Python pickle, .*; edgeinfer does not open pickles",
    ),
    "frozen.pb": (
        foreign.FROZEN_GRAPH,
        "frozen-graph",
        "is a frozen TensorFlow graph.*from_frozen_",
    ),
    "saved_model.pb": (foreign.SAVED_MODEL, "saved-model-file", "; give the folder that it is in"),
    "net.mlmodel": (
        foreign.CORE_ML,
        "coreml",
        "is a Core ML model, .*; give the model that it was",
    ),
    "model.json": (foreign.TFJS, "tfjs", "is a TensorFlow.js model, .*; give the model that it"),
    "graph.json": (foreign.TFJS_GRAPH, "tfjs", "is a TensorFlow.js model"),
    "lfs.tflite": (
        foreign.LFS_POINTER,
        "lfs-pointer",
        "Git LFS pointer, .*; fetch the file with `git",
    ),
    "lfs.edgebundle": (
        foreign.LFS_POINTER,
        "lfs-pointer",
        "is a Git LFS pointer, not the file itself",
    ),
    "page.tflite": (foreign.HTML, "html", r"is a web page \(HTML\), .*; download the file itself"),
    "photo.tflite": (
        foreign.JPEG,
        "picture",
        "is a picture, .*: `edgeinfer predict .*o.tflite`",
    ),
    "photo.bmp": (foreign.BMP, "picture", "is a picture"),
    "photo.webp": (foreign.WEBP, "picture", "is a picture"),
    "photo.heic": (foreign.HEIC, "picture", "is a picture"),
    "lite.zip": (
        packed("labels.txt", "model_unquant.tflite"),
        "zip",
        "is a ZIP that contains model_unquant.tflite, .*; unpack it and give model_unquant.tflite",
    ),
    "keras.zip": (
        packed("keras_model.h5", "labels.txt"),
        "zip",
        "unpack it and give keras_model.h5",
    ),
    "saved.zip": (
        packed("labels.txt", "model.savedmodel/saved_model.pb", "model.savedmodel/variables/x"),
        "zip",
        "contains model.savedmodel, .*; unpack it and give model.savedmodel$",
    ),
    "coreml.zip": (packed("N.mlpackage/Manifest.json"), "zip", "contains N.mlpackage, "),
    "web.zip": (
        packed("metadata.json", "model.json", "weights.bin"),
        "zip",
        "contains model.json, ",
    ),
    "both.zip": (
        packed("a.onnx", "x/b.tflite", "__MACOSX/b.tflite"),
        "zip",
        "contains x/b.tflite, ",
    ),
    "packed.edgebundle.zip": (packed("a.edgebundle"), "zip", "unpack it and give a.edgebundle"),
    "photos.zip": (packed("a.jpg"), "zip", "is a ZIP without a model, .*; choose a model"),
    "net.tar.gz": (b"\x1f\x8b\x08\0", "archive", "compressed archive, .*; unpack it and give the"),
    "net.tar": (foreign.tar(), "archive", "is a compressed archive"),
}


def name_of_photo(member: str) -> bool:
    """Return whether a member of a made folder has a photo's content."""
    return "photo" in member


@pytest.mark.parametrize("reader", [is_bundle, Model.open, describe_file])
@pytest.mark.parametrize("name", CASES)
def test_a_file_of_another_kind(
    tmp_path: Path, name: str, reader: Callable[[Path], object]
) -> None:
    content, kind, said = CASES[name]
    path = tmp_path / name
    path.write_bytes(content)
    assert model_kind(path) == kind
    with pytest.raises(ModelError, match=said):
        reader(path)


@pytest.mark.parametrize(
    ("members", "kind", "said"),
    [
        (["Data/com.apple.CoreML/model.mlmodel", "Manifest.json"], "coreml", "is a Core ML model"),
        (["coremldata.bin"], "coreml", "is a Core ML model"),
        (["model.json", "weights.bin"], "tfjs", "is a TensorFlow.js model"),
        (
            ["mine/trained.json"],
            "runs",
            r"is a folder of runs \(1, the newest: mine\), .*: `edgeinfer convert {folder}/mine`$",
        ),
        (
            ["m/saved_model.pb", "labels.txt"],
            "nested",
            "is a folder around m, .*; give {folder}/m$",
        ),
        (["a.edgebundle"], "nested", "is a folder around a.edgebundle, "),
        (
            ["a/trained.json", "b/trained.json"],
            "runs",
            r"is a folder of runs \(2, the newest: b, a\), .*: `edgeinfer convert {folder}/b`$",
        ),
        (["model.json/x", ".a.tflite", "no.jpg"], "folder", "is not a file"),
        (["photo.jpg", "notes.txt"], "photos", "is a folder of photos, .*; sort its photos into "),
        (["cat/photo1.jpg", "dog/photo.jpg"], "labelled", "sub-folders, .*: `edgeinfer train "),
        (["test/a/photo.png", "train/a/photo.png"], "labelled", ": `edgeinfer train {folder}`$"),
        (["notes/a.txt", "photo.webp", "album/photo.jpg"], "labelled", ": `edgeinfer train "),
        (["cat/.photo.jpg", "notes.txt"], "folder", "is not a file"),
        (["cat/photo.jpg", "old/trained.json"], "runs", ": `edgeinfer convert {folder}/old`$"),
    ],
)
def test_a_folder_of_another_kind(
    tmp_path: Path, members: list[str], kind: ModelKind, said: str
) -> None:
    for member in members:
        path = tmp_path / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(foreign.JPEG if name_of_photo(member) else foreign.TFJS)
        os.utime(path, (order := members.index(member), order))  # the later the newer
    assert model_kind(tmp_path) == kind
    with pytest.raises(ModelError, match=said.format(folder=tmp_path)):
        is_bundle(tmp_path)


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    head = foreign.number(1, 8) + b"\x3a" + foreign.varint(1 << 33)
    path.write_bytes(head)
    assert model_kind(path) == "onnx"
    with path.open("r+b") as stream:
        stream.truncate(len(head) + (1 << 33))  # without a byte on the disk
    assert model_kind(path) == "onnx"


def test_a_members_name_is_shown_in_part(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(packed("x" * 60_000 + ".tflite"))
    with pytest.raises(ModelError, match=r"contains x{100}\.\.\., .* give x{100}\.\.\.$"):
        is_bundle(path)


def test_a_folder_of_many_pictures_is_not_searched_to_its_end(tmp_path: Path) -> None:
    for index in range(1001):
        (tmp_path / f"{index}.tflite").touch()
    assert len(recognize(tmp_path).inside) == 1000


CONTENTS = [content for content, _, _ in CASES.values()]


@given(
    content=st.one_of(
        st.binary(max_size=200),
        # One of the formats, truncated or with one byte of another value, and something behind it.
        st.tuples(st.sampled_from(CONTENTS), st.integers(0, 400), st.binary(max_size=30)).map(
            lambda drawn: drawn[0][: drawn[1]] + drawn[2]
        ),
        st.tuples(st.sampled_from(CONTENTS), st.integers(0, 400), st.integers(0, 255)).map(
            lambda drawn: drawn[0][: drawn[1]] + bytes([drawn[2]]) + drawn[0][drawn[1] + 1 :]
        ),
    ),
    name=st.sampled_from(["a", "a.tflite", "a.edgebundle", "a.keras", "a.zip", "a.onnx"]),
)
def test_no_bytes_give_anything_but_a_kind_or_a_model_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    with suppress(ModelError):
        is_bundle(path)
    assert recognize(path).words
