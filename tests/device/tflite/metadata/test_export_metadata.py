"""What an exporter wrote behind a model: read with bounds, and never believed blindly."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.tflite.metadata.export_metadata import (
    ExportMetadata,
    read_export_metadata,
)

MODEL = b"\x1c\0\0\0TFL3" + bytes(64)


def behind(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A model with a ZIP behind it."""
    stream = io.BytesIO()
    stream.write(MODEL)
    with zipfile.ZipFile(stream, "a", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def read(document: object) -> ExportMetadata | None:
    data = behind({"metadata.json": json.dumps(document).encode()})
    return read_export_metadata(data, subject="m.tflite")


def test_what_exporters_write() -> None:
    document = {
        "task": "pose",
        "names": {"0": "person", "1": "dog"},
        "imgsz": [640, 640],
        "stride": 32,
        "kpt_shape": [17, 3],
        "end2end": False,
        "args": {"nms": False},
        "license": "some licence",
    }
    assert read(document) == ExportMetadata(
        task="pose", names=("person", "dog"), end2end=False, keypoints=(17, 3), size=(640, 640)
    )
    assert read({"task": "detect", "names": ["a", "b"], "args": {"nms": True}}) == ExportMetadata(
        task="detect", names=("a", "b"), end2end=True
    )


def test_older_files_have_a_python_literal() -> None:
    text = str({"task": "detect", "names": {0: "cat", 1: "dog"}}).encode()
    found = read_export_metadata(behind({"temp_meta.txt": text}), subject="m.tflite")
    assert found == ExportMetadata(task="detect", names=("cat", "dog"))
    # The first YOLO v5 does not say its task.
    text = str({"stride": 32, "names": {0: "cat", 1: "dog"}}).encode()
    found = read_export_metadata(behind({"meta.txt": text}), subject="m.tflite")
    assert found == ExportMetadata(task="", names=("cat", "dog"))


@pytest.mark.parametrize(
    "data",
    [
        MODEL,
        behind({"labels.txt": b"cat"}),
        behind({"metadata.json": b"[]"}),
        behind({"meta.txt": b"what somebody wrote"}),
        behind({"meta.txt": b"{'author': 'somebody'}"}),
        behind({"metadata.json": b'{"other": 1}'}),
    ],
)
def test_other_models_have_none(data: bytes) -> None:
    assert read_export_metadata(data, subject="m.tflite") is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"names": {"1": "a"}}, "names a class '1'"),
        ({"names": {"0": "a", "00": "b"}}, "names a class '00'"),
        ({"names": {"-1": "a"}}, "names a class '-1'"),
        ({"names": {"9" * 400: "a"}}, "names a class '9999"),
        ({"names": {"0": ["a"]}}, "is not a short text"),
        ({"names": {"0": "a" * 1001}}, "is not a short text"),
        ({"names": "cat"}, "names are a str"),
        ({"names": [str(number) for number in range(100_001)]}, "100,001 classes"),
        ({"kpt_shape": [17, 4]}, "kpt_shape is"),
        ({"kpt_shape": [10**9, 3]}, "kpt_shape is"),
        ({"kpt_shape": 17}, "kpt_shape is"),
    ],
)
def test_what_is_impossible_is_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read({"task": "detect", **document})


@pytest.mark.parametrize(
    "data",
    [
        behind({"metadata.json": bytes(20 * 2**20)}),
        behind({"metadata.json": b"{" * 100_000}),
        behind({"temp_meta.txt": b"[" * 100_000}),
        behind({"temp_meta.txt": b'__import__("os")'}),
        behind({"metadata.json": b"\xff\xfe{}"}),
        behind({"metadata.json": b"{}"}, zipfile.ZIP_BZIP2),
        behind({str(number): b"" for number in range(1001)}),
    ],
    ids=["bomb", "nested", "nested literal", "code", "no text", "bzip2", "many files"],
)
def test_bombs_and_junk_are_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(ModelError) as caught:
        read_export_metadata(data, subject="m.tflite")
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_give_metadata_or_an_error(content: bytes, packed: bool) -> None:
    data = behind({"metadata.json": content}) if packed else MODEL + content
    with contextlib.suppress(ModelError):
        read_export_metadata(data, subject="m.tflite")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    )
)
def test_any_names_are_read_or_refused(names: object) -> None:
    with contextlib.suppress(ModelError):
        read({"task": "detect", "names": names, "kpt_shape": names})
