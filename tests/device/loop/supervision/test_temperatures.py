"""Sensors and firmware of boards whose sysfs is a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.loop.supervision.rpi_firmware import (
    Throttled,
    decode_throttled,
    read_throttled,
)
from edgeinfer.device.loop.supervision.temperatures import read_temperatures, sysfs_root
from tests.device.loop.supervision.boards import FakeBoard


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBoard:
    monkeypatch.setenv("EDGEINFER_SYSFS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert sysfs_root() == tmp_path
    return FakeBoard(tmp_path)


def sensors(board: FakeBoard) -> dict[str, tuple[float, float]]:
    return {t.name: (t.celsius, t.limit_c) for t in read_temperatures(board.root)}


def test_a_raspberry_pi_is_limited_by_its_firmware(board: FakeBoard) -> None:
    board.zone(61.3, critical=110, active=50)
    board.monitor(0, "cpu_thermal", temp1_input=61300)  # the zone again
    board.monitor(1, "rpi_volt", in0_lcrit_alarm=0)
    assert sensors(board) == {"cpu-thermal": (61.3, 80.0)}


def test_the_kernels_own_limits_count_where_it_has_some(board: FakeBoard) -> None:
    board.zone(70, passive=85, hot=95, critical=105)
    board.zone(60, number=1, name="gpu-thermal", critical=85)
    board.zone(60, number=2, name="unset", passive=0)
    assert sensors(board) == {
        "cpu-thermal": (70.0, 85.0),
        "gpu-thermal": (60.0, 75.0),
        "unset": (60.0, 80.0),
    }


def test_monitors_of_processors_count_and_those_of_disks_do_not(board: FakeBoard) -> None:
    board.monitor(
        *(0, "coretemp"),
        temp1_input=55000,
        temp1_label="Package id 0",
        temp1_max=84000,
        temp1_crit=100000,
        temp2_input=54000,
    )
    board.monitor(1, "nvme", temp1_input=79000, temp1_max=80000)
    assert sensors(board) == {"coretemp Package id 0": (55.0, 84.0), "coretemp": (54.0, 80.0)}


def test_edge_tpus_state_where_they_slow_down(board: FakeBoard) -> None:
    board.write("class/apex/apex_0/temp", 84800)
    board.write("class/apex/apex_1/temp", 50000)
    board.write("class/apex/apex_1/trip_point0_temp", 70000)
    assert sensors(board) == {
        "Edge TPU apex_0": (84.8, 84.8),
        "Edge TPU apex_1": (50.0, 70.0),
    }


@pytest.mark.parametrize("content", ["", "hot", "-274000", "256000", "1e3", "\x00"])
def test_a_value_that_is_not_a_temperature_is_left_out(board: FakeBoard, content: str) -> None:
    board.zone(50, number=1, name="good")
    board.zone(50)
    board.write("class/thermal/thermal_zone0/temp", content)
    assert list(sensors(board)) == ["good"]


def test_a_machine_without_sensors(board: FakeBoard) -> None:
    assert sensors(board) == {}
    assert read_throttled(board.root) is None


@pytest.mark.parametrize(
    ("bits", "said"),
    [
        (0x0, Throttled()),
        (0x1, Throttled(undervoltage=True)),
        (
            0x50005,
            Throttled(
                undervoltage=True,
                throttled=True,
                undervoltage_occurred=True,
                throttled_occurred=True,
            ),
        ),
        (0x80008, Throttled(soft_limit=True, soft_limit_occurred=True)),
        (0x20002, Throttled(capped=True, capped_occurred=True)),
    ],
)
def test_the_firmwares_bits(board: FakeBoard, bits: int, said: Throttled) -> None:
    board.throttled(bits)
    assert read_throttled(board.root) == said


@given(st.integers(0, 0xFFFFFFFF))
def test_all_bits_are_decoded(bits: int) -> None:
    said = decode_throttled(bits)
    names = ("undervoltage", "capped", "throttled", "soft_limit")
    back = sum(getattr(said, name) << index for index, name in enumerate(names))
    back |= sum(getattr(said, f"{name}_occurred") << 16 + i for i, name in enumerate(names))
    assert back == bits & 0xF000F
    assert said.slowed == bool(bits & 0b1110)


def vcgencmd(board: FakeBoard, script: str) -> None:
    board.write("bin/vcgencmd", f"#!/bin/sh\n{script}")
    (board.root / "bin/vcgencmd").chmod(0o755)


def test_vcgencmd_is_asked_where_the_kernel_says_nothing(board: FakeBoard) -> None:
    vcgencmd(board, '[ "$1" = get_throttled ] && echo throttled=0x50001')
    assert read_throttled(board.root) == decode_throttled(0x50001)
    board.throttled(0)
    assert read_throttled(board.root) == Throttled()


@pytest.mark.parametrize("script", ["exec sleep 60", "echo VCHI initialization failed; exit 255"])
def test_a_firmware_that_does_not_answer(
    board: FakeBoard, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeinfer.device.loop.supervision.rpi_firmware._ANSWER_S", 0.3)
    monkeypatch.setenv("PATH", f"{board.root / 'bin'}:/usr/bin:/bin")
    vcgencmd(board, script)
    assert read_throttled(board.root) is None
    board.monitor(3, "rpi_volt", in0_lcrit_alarm=1)
    assert read_throttled(board.root) == Throttled(undervoltage=True, undervoltage_occurred=True)
