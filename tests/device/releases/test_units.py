"""The units: what systemd makes of them, and that what stays open has its reason."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edgeinfer.device.releases.layout import SERVICE, SETTLE, TRIAL, Layout
from edgeinfer.device.releases.units import unit_texts, write_units

MOST_EXPOSED = 2.0


@pytest.fixture
def texts() -> dict[str, str]:
    return unit_texts(
        Layout(), python="/usr/bin/python3", groups=["video", "plugdev"], nodes=["/dev/vcio"]
    )


@pytest.fixture
def exposure(texts: dict[str, str], tmp_path: Path) -> str:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    path = tmp_path / SERVICE
    path.write_text(texts[SERVICE])
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Overall exposure" not in done.stdout:
        pytest.skip(f"systemd-analyze does not judge a file here ({done.stderr.strip()})")
    return done.stdout


def test_the_service_is_little_exposed(exposure: str) -> None:
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", exposure)
    assert found is not None
    assert float(found[1]) < MOST_EXPOSED


def test_what_stays_open_has_its_reason(exposure: str, texts: dict[str, str]) -> None:
    comments = " ".join(line for line in texts[SERVICE].splitlines() if line.startswith("#"))
    network = {"AF_(INET|INET6)": "network camera"}  # both words stand for the same setting
    missing = []
    for line in exposure.splitlines():
        if not line.startswith("✗"):
            continue
        setting, _, value = line.split()[1].partition("=")
        word = value.removeprefix("~") if value.startswith("~") else setting
        if network.get(word, word) not in comments:
            missing.append(line)
    assert missing == []


def test_the_agents_place_is_told_to_the_units(tmp_path: Path) -> None:
    layout = Layout(prefix=tmp_path / "a place")
    texts = unit_texts(layout, python="/usr/bin/python3", groups=[], nodes=[])
    agent = f'"{tmp_path}/a place/releases.pyz" --prefix "{tmp_path}/a place"'
    assert f"ExecStart=/usr/bin/python3 -I {agent} trial\n" in texts[TRIAL]
    assert f"ExecStopPost=/usr/bin/python3 -I {agent} settle\n" in texts[TRIAL]
    assert f"ExecStart=/usr/bin/python3 -I {agent} settle --boot\n" in texts[SETTLE]


def test_only_what_differs_is_written(tmp_path: Path, texts: dict[str, str]) -> None:
    layout = Layout(units=tmp_path)
    assert write_units(layout, texts) == [SERVICE, SETTLE, TRIAL]
    assert write_units(layout, texts) == []
    (tmp_path / SERVICE).write_text("something else")
    assert write_units(layout, texts) == [SERVICE]
    assert (tmp_path / SERVICE).read_text() == texts[SERVICE]


def test_systemd_reads_them_without_a_warning(texts: dict[str, str], tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / name) for name in texts)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "edgeinfer" in line]
    # The board's command is of course not on this machine.
    assert [line for line in ours if "is not executable" not in line] == []
