"""A bundle of the detector of four pixels, and a picture for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgeinfer.converters.bundle.golden import make_golden
from edgeinfer.converters.bundle.write import CPU_MEMBER, cpu_variant, write_verified
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.pictures.decode import encode_png
from edgeinfer.device.preprocess import PreprocessSpec
from edgeinfer.device.tasks.spec import Decoder, DetectionSpec
from edgeinfer.device.tasks.task import Said
from tests.device.detector_example import LABELS, detector

SAID = Said(labels=LABELS, decoder=Decoder(detection=DetectionSpec()))
PREPROCESS = PreprocessSpec(size=(2, 2), crop="letterbox", mean=(0.0,) * 3, std=(255.0,) * 3)


def write_photo(path: Path, cat: int = 255, dog: int = 204) -> Path:
    """Write 80x80 pixels: a cat in the upper left, a dog in the lower right, in whole quarters.

    Args:
        path: of a PNG file.
        cat: its score in 255ths.
        dog: the same.
    """
    picture = np.zeros((80, 80, 3), np.uint8)
    picture[:40, :40, 1] = cat
    picture[40:, 40:, 2] = dog
    path.write_bytes(encode_png(picture))
    return path


def write_detector(path: Path, photo: Path) -> Path:
    """Write the bundle; the photo is its golden frame."""
    model = detector()
    samples = [Sample(source=str(photo), target=0)]
    golden = make_golden(model, PREPROCESS, samples, task="detection", said=SAID, known=False)
    manifest = ModelManifest(
        schema_version=2,
        name="detector",
        task="detection",
        labels=LABELS,
        preprocess=PREPROCESS,
        decoder=Decoder(detection=DetectionSpec()),
        variants={"cpu": cpu_variant(model, "float32", golden)},
        golden=golden.frames,
    )
    write_verified(path, manifest, {CPU_MEMBER: model, **golden.members})
    return path
