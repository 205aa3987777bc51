from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeinfer.device.models.bundle.golden import read_golden
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.pictures.decode import encode_png
from tests.support.program import edgeinfer, edgeinfer_here, error_line


@pytest.fixture(scope="module")
def photo(sample_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photos") / "boot\n1.png"
    with open_bundle(sample_bundle) as bundle:
        path.write_bytes(encode_png(read_golden(bundle)[-1][0]))
    return path


def test_a_line_each_with_label_and_probability(sample_bundle: Path, photo: Path) -> None:
    answer = edgeinfer("predict", photo, photo, "--model", sample_bundle)
    assert answer.returncode == 0
    first, second = answer.stdout.splitlines()
    assert first == second
    assert "boot\\n1.png: Ankle boot" in first
    assert first.endswith("%")


def test_json_for_scripts(sample_bundle: Path, photo: Path) -> None:
    answer = edgeinfer("predict", photo, "--model", sample_bundle, "--json", "--top", "7")
    line = json.loads(answer.stdout)
    assert line["photo"] == str(photo)
    assert line["label"] == "Ankle boot"
    assert 0.5 < line["probability"] <= 1
    assert len(line["top"]) == 7


def test_the_installed_model_is_taken(sample_bundle: Path, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "edgeinfer").mkdir()
    (tmp_path / "edgeinfer" / "x.edgebundle").write_bytes(sample_bundle.read_bytes())
    answer = edgeinfer("predict", photo, env={"XDG_DATA_HOME": str(tmp_path)})
    assert "Ankle boot" in answer.stdout
    assert answer.stderr.startswith(
        f"model: {tmp_path}/edgeinfer/x.edgebundle (the installed bundle)\n"
    )


def test_a_bad_picture_is_named_and_the_others_answered(
    sample_bundle: Path, photo: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    answer = edgeinfer("predict", text, photo, "--model", sample_bundle)
    assert "text.jpg" in error_line(answer)
    assert "Ankle boot" in answer.stdout


def test_a_folder_stands_for_its_pictures(sample_bundle: Path, photo: Path, tmp_path: Path) -> None:
    for name in ("boots/1.png", "boots/@eaDir/1.png", ".Trash-1000/2.png", "more/deep/3.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(photo.read_bytes())
    (tmp_path / "photos" / "old").symlink_to(photo.parent, target_is_directory=True)
    (tmp_path / "empty").mkdir()
    answer = edgeinfer_here(
        "predict", tmp_path / "photos", tmp_path / "empty", photo, "--model", sample_bundle
    )
    names = [line.partition(": ")[0] for line in answer.stdout.splitlines()]
    assert names == [
        f"{tmp_path}/photos/boots/1.png",
        f"{tmp_path}/photos/more/deep/3.png",
        f"{tmp_path}/photos/old/boot\\n1.png",
        str(photo).replace("\n", "\\n"),
    ]
    assert f"error: {tmp_path}/empty: holds no images, expected ." in answer.stderr
    assert "@eaDir: is left over from a Synology system; left out" in answer.stderr
    assert answer.returncode == 1


@pytest.mark.parametrize("content", [b"", b"\x00" * 3000, b"TFL3" * 50, b"PK\x03\x04torn"])
def test_a_bad_model_is_one_line(photo: Path, tmp_path: Path, content: bytes) -> None:
    for name in ("bad.tflite", "bad.edgebundle"):
        (tmp_path / name).write_bytes(content)
        answer = edgeinfer_here("predict", photo, "--model", tmp_path / name)
        assert name in error_line(answer)
        assert answer.stdout == ""
