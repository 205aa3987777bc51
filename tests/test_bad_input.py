"""Every bad input that a user may give: one clear line, the right exit code, nothing half-written.

The parts test their own refusals in detail; here the program is run as a user runs it: each command
once with each kind of input in a separate process, else here.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.pictures.decode import encode_png
from tests.support.checkout import ROOT
from tests.support.program import PROGRAM, edgeinfer, edgeinfer_here, error_line


def write_pictures(folder: Path, count: int, seed: int = 0) -> None:
    generator = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for index in range(count):
        picture = generator.integers(0, 256, (12, 12, 3)).astype(np.uint8)
        (folder / f"{index}.png").write_bytes(encode_png(picture))


def one_class(root: Path) -> None:
    write_pictures(root / "cat", 10)


def empty(root: Path) -> None:
    root.mkdir()


def no_images(root: Path) -> None:
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        (root / name / "notes.txt").write_text("no picture")


def all_truncated(root: Path) -> None:
    for seed, name in enumerate(("cat", "dog")):
        write_pictures(root / name, 6, seed)
        for path in (root / name).iterdir():
            path.write_bytes(path.read_bytes()[:-20])


def one_picture(root: Path) -> None:
    write_pictures(root / "cat", 10)
    write_pictures(root / "rare owl", 1, seed=1)


def control_characters(root: Path) -> None:
    write_pictures(root / "cat", 10)
    write_pictures(root / "dog\x1b[2J", 10, seed=1)


def absent(root: Path) -> None:
    pass


DATA: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "one class": (one_class, ["cat"]),
    "empty folder": (empty, ["holds no images"]),
    "no images": (no_images, ["cat"]),
    "all truncated": (all_truncated, ["cat"]),
    "class with one picture": (one_picture, ["rare owl", "1 "]),
    "label with control characters": (control_characters, ["dog\\x1b[2J"]),
    "absent folder": (absent, ["photos"]),
}


@pytest.mark.parametrize("command", ["check", "train"])
@pytest.mark.parametrize("case", DATA)
def test_data_that_cannot_be_used(tmp_path: Path, command: str, case: str) -> None:
    run = edgeinfer if case == "one class" else edgeinfer_here
    make, fragments = DATA[case]
    photos, runs = tmp_path / "photos", tmp_path / "runs"
    make(photos)
    if command == "check":
        answer = run("data", "check", photos)
    else:
        answer = run("train", photos, "--out", runs / "photos")
    line = error_line(answer)
    for fragment in fragments:
        assert fragment in line
    assert not runs.exists() or list(runs.iterdir()) == []


def test_bad_files_are_named_and_odd_labels_work(tmp_path: Path) -> None:
    labels = ('dog\'s \N{DOG FACE} & "co"', "é, ;$(x)")
    for seed, label in enumerate(labels):
        write_pictures(tmp_path / label, 8, seed)
    folder = tmp_path / labels[0]
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("no picture")
    (folder / "truncated.png").write_bytes((folder / "0.png").read_bytes()[:-20])
    shutil.copy(folder / "1.png", folder / "again.png")
    answer = edgeinfer("data", "check", tmp_path, "--json")
    assert answer.returncode == 0, answer.stderr
    report = json.loads(answer.stdout)
    named = {Path(finding["path"]).name: finding["kind"] for finding in report["findings"]}
    assert named == {
        "empty.jpg": "empty",
        "text.jpg": "not-an-image",
        "truncated.png": "corrupt",
        "again.png": "duplicate",
    }
    assert sorted(report["labels"]) == sorted(labels)


def truncated(content: bytes) -> bytes:
    return content[: len(content) // 2]


def wrong_hash(content: bytes) -> bytes:
    place = content.index(b"TFL3") + 5000
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def rewritten(content: bytes, path: Path, edit: Callable[[dict[str, bytes]], None]) -> bytes:
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    edit(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return path.read_bytes()


def manifest_with(members: dict[str, bytes], **changes: object) -> None:
    manifest = {**json.loads(members["manifest.json"]), **changes}
    members["manifest.json"] = json.dumps(manifest).encode()


def ten_gigabytes(content: bytes) -> bytes:
    """Let the directory announce 10 GB for the first member, through ZIP64."""
    header = content.index(b"PK\x01\x02")
    name_length = struct.unpack_from("<H", content, header + 28)[0]
    extra = struct.pack("<HHQQ", 1, 16, 10 << 30, 10 << 30)
    edited = bytearray(content)
    struct.pack_into("<II", edited, header + 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", edited, header + 30, len(extra))
    edited[header + 46 + name_length : header + 46 + name_length] = extra
    end = edited.rindex(b"PK\x05\x06")
    struct.pack_into(
        "<I", edited, end + 12, struct.unpack_from("<I", edited, end + 12)[0] + len(extra)
    )
    return bytes(edited)


BUNDLES: dict[str, tuple[Callable[[bytes, Path], bytes], str]] = {
    "truncated": (lambda content, path: truncated(content), "is truncated or not a bundle"),
    "wrong hash": (lambda content, path: wrong_hash(content), "damaged|has sha256"),
    "leaves the archive": (
        lambda content, path: rewritten(content, path, lambda m: m.update({"../evil": b""})),
        "forbidden name",
    ),
    "10 GB": (lambda content, path: ten_gigabytes(content), "has 10,737,418,240 bytes"),
    "unknown key": (
        lambda content, path: rewritten(content, path, lambda m: manifest_with(m, colour=1)),
        "unknown key 'colour'",
    ),
    "newer schema": (
        lambda content, path: rewritten(
            content, path, lambda m: manifest_with(m, schema_version=9)
        ),
        "schema version 9, expected 4 or older",
    ),
    "random bytes": (lambda content, path: bytes(range(256)) * 40, "is truncated or not a bundle"),
}


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    path.write_bytes(encode_png(np.zeros((20, 20, 3), np.uint8)))
    return path


def model_commands(model: Path, photo: Path) -> list[list[object]]:
    return [
        ["predict", photo, "--model", model],
        ["inspect", model],
        ["run", "--camera", photo.parent, "--model", model],
    ]


@pytest.mark.parametrize("case", BUNDLES)
def test_bundles_that_are_refused(
    sample_bundle: Path, photo: Path, tmp_path: Path, case: str
) -> None:
    run = edgeinfer if case == "truncated" else edgeinfer_here
    edit, message = BUNDLES[case]
    bundle = tmp_path / "bad.edgebundle"
    bundle.write_bytes(edit(sample_bundle.read_bytes(), tmp_path / "scratch.zip"))
    for command in [["verify", bundle], *model_commands(bundle, photo)]:
        answer = run(*command)
        line = error_line(answer)
        assert "bad.edgebundle" in line
        assert any(part in line for part in message.split("|")), line
        assert answer.stdout == ""


@pytest.mark.parametrize("size", [0, 10, 4000])
def test_random_bytes_for_a_tflite_file(photo: Path, tmp_path: Path, size: int) -> None:
    run = edgeinfer if size == 4000 else edgeinfer_here
    model = tmp_path / "random.tflite"
    model.write_bytes(np.random.default_rng(size).bytes(size))
    for command in model_commands(model, photo):
        assert "random.tflite" in error_line(run(*command))


def test_a_truncated_picture_for_predict(sample_bundle: Path, photo: Path, tmp_path: Path) -> None:
    truncated = tmp_path / "truncated.png"
    truncated.write_bytes(photo.read_bytes()[:-10])
    line = error_line(edgeinfer("predict", truncated, "--model", sample_bundle))
    assert "truncated.png" in line


@pytest.mark.parametrize("source", ["/dev/video63", "63", "absent.mp4"])
def test_a_camera_that_is_absent(sample_bundle: Path, source: str) -> None:
    run = edgeinfer if source == "63" else edgeinfer_here
    line = error_line(run("run", "--camera", source, "--model", sample_bundle))
    assert source in line


@pytest.mark.slow
def test_no_room_on_the_disk(sample_bundle: Path, tmp_path: Path) -> None:
    """Train into a disk of 1 MB: one line, and the disk as empty as before."""
    pytest.importorskip("tensorflow", reason="training needs the host extra")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=1m none '{disk}' && exec \"$@\""
    enter = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, "sh"]
    if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let a test mount its own small disk")
    script = f"{' '.join(PROGRAM)} train fashion-mnist --out '{disk}/run'; echo $?; ls -A '{disk}'"
    answer = subprocess.run(
        [*enter, "sh", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert answer.stdout.split() == ["1"]
    lines = [line for line in answer.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert "space" in lines[0]
    assert "Traceback" not in answer.stderr
