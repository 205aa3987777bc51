"""The folder `signatures/` of a bundle: ignored by everything, and held to its limits."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import BundleError
from edgeinfer.device.models.bundle.reader import open_bundle, read_manifest
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.model import Model
from edgeinfer.device.models.verify import verify_bundle
from edgeinfer.device.pictures.decode import encode_png
from tests.support.program import edgeinfer

SIGNATURE = b"signed by someone, whoever that is"


def sign(bundle: Path, members: dict[str, bytes]) -> None:
    """Append members as Python's zipfile does."""
    with zipfile.ZipFile(bundle, "a") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)


@pytest.fixture
def signed(sample_bundle: Path, tmp_path: Path) -> Path:
    path = tmp_path / "signed.edgebundle"
    shutil.copyfile(sample_bundle, path)
    sign(path, {"signatures/someone.sig": SIGNATURE, "signatures/keys/someone.pem": bytes(65536)})
    return path


def test_every_command_takes_a_signed_bundle(signed: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    with Model.open(signed) as model:
        photo.write_bytes(encode_png(model.golden_frames()[0][0]))
    for command in (
        ["verify", signed],
        ["inspect", signed],
        ["predict", photo, "--model", signed],
        ["run", "--camera", tmp_path, "--model", signed],
        ["benchmark", signed, "--seconds", "0.01", "--cold-starts", "0", "--threads", "1"],
    ):
        answer = edgeinfer(*command)
        assert answer.returncode == 0, answer.stderr


def test_it_is_the_same_bundle(signed: Path, sample_bundle: Path) -> None:
    assert read_manifest(signed) == read_manifest(sample_bundle)
    assert verify_bundle(signed).frames == verify_bundle(sample_bundle).frames
    told = []
    for path in (signed, sample_bundle):
        answer = json.loads(edgeinfer("inspect", path, "--json").stdout)
        told.append({k: v for k, v in answer.items() if k not in ("file", "size_bytes")})
    assert told[0] == told[1]


def test_a_signature_is_never_read(signed: Path) -> None:
    content = signed.read_bytes()
    place = content.index(SIGNATURE)
    # Its checksum is wrong now, which a reader would notice.
    signed.write_bytes(content[:place] + b"x" * len(SIGNATURE) + content[place + len(SIGNATURE) :])
    with open_bundle(signed) as bundle:
        assert bundle.member("variants/cpu.tflite")
        with pytest.raises(KeyError):
            bundle.member("signatures/someone.sig")
    with Model.open(signed) as model:
        assert model.labels


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("signatures/", "forbidden name"),
        ("signatures/../evil", "forbidden name"),
        ("signatures//x", "forbidden name"),
        ("signatures/.hidden", "forbidden name"),
        ("signatures/é", "forbidden name"),
        ("signatures\\x", "forbidden name"),
        ("signatures/" + "x" * 200, "forbidden name"),
        ("Signatures/x", "is not in the manifest"),
        ("signatures.txt", "is not in the manifest"),
        ("report/signatures/x", "is not in the manifest"),
    ],
)
def test_names_are_held_to_the_rules_there_too(signed: Path, name: str, message: str) -> None:
    sign(signed, {name: b""})
    with pytest.raises(BundleError, match=message):
        open_bundle(signed)


def test_so_are_how_it_is_stored_and_how_often(signed: Path, tmp_path: Path) -> None:
    packed, twice = tmp_path / "packed.edgebundle", tmp_path / "twice.edgebundle"
    for path in (packed, twice):
        shutil.copyfile(signed, path)
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("signatures/packed", bytes(1000))
    with pytest.raises(BundleError, match="'signatures/packed' is compressed"):
        open_bundle(packed)
    with pytest.warns(UserWarning, match="Duplicate"):
        sign(twice, {"signatures/someone.sig": b"another"})
    with pytest.raises(BundleError, match=r"someone\.sig' occurs twice"):
        open_bundle(twice)


def test_a_bundle_that_is_written_again_has_no_signatures(
    signed: Path, sample_bundle: Path, tmp_path: Path
) -> None:
    written = []
    for path in (signed, sample_bundle):
        again = tmp_path / "again.edgebundle"
        with open_bundle(path) as bundle:
            members = {name: bundle.member(name) for name in bundle.manifest.members}
            write_bundle(again, bundle.manifest, members)
        written.append(again.read_bytes())
    assert written[0] == written[1]
