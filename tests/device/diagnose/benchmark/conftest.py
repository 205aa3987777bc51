"""The sample's model as a plain file, and a report to render."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.models.bundle.reader import open_bundle


@pytest.fixture(scope="session")
def sample_tflite(sample_bundle: Path) -> bytes:
    """A ResNet8 in INT8: 14 operators, with three branches that meet again."""
    with open_bundle(sample_bundle) as bundle:
        return bundle.member(bundle.manifest.variants["cpu"].file)
