from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.core.errors import EmulationError
from edgeinfer.host.emulation.emulator import find_emulator, parse_version
from tests.host.emulation.boards import script

SAYS = "qemu-aarch64 version {} (Debian 1:{}+dfsg-7)\nCopyright (c) 2003-2022 Fabrice Bellard"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of all programs that there are."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(folder: Path, name: str, version: str) -> Path:
    return script(folder / name, f"/bin/echo '{SAYS.format(version, version)}'")


@pytest.mark.parametrize(
    ("said", "version"),
    [(SAYS.format("7.2.22", "7.2"), (7, 2, 22)), ("version 10.0", (10, 0)), ("nonsense", (0,))],
)
def test_its_version_is_read(said: str, version: tuple[int, ...]) -> None:
    assert parse_version(said) == version


def test_the_newest_that_is_installed_is_taken(path: Path, tmp_path: Path) -> None:
    install(path, "qemu-aarch64-static", "7.2.22")
    newest = install(path, "qemu-aarch64", "10.0.13")
    emulator = find_emulator("aarch64", (7, 0), home=tmp_path)
    assert emulator.path == newest
    assert emulator.title == "qemu 10.0.13"


def test_without_one_it_says_which_package_to_install(path: Path, tmp_path: Path) -> None:
    with pytest.raises(EmulationError, match=r"emulator of aarch64: none is installed, and"):
        find_emulator("aarch64", (7, 0), home=tmp_path / "home")
    install(path, "apt-get", "0")
    install(path, "dpkg-deb", "0")
    script(path / "dpkg", "/bin/echo amd64")
    with pytest.raises(EmulationError, match="none is installed"):
        find_emulator("armv7l", (7, 0), home=tmp_path / "home")


def test_one_that_is_too_old_is_reported(path: Path, tmp_path: Path) -> None:
    install(path, "qemu-aarch64-static", "7.2.22")
    with pytest.raises(EmulationError, match=r"7\.2\.22 is too old.*qemu-aarch64 10\.0 or newer"):
        find_emulator("aarch64", (10, 0), home=tmp_path / "home")
    assert not list((tmp_path / "home").iterdir())


def test_one_that_does_not_start_is_reported(path: Path, tmp_path: Path) -> None:
    broken = path / "qemu-arm"
    broken.write_bytes(b"\x7fELF broken")
    broken.chmod(0o755)
    with pytest.raises(EmulationError, match="does not start"):
        find_emulator("armv7l", (7, 0), home=tmp_path)
