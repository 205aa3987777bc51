"""A bundle's golden frames: decoded, and not without bound."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.device.core.errors import BundleError
from edgeinfer.device.models.bundle.golden import MOST_PIXELS, read_golden
from edgeinfer.device.models.bundle.manifest import GoldenFrame
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.bundle.writer import write_bundle
from edgeinfer.device.pictures.decode import encode_png
from tests.device.models.bundle.examples import MEMBERS, manifest

FRAME = "golden/frame-000.png"


def announcing(width: int, height: int) -> bytes:
    """Return a small picture whose header says that it is large."""
    content = bytearray(encode_png(np.zeros((2, 2, 3), np.uint8)))
    struct.pack_into(">LL", content, 16, width, height)
    struct.pack_into(">L", content, 29, zlib.crc32(content[12:29]))
    return bytes(content)


def test_frames_come_with_their_labels(tmp_path: Path) -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    path = tmp_path / "x.edgebundle"
    write_bundle(path, manifest(), {**MEMBERS, FRAME: encode_png(picture)})
    with open_bundle(path) as bundle:
        ((pixels, label),) = read_golden(bundle)
    assert label == "cat"
    np.testing.assert_array_equal(pixels, picture)


def test_a_large_frame_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "x.edgebundle"
    side = int(MOST_PIXELS**0.5) + 1
    write_bundle(path, manifest(), {**MEMBERS, FRAME: announcing(side, side)})
    with (
        open_bundle(path) as bundle,
        pytest.raises(BundleError, match=r"up to 'golden/frame-000.png' have 268,"),
    ):
        read_golden(bundle)


def test_the_sum_of_all_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeinfer.device.models.bundle.golden.MOST_PIXELS", 11)
    path = tmp_path / "x.edgebundle"
    picture = encode_png(np.zeros((2, 2, 3), np.uint8))
    frames = (GoldenFrame(file=FRAME),) * 3
    write_bundle(path, replace(manifest(), golden=frames), {**MEMBERS, FRAME: picture})
    with (
        open_bundle(path) as bundle,
        pytest.raises(BundleError, match="have 12 pixels, expected at most 11; make it again"),
    ):
        read_golden(bundle)
