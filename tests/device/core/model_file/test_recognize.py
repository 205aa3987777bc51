"""Model files that the system does not give out: told in its words, and nothing waits for ever."""

from __future__ import annotations

import errno
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeinfer.device.cli import main
from edgeinfer.device.core.errors import BundleError, ModelError
from edgeinfer.device.core.model_file import is_bundle, model_kind, read_model_file, reading
from edgeinfer.device.diagnose.inspect.description import describe_file
from edgeinfer.device.models.bundle.reader import open_bundle, read_manifest
from edgeinfer.device.models.input_size import model_input_size
from edgeinfer.device.models.model import Model
from tests.device.tflite_examples import dense_model, encode

READERS: dict[str, Callable[[Path], object]] = {
    "Model.open": Model.open,
    "describe_file": describe_file,
    "is_bundle": is_bundle,
    "read_model_file": read_model_file,
}


def absent(path: Path) -> None:
    pass


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def broken_disk(path: Path) -> None:
    path.symlink_to("/proc/self/mem")  # its first page gives EIO


CASES: dict[str, tuple[Callable[[Path], None], str]] = {
    "absent": (absent, r"does not exist, expected a .edgebundle or .tflite file; check the path$"),
    "a folder": (Path.mkdir, "is not a file, expected a .edgebundle or .tflite file"),
    "a pipe": (pipe, "is not a file"),
    "a device": (endless, "is not a file"),
    "a broken disk": (broken_disk, r"cannot be read \(input/output error\)"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("case", CASES)
def test_what_the_system_refuses(tmp_path: Path, case: str, reader: str) -> None:
    make, message = CASES[case]
    path = tmp_path / "model.tflite"
    make(path)
    with pytest.raises(ModelError, match=message):
        READERS[reader](path)
    assert model_input_size(path) is None


@pytest.mark.parametrize("reader", READERS)
def test_a_name_that_no_file_has(reader: str) -> None:
    with pytest.raises(ModelError, match=r"x\.tflite: cannot be read \("):
        READERS[reader](Path("\0x.tflite"))


@pytest.mark.parametrize("reader", READERS)
def test_a_bundle_that_was_not_made_yet(reader: str) -> None:
    with pytest.raises(ModelError, match="check the path, or make it with `edgeinfer convert`"):
        READERS[reader](Path("absent.edgebundle"))


def test_the_largest_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(encode(dense_model()))
    assert not is_bundle(path)
    assert read_model_file(path) == encode(dense_model())
    monkeypatch.setattr(reading, "MAX_MODEL_BYTES", len(encode(dense_model())) - 1)
    with pytest.raises(ModelError, match="bytes, expected a model of at most 2 GiB"):
        read_model_file(path)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.EIO, "Input/output error"), "a file: cannot be read or written (input/out"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "x.bin"),
            "x.bin: cannot be read or written (no such file or directory)",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "output: cannot be written (no space"),
    ],
)
def test_an_error_of_the_system_that_nobody_expected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: OSError, told: str
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(main.cli, "main", fail)
    assert main.run_program(["inspect"]) == 1
    assert capsys.readouterr().err.startswith(f"error: {told}")


HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(90)
TFLITE = b"\x1c\0\0\0TFL3" + bytes(90)


def packed(*members: str) -> bytes:
    """Return a ZIP, as bundles and Keras models are."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in members:
            archive.writestr(zipfile.ZipInfo(name), b"{}")  # no time: equal bytes
    return stream.getvalue()


KERAS = packed("metadata.json", "config.json", "model.weights.h5")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.edgebundle", packed("manifest.json"), "bundle"),
        ("a.edgebundle", packed("manifest.json")[:40], "bundle"),
        ("a.edgebundle", b"", "bundle"),
        ("a.tflite", packed("manifest.json"), "bundle"),
        ("a.tflite", TFLITE, "tflite"),
        ("a.tflite", b"", "tflite"),
        ("a.edgebundle", TFLITE, "tflite"),
        ("model", TFLITE, "tflite"),
        ("a.keras", KERAS, "keras"),
        ("a.keras", packed("assets/x", "config.json"), "keras"),
        ("a.keras", b"torn", "keras"),
        ("a.tflite", KERAS, "keras"),
        ("a.H5", HDF5, "hdf5"),
        ("a.hdf5", b"", "hdf5"),
        ("a.tflite", HDF5, "hdf5"),
        ("a.keras", HDF5, "hdf5"),
        ("a", b"", "unknown"),
        ("a.txt", b"words", "unknown"),
    ],
)
def test_the_kind_of_a_file(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert model_kind(tmp_path / name) == kind


@pytest.mark.parametrize(
    ("member", "kind"),
    [("saved_model.pb", "saved-model"), ("trained.json", "run"), ("photo.jpg", "folder")],
)
def test_the_kind_of_a_folder(tmp_path: Path, member: str, kind: str) -> None:
    (tmp_path / member).touch()
    assert model_kind(tmp_path) == kind


@pytest.mark.parametrize("reader", ["Model.open", "describe_file"])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.keras", KERAS, "is a Keras model, expected a .edgebundle or .tflite file; make a"),
        ("a.tflite", HDF5, "is an HDF5 file, expected a .edgebundle or .tflite file; make a"),
        ("trained.json", b"{}", "is a folder that `edgeinfer train` made, expected a .edge"),
        ("saved_model.pb", b"", "is a SavedModel, expected a .edgebundle or .tflite file"),
    ],
)
def test_a_model_that_must_be_converted_first(
    tmp_path: Path, reader: str, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelError, match=said):
        READERS[reader](tmp_path if path.suffix in (".json", ".pb") else path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (TFLITE, "is a .tflite model, expected a bundle; choose the .edgebundle"),
        (KERAS, "is a Keras model, expected a "),
        (HDF5, "is an HDF5 file, expected a "),
        (packed("manifest.json")[:-30], "is truncated or not a bundle"),
    ],
)
@pytest.mark.parametrize("reader", [Model.open, describe_file, open_bundle, read_manifest])
def test_what_is_named_as_a_bundle_and_is_none(
    tmp_path: Path, content: bytes, said: str, reader: Callable[[Path], object]
) -> None:
    path = tmp_path / "a.edgebundle"
    path.write_bytes(content)
    with pytest.raises((BundleError, ModelError), match=said):
        reader(path)
