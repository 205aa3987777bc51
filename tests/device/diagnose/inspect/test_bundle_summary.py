"""Which figures of a bundle are shown first."""

from __future__ import annotations

import pytest

from edgeinfer.device.diagnose.inspect.bundle_summary import accuracy_text, speed_text


@pytest.mark.parametrize(
    ("metrics", "text"),
    [
        ({}, ""),
        ({"size.int8.bytes": 5.0}, ""),
        (
            {
                "test.float32.top1": 0.75,
                "test.int8.top1": 0.5,
                "test.samples": 1200.0,
                "validation.int8.top1": 1.0,
            },
            "int8 top1 50.00 %, float32 top1 75.00 %, on 1,200 pictures (test)",
        ),
        ({"validation.int8.mean-error": 2.25}, "int8 mean-error 2.25"),
        ({"test.samples": 0.0, "pictures.top1": 1.0}, "top1 100.00 %"),
    ],
)
def test_the_pictures_that_say_most_count(metrics: dict[str, float], text: str) -> None:
    assert accuracy_text(metrics) == text


def test_speeds_are_those_with_a_time() -> None:
    assert speed_text({"prune.speedup": 2.0, "prune.zeros": 0.5}) == "prune.speedup 2"
    assert speed_text({"test.int8.top1": 1.0}) == ""
