"""Bundles of models with several outputs: golden vectors, and the commands that read them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeinfer.device.core.errors import BundleError, VerificationError
from edgeinfer.device.models.bundle.manifest import parse_manifest
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.models.model import Model
from edgeinfer.device.models.verify import verify_bundle
from edgeinfer.device.tasks.detection.prediction import Detections
from edgeinfer.device.tasks.spec import Decoder, DetectionSpec
from tests.converters.detector_bundle import PREPROCESS, write_detector, write_photo
from tests.support.program import edgeinfer, edgeinfer_here


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photo(tmp_path_factory.mktemp("photo") / "photo.png")


@pytest.fixture(scope="module")
def bundle(photo: Path) -> Path:
    return write_detector(photo.with_name("detector.edgebundle"), photo)


def test_its_manifest_reads_back_and_names_every_output(bundle: Path) -> None:
    with open_bundle(bundle) as opened:
        manifest = opened.manifest
    assert parse_manifest(manifest.to_bytes(), subject="x") == manifest
    variant = manifest.variants["cpu"]
    assert [spec.shape for spec in variant.outputs] == [(1, 4, 4), (1, 4), (1, 4), (1,)]
    assert variant.tolerances[3] == pytest.approx(0.02), "a hundredth of two objects"


def test_it_answers_in_the_frames_pixels(bundle: Path) -> None:
    wide = np.zeros((100, 200, 3), np.uint8)
    wide[:, :, 1] = 255
    with Model.open(bundle) as model:
        answer = model.predict(wide)
    assert isinstance(answer, Detections)
    # Letterboxed into 2x2 the frame fills one row, at the top.
    assert answer.names == ["cat", "cat"]
    assert sorted(answer.boxes.tolist()) == [[0, 0, 100, 100], [100, 0, 200, 100]]


def test_places_are_the_photos_where_a_jpeg_was_decoded_smaller(
    bundle: Path, tmp_path: Path
) -> None:
    with open_bundle(bundle) as opened:
        manifest = opened.manifest
        members = {name: opened.member(name) for name in manifest.members}
    smaller = replace(manifest, preprocess=replace(PREPROCESS, jpeg_reduction=8))
    write_bundle(tmp_path / "smaller.edgebundle", smaller, members)
    green = np.full((160, 160, 3), (0, 255, 0), np.uint8)
    cv2.imwrite(str(tmp_path / "green.jpg"), green)
    done = edgeinfer(
        "predict", tmp_path / "green.jpg", "--model", tmp_path / "smaller.edgebundle", "--json"
    )
    answer = json.loads(done.stdout)
    assert answer["size"] == [160, 160]
    assert [80, 80, 160, 160] in [found["box"] for found in answer["detections"]]


def test_every_command_takes_it(bundle: Path, photo: Path) -> None:
    verified = edgeinfer_here("verify", bundle)
    assert verified.returncode == 0, verified.stderr
    predicted = edgeinfer_here("predict", photo, "--model", bundle)
    assert predicted.stdout == f"{photo}: cat 100.0%, dog 80.0%\n"
    assert "note:" not in predicted.stderr, "a bundle needs no guess"
    inspected = edgeinfer_here("inspect", bundle, "--all")
    assert "task" in inspected.stdout
    assert "boxes 0, classes 1, scores 2, count 3" in inspected.stdout
    measured = edgeinfer(
        "benchmark", bundle, "--seconds", "0.05", "--cold-starts", "1", "--ops", "--json"
    )
    assert measured.returncode == 0, measured.stderr
    stages = [stage["stage"] for stage in json.loads(measured.stdout)["stages"]]
    assert "postprocess" in stages
    looped = edgeinfer("run", "--camera", photo.parent, "--model", bundle, "--json")
    first, summary = looped.stdout.splitlines()
    assert [found["label"] for found in json.loads(first)["detections"]] == ["cat", "dog"]
    assert json.loads(summary)["summary"]["frames"] == 1


def test_a_difference_in_any_output_is_noticed(bundle: Path, tmp_path: Path) -> None:
    with open_bundle(bundle) as opened:
        manifest = opened.manifest
        members = {name: opened.member(name) for name in manifest.members}
    for name in manifest.variants["cpu"].golden_outputs.values():
        numbers = np.frombuffer(members[name], "<f4").copy()
        numbers[20] += 0.5  # the first score: 16 numbers of boxes and 4 of classes before it
        members[name] = numbers.tobytes()
    write_bundle(tmp_path / "other.edgebundle", manifest, members)
    with pytest.raises(VerificationError, match=r"output 'scores' differs by 0\.5"):
        verify_bundle(tmp_path / "other.edgebundle")


def test_a_golden_file_of_another_size_is_refused(bundle: Path, tmp_path: Path) -> None:
    with open_bundle(bundle) as opened:
        manifest = opened.manifest
        members = {name: opened.member(name) for name in manifest.members}
    for name in manifest.variants["cpu"].golden_outputs.values():
        members[name] = members[name][:-4]
    write_bundle(tmp_path / "short.edgebundle", manifest, members)
    with pytest.raises(BundleError, match="has 96 bytes, expected 100 for 1 frames"):
        verify_bundle(tmp_path / "short.edgebundle")


def test_contradictions_are_refused(bundle: Path) -> None:
    with open_bundle(bundle) as opened:
        manifest = opened.manifest
    variant = manifest.variants["cpu"]
    for changes, message in (
        ({"schema_version": 1}, "expected version 2"),
        ({"task": "classification"}, "do not fit"),
        ({"decoder": Decoder()}, "do not fit"),
        ({"decoder": Decoder(detection=DetectionSpec(count=4))}, "expected output 4"),
        ({"variants": {"cpu": replace(variant, more_outputs=None)}}, "expected output 3"),
        ({"task": "embedding", "decoder": Decoder()}, "no labels"),
    ):
        with pytest.raises(ValueError, match=message):
            replace(manifest, **changes)
