"""Models of all kinds of inputs are adopted: their bundle answers as the plain file does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeinfer.converters.common.progress import Silent
from edgeinfer.converters.convert.adopt.adopt import adopt
from edgeinfer.device.models.model import Model
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import installed_runtimes
from tests.device.models.test_plain_tflite import answer, colours, flat
from tests.device.tflite.graph_examples import any_size, dense_of_rank, two_signatures


@pytest.mark.parametrize(
    ("content", "options", "version"),
    [
        (flat([1, 3, 9, 12]), {}, 3),
        (flat([9, 12, 3]), {}, 1),
        (flat([1, 9, 12, 4]), {"channels": "rgba"}, 3),
        (flat([1, 9, 12]), {}, 3),
        (flat([1, 9, 12, 3]), {"region": (0.5, 0.25, 0.5, 0.75)}, 4),
        (flat([1, 9, 12, 3], "uint8"), {"input_range": None}, 1),
        (any_size(), {"input_size": (12, 9), "task": "embedding"}, 2),
        (two_signatures(), {"signature": "negated", "task": "segmentation"}, 2),
        (dense_of_rank(7), {}, 1),
    ],
    ids=[
        "planes",
        "no-batch",
        "rgba",
        "no-channels",
        "region",
        "uint8",
        "any-size",
        "signature",
        "without-xnnpack",
    ],
)
def test_the_bundle_answers_as_the_file(
    tmp_path: Path, content: bytes, options: dict[str, Any], version: int
) -> None:
    path, out = tmp_path / "plain.tflite", tmp_path / "out.edgebundle"
    path.write_bytes(content)
    opening = OpenOptions(**{"input_range": "0..1", **options})
    result = adopt(path, out, opening, Silent(), golden_frames=2)
    assert result.verified is not None
    assert result.manifest.schema_version == version
    pixels = colours(18, 24)
    for runtime in installed_runtimes():
        told = OpenOptions(**{"input_range": "0..1", "runtime": runtime, **options})
        with Model.open(path, told) as plain, Model.open(out, OpenOptions(runtime=runtime)) as own:
            assert answer(own, pixels) == answer(plain, pixels)
            assert own.predict(pixels).text() == plain.predict(pixels).text()
            assert [note for note in own.notes if "XNNPACK" not in note] == []


def test_what_xnnpack_refuses_has_no_golden_outputs_of_it(tmp_path: Path) -> None:
    path = tmp_path / "plain.tflite"
    path.write_bytes(dense_of_rank(7))
    opening = OpenOptions(input_range="0..1")
    result = adopt(path, tmp_path / "out.edgebundle", opening, Silent(), golden_frames=2)
    assert list(result.manifest.variants["cpu"].golden_outputs) == ["builtin"]
    assert any("XNNPACK refuses this model" in note for note in result.notes)
    assert result.verified is not None
