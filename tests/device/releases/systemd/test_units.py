"""The units: what systemd makes of them, and that what stays open has its reason."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edgeinfer.device.releases.paths import SERVICE, SETTLE, TRIAL, Layout
from edgeinfer.device.releases.systemd.units import MEMORY, unit_texts, write_units

MOST_EXPOSED = 2.0
UNITS = (SERVICE, SETTLE, TRIAL)


@pytest.fixture
def texts() -> dict[str, str]:
    return unit_texts(
        Layout(), python="/usr/bin/python3", groups=["video", "plugdev"], nodes=["/dev/vcio"]
    )


@pytest.fixture(params=UNITS)
def unit(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def exposure(unit: str, texts: dict[str, str], tmp_path: Path) -> str:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    path = tmp_path / unit
    path.write_text(texts[unit])
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Overall exposure" not in done.stdout:
        pytest.skip(f"systemd-analyze does not judge a file here ({done.stderr.strip()})")
    return done.stdout


def test_every_unit_is_little_exposed(exposure: str) -> None:
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", exposure)
    assert found is not None
    assert float(found[1]) <= MOST_EXPOSED


def test_what_stays_open_has_its_reason(exposure: str, unit: str, texts: dict[str, str]) -> None:
    comments = " ".join(line for line in texts[unit].splitlines() if line.startswith("#"))
    # Where systemd-analyze has one word for several settings.
    other = {
        "AF_(INET|INET6)": "network camera",
        "CAP_(DAC_*|FOWNER|IPC_OWNER)": "CAP_DAC_READ_SEARCH",
        "CAP_SET(UID|GID|PCAP)": "CAP_SETUID",
        "User=/DynamicUser": "User and DynamicUser",
        "RootDirectory=/RootImage": "RootDirectory",
    }
    missing = []
    for line in exposure.splitlines():
        if not line.startswith("✗"):
            continue
        setting, _, value = line.split()[1].removesuffix("=").partition("=~")
        word = value or setting
        if other.get(word, word) not in comments:
            missing.append(line)
    assert missing == []


@pytest.mark.parametrize("unit", [SERVICE, TRIAL])
def test_what_runs_a_model_has_a_bound_on_its_memory(texts: dict[str, str], unit: str) -> None:
    assert f"MemoryMax={MEMORY}\n" in texts[unit]


def test_the_units_have_the_agents_place(tmp_path: Path) -> None:
    layout = Layout(prefix=tmp_path / "a place")
    texts = unit_texts(layout, python="/usr/bin/python3", groups=[], nodes=[])
    agent = f'"{tmp_path}/a place/releases.pyz" --prefix "{tmp_path}/a place"'
    assert f"ExecStart=/usr/bin/python3 -I {agent} trial\n" in texts[TRIAL]
    assert f"ExecStopPost=/usr/bin/python3 -I {agent} settle\n" in texts[TRIAL]
    assert f"ExecStart=/usr/bin/python3 -I {agent} settle --boot\n" in texts[SETTLE]
    assert f'ReadWritePaths="{tmp_path}/a place/data"\n' in texts[SERVICE]
    for unit in (SETTLE, TRIAL):
        assert f'ReadWritePaths="{tmp_path}/a place"\n' in texts[unit]


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
