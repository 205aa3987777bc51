"""The sample bundle's contents as plain files, read without edgeinfer."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The sample bundle and what is in it, as files.

    Attributes:
        bundle: the bundle.
        labels: its classes.
        tflite: its model as a plain file.
        photos: its golden frames.
        inputs: the golden input tensors, frame after frame.
        outputs: the golden outputs, frame after frame, for each kernel family.
    """

    bundle: Path
    labels: tuple[str, ...]
    tflite: Path
    photos: list[Path]
    inputs: bytes
    outputs: dict[str, bytes]

    def answers(self, kernels: str) -> list[int]:
        """Return the class of each golden frame by its golden INT8 output."""
        values = memoryview(self.outputs[kernels]).cast("b").tolist()
        count = len(self.labels)
        frames = [values[i : i + count] for i in range(0, len(values), count)]
        return [frame.index(max(frame)) for frame in frames]


def read_sample_bundle(bundle: Path, folder: Path) -> Sample:
    """Take the model and the golden frames out into `folder`."""
    with zipfile.ZipFile(bundle) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        variant = manifest["variants"]["cpu"]
        assert variant["output"]["dtype"] == "int8"
        tflite = folder / "plain.tflite"
        tflite.write_bytes(archive.read(variant["file"]))
        photos = []
        for frame in manifest["golden"]:
            photos.append(folder / Path(frame["file"]).name)
            photos[-1].write_bytes(archive.read(frame["file"]))
        inputs = archive.read(variant["golden_input"])
        outputs = {kernels: archive.read(m) for kernels, m in variant["golden_outputs"].items()}
    return Sample(
        bundle=bundle,
        labels=tuple(manifest["labels"]),
        tflite=tflite,
        photos=photos,
        inputs=inputs,
        outputs=outputs,
    )
