"""The demo's gauges: what their tables say is what their pictures show."""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeinfer.converters.common.progress import Silent
from edgeinfer.device.pictures.decode import read_image
from edgeinfer.host.demo.gauge.dial import contrast, paint_dial
from edgeinfer.host.demo.gauge.gauge import draw_a_gauge, numbered_gauge
from edgeinfer.host.demo.gauge.needle import CONTRAST, SHAPES, paint_needle
from edgeinfer.host.demo.gauge.paint import CENTRE, RADIUS, any_colour, at, luma
from edgeinfer.host.demo.gauge.pictures import swing, write_moving_needle, write_pictures
from edgeinfer.host.demo.gauge.view import PICTURE, plate_to_picture
from tests.host.demo.other_gauges import SIDE, other_gauge

MANY = 200


@pytest.mark.parametrize("percent", [0.0, 12.5, 50.0, 99.0])
@pytest.mark.parametrize("number", range(8))
def test_the_needle_points_where_the_reading_is(number: int, percent: float) -> None:
    """Where the needle changed the dial, most of it is on the line from the centre to there."""
    gauge, _ = numbered_gauge(0, number)
    bare, _ = paint_dial(gauge.dial)
    plate = bare.copy()
    paint_needle(plate, gauge.needle, gauge.dial.angle_deg(percent))
    changed = np.abs(plate.astype(int) - bare).max(axis=2) > 0.8 * contrast_of(plate, bare)
    down, right = (axis - CENTRE for axis in np.nonzero(changed))
    outer = np.hypot(right, down) > RADIUS * max(gauge.needle.hub, gauge.needle.tail) * 1.2
    assert outer.sum() > 20
    shown = math.degrees(math.atan2(right[outer].mean(), -down[outer].mean()))
    off = (shown - gauge.dial.angle_deg(percent) + 180) % 360 - 180
    # The lightest shapes are a few pixels wide and have soft edges; a percent is 2 to 3 degrees.
    assert abs(off) < 1.5


def contrast_of(plate: NDArray[np.uint8], bare: NDArray[np.uint8]) -> int:
    """Return the change of colour that most of the needle makes, without its paler shadow."""
    change = np.abs(plate.astype(int) - bare).max(axis=2)
    return int(np.percentile(change[change > 0], 90))


def test_the_scale_runs_clockwise_over_its_sweep() -> None:
    dial = numbered_gauge(0, 3)[0].dial
    assert dial.angle_deg(0) == dial.start_deg
    assert dial.angle_deg(100) - dial.angle_deg(0) == pytest.approx(dial.sweep_deg)
    assert dial.angle_deg(25) == pytest.approx(dial.start_deg + dial.sweep_deg / 4)
    x, y = at(90, 1.0)
    assert (x, y) == pytest.approx((CENTRE + RADIUS, CENTRE))


def test_a_view_keeps_the_whole_scale_in_the_picture() -> None:
    for number in range(MANY):
        gauge, _ = numbered_gauge(0, number)
        ends = np.array([at(angle, 1.0) for angle in range(0, 360, 10)])
        seen = cv2.perspectiveTransform(ends[None], plate_to_picture(gauge.view))[0]
        assert seen.min() > 0, number
        assert seen.max() < PICTURE - 1, number


def test_a_tilted_view_shows_the_needle_where_the_matrix_says() -> None:
    gauge, _ = numbered_gauge(0, 5)
    low, high = (gauge.picture(percent).astype(int) for percent in (10, 80))
    places = [at(gauge.dial.angle_deg(percent), 0.4) for percent in (10, 80)]
    seen = cv2.perspectiveTransform(np.array([places]), plate_to_picture(gauge.view))[0]
    changed = np.abs(high - low).max(axis=2)
    for x, y in np.rint(seen).astype(int):
        assert changed[y, x] > 4 * np.median(changed)


def test_gauges_vary_within_what_can_be_read() -> None:
    gauges = [numbered_gauge(0, number) for number in range(MANY)]
    sweeps = [gauge.dial.sweep_deg for gauge, _ in gauges]
    assert min(sweeps) < 190
    assert max(sweeps) > 290
    assert {gauge.needle.shape for gauge, _ in gauges} == set(SHAPES)
    assert {gauge.dial.square is None for gauge, _ in gauges} == {True, False}
    for gauge, percent in gauges:
        assert 0 <= percent <= 100
        assert contrast(gauge.dial) > 80
        assert abs(luma(gauge.needle.colour) - luma(gauge.dial.face)) >= CONTRAST
        assert gauge.dial.majors * gauge.dial.minors <= 60


def test_a_colour_is_as_bright_as_wanted() -> None:
    random = np.random.default_rng(0)
    grey = [luma(any_colour(random, 90, 110, 0.2)) for _ in range(MANY)]
    assert min(grey) > 85
    assert max(grey) < 111


def test_the_same_seed_gives_the_same_gauge() -> None:
    first, again = numbered_gauge(4, 2), numbered_gauge(4, 2)
    assert first == again
    assert first[0].jpeg(first[1]) == again[0].jpeg(again[1])
    assert first != numbered_gauge(4, 3)
    assert first != numbered_gauge(5, 2)
    frames = {first[0].jpeg(50.0, grain=frame) for frame in range(3)}
    assert len(frames) == 3
    assert draw_a_gauge(np.random.default_rng(1)) == draw_a_gauge(np.random.default_rng(1))


def test_the_table_lists_every_picture(tmp_path: Path) -> None:
    table = write_pictures(tmp_path / "six", 6, progress=Silent())
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [row["file"] for row in rows] == [f"{number:05}.jpg" for number in range(6)]
    for number, row in enumerate(rows):
        gauge, percent = numbered_gauge(0, number)
        assert float(row["reading"]) == pytest.approx(percent, abs=1e-3)
        pixels = read_image(table.parent / row["file"])
        assert np.array_equal(pixels, gauge.picture(float(row["reading"])))
    # More of them begin with the same ones.
    write_pictures(tmp_path / "two", 2, progress=Silent())
    for name in ("00000.jpg", "00001.jpg"):
        assert (tmp_path / "six" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_moving_needle_says_its_reading_in_the_names(tmp_path: Path) -> None:
    folder = write_moving_needle(tmp_path, frames=3)
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"{i:04}_{percent:.1f}.jpg" for i, percent in enumerate(swing(3))]


def test_a_needle_swings_over_the_whole_scale() -> None:
    readings = list(swing(600))
    assert min(readings) >= 0
    assert max(readings) <= 100
    assert min(readings) < 5
    assert max(readings) > 95
    assert max(abs(b - a) for a, b in itertools.pairwise(readings)) < 5


def test_the_second_kind_is_as_steady() -> None:
    pixels, percent = other_gauge(0, 1)
    again, same = other_gauge(0, 1)
    assert percent == same
    assert np.array_equal(pixels, again)
    assert pixels.shape == (SIDE, SIDE, 3)
    assert not np.array_equal(pixels, other_gauge(0, 2)[0])
