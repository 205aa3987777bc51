"""ZIPs of one model and its labels: each kind that Teachable Machine makes, and hostile ones."""

from __future__ import annotations

import stat
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.converters.convert import model_zip
from edgeinfer.converters.convert.model_zip import (
    MOST_MEMBERS,
    TEACHABLE_MACHINE,
    is_model_zip,
    opened_model,
    unpack_model_zip,
    with_form,
)
from edgeinfer.device.core.errors import ModelError
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.tasks.labels import read_label_file

NUMBERED = b"0 Class 1\r\n1 my dog\r\n"


def make(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("members", "model", "form"),
    [
        ({"keras_model.h5": b"m"}, "keras_model.h5", TEACHABLE_MACHINE),
        ({"model_unquant.tflite": b"m"}, "model_unquant.tflite", TEACHABLE_MACHINE),
        ({"model.tflite": b"m"}, "model.tflite", None),
        ({"model_edgetpu.tflite": b"m"}, "model_edgetpu.tflite", None),
        (
            {"model.savedmodel/saved_model.pb": b"m", "model.savedmodel/variables/v.index": b"v"},
            "model.savedmodel",
            TEACHABLE_MACHINE,
        ),
    ],
)
def test_each_export_of_teachable_machine(
    members: dict[str, bytes], model: str, form: object, tmp_path: Path
) -> None:
    path = make(tmp_path / "converted.zip", {**members, "labels.txt": NUMBERED})
    assert is_model_zip(path)
    (tmp_path / "out").mkdir()
    found = unpack_model_zip(path, tmp_path / "out")
    assert found.model == tmp_path / "out" / model
    assert found.form == form
    assert found.labels is not None
    assert read_label_file(found.labels) == ("Class 1", "my dog")
    for name, content in members.items():
        assert (tmp_path / "out" / name).read_bytes() == content


def test_what_systems_add_is_left_and_a_folder_around_is_fine(tmp_path: Path) -> None:
    members = {
        "__MACOSX/mine/._net.keras": b"x",
        "mine/.DS_Store": b"x",
        "mine/net.keras": b"m",
        "mine/class_labels.txt": b"cat\ndog\n",
        "mine/readme.txt": b"x",
    }
    found = unpack_model_zip(make(tmp_path / "a.zip", members), tmp_path)
    assert found.model == tmp_path / "mine" / "net.keras"
    assert found.labels == tmp_path / "mine" / "class_labels.txt"
    assert found.form is None
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"a.zip", "mine/net.keras", "mine/class_labels.txt"}


def test_a_saved_model_at_the_top(tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", {"saved_model.pb": b"m", "variables/v.index": b"v"})
    with opened_model(path) as found:
        assert (found.model / "saved_model.pb").read_bytes() == b"m"
        assert (found.model / "variables" / "v.index").read_bytes() == b"v"
        assert found.labels is None
    assert not found.model.exists()


@pytest.mark.parametrize("labels", [b"cat\ndog\n", b"0 cat\ndog\n", b"0cat\n", b"", b"0 \n"])
def test_labels_that_are_not_numbered_do_not_speak_for_teachable_machine(
    labels: bytes, tmp_path: Path
) -> None:
    path = make(tmp_path / "a.zip", {"keras_model.h5": b"m", "labels.txt": labels})
    assert unpack_model_zip(path, tmp_path).form is None


def test_the_user_is_obeyed_before_the_form() -> None:
    taken = with_form(OpenOptions(), TEACHABLE_MACHINE)
    assert (taken.input_range, taken.crop) == ("-1..1", "center-crop")
    told = OpenOptions(mean=(0.0,), std=(1.0,), crop="letterbox")
    assert with_form(told, TEACHABLE_MACHINE) == told
    assert with_form(OpenOptions(), None) == OpenOptions()


def test_other_files_are_given_as_they_are(tmp_path: Path, sample_bundle: Path) -> None:
    keras = make(tmp_path / "a.keras", {"config.json": b"{}"})
    bundle = tmp_path / "renamed.zip"
    bundle.write_bytes(sample_bundle.read_bytes())
    for path in (keras, bundle, sample_bundle, tmp_path, tmp_path / "none"):
        with opened_model(path) as found:
            assert found.model == path


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"../a.h5": b"m"}, r"member '\.\./a\.h5', which leads out of its folder"),
        ({"x/../../a.h5": b"m"}, "leads out of its folder"),
        ({"/a.h5": b"m"}, "leads out of its folder"),
        ({"..\\a.h5": b"m"}, "leads out of its folder"),
        ({"C:\\a.h5": b"m"}, "leads out of its folder"),
        ({"a.h5": b"m", "b.tflite": b"m"}, r"has 2 models: a\.h5, b\.tflite, .*; unpack it and"),
        ({"cat.jpg": b"m"}, r"has no model that edgeinfer reads: cat\.jpg"),
        ({}, "has no model that edgeinfer reads: nothing"),
        ({"model.json": b"m", "weights.bin": b""}, r"TensorFlow\.js .*; export it as Keras"),
        ({f"{n}.jpg": b"" for n in range(MOST_MEMBERS + 1)}, "has 2,001 members"),
        ({"m/saved_model.pb": b"", "m/v": b"", "m/v/x": b""}, "a file and a folder of the same"),
    ],
)
def test_zips_that_are_refused(members: dict[str, bytes], said: str, tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", members)
    (tmp_path / "deep" / "out").mkdir(parents=True)
    with pytest.raises(ModelError, match=said) as caught:
        unpack_model_zip(path, tmp_path / "deep" / "out")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("**/a.h5"))


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.h5")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ModelError, match="leads out of its folder"):
        unpack_model_zip(tmp_path / "a.zip", tmp_path)


def test_a_bomb_stops_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_zip, "MAX_MODEL_BYTES", 2**22)
    path = make(tmp_path / "a.zip", {"a.h5": bytes(2**25), "labels.txt": b"a\nb\n"})
    assert path.stat().st_size < 2**17
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match="GiB in it"):
        unpack_model_zip(path, tmp_path / "out")
    assert (tmp_path / "out" / "a.h5").stat().st_size <= 2**22


@pytest.mark.parametrize("change", ["cut", "encrypted", "compression", "checksum"])
def test_damaged_zips_are_one_line(change: str, tmp_path: Path) -> None:
    path = make(tmp_path / "a.zip", {"a.h5": b"model" * 100})
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\1\2")
    if change == "cut":
        content = content[:directory]
    elif change == "encrypted":
        content[directory + 8] |= 1
        content[6] |= 1
    elif change == "compression":
        content[directory + 10] = content[8] = 14
    else:
        content[directory + 16] ^= 1
        content[14] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match="cannot be unpacked") as caught, opened_model(path):
        pass
    assert "\n" not in str(caught.value)


_names = st.text("ab./\\:", min_size=1, max_size=8).map(lambda name: f"{name}.h5")


@given(st.dictionaries(_names | st.just("labels.txt"), st.binary(max_size=9), max_size=3))
def test_nothing_is_ever_written_outside(members: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = make(folder / "a.zip", members)
        inside = folder / "deep" / "inside"
        inside.mkdir(parents=True)
        try:
            found = unpack_model_zip(path, inside)
        except ModelError:
            pass
        else:
            assert inside.resolve() in found.model.resolve().parents
        written = [one for one in folder.rglob("*") if one.is_file() and one != path]
        assert all(inside in one.parents for one in written)
