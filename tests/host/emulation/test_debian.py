from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import EmulationError
from edgeinfer.host.emulation.debian import (
    KEYRING,
    apt_error,
    debian_mirror,
    download_packages,
    make_root,
    unpack,
)
from tests.host.emulation.boards import script

apt = pytest.mark.skipif(
    shutil.which("apt-get") is None or not KEYRING.is_file(), reason="needs apt and Debian's keys"
)
PACKAGE = "Package: sample\nVersion: 1\nArchitecture: all\nMaintainer: tests <tests@localhost>\n"


def build_package(folder: Path, files: dict[str, str]) -> Path:
    content = folder / "content"
    for name, text in {"DEBIAN/control": f"{PACKAGE}Description: sample\n", **files}.items():
        (content / name).parent.mkdir(parents=True, exist_ok=True)
        (content / name).write_text(text)
    package = folder / "sample.deb"
    subprocess.run(["dpkg-deb", "--build", content, package], check=True, capture_output=True)
    return package


def test_without_apt_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmulationError, match=r"no apt-get and no dpkg-deb.*container of Debian"):
        debian_mirror()


def test_a_machine_whose_apt_knows_no_debian_gets_the_option_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(tmp_path / "apt-get", "echo http://mirror.invalid/ubuntu noble")
    script(tmp_path / "dpkg-deb")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(EmulationError, match=r"no source of a Debian release.*--debian-mirror"):
        debian_mirror()
    assert debian_mirror("http://mirror.invalid/debian") == "http://mirror.invalid/debian"


def test_the_mirror_is_that_of_this_machines_debian(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = ("http://m.invalid/other stable-other", "http://m.invalid/debian/ bookworm")
    script(tmp_path / "apt-get", *(f"echo {line}" for line in listed))
    script(tmp_path / "dpkg-deb")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert debian_mirror() == "http://m.invalid/debian/"


@apt
def test_a_mirror_that_cannot_be_reached_is_reported(tmp_path: Path) -> None:
    with pytest.raises(EmulationError, match=r"mirror cannot be reached.*connect this machine"):
        download_packages(
            "arm64",
            tmp_path / "apt",
            ["libc6"],
            suite="bookworm",
            mirror="http://127.0.0.1:9/debian",
        )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("E: Unable to locate package python3.99-minimal\n", "python3.99-minimal"),
        ("W: noise\nE: The repository is not signed.\n", "is not signed"),
        ("", "nothing said"),
    ],
)
def test_other_failures_of_apt_are_passed_on_in_a_line(said: str, expected: str) -> None:
    sentence = str(apt_error("bookworm", said))
    assert expected in sentence
    assert "\n" not in sentence


@apt
def test_a_root_has_the_packages_files_without_their_documentation(tmp_path: Path) -> None:
    files = {
        "usr/bin/tool": "",
        "usr/lib/x/blas/libblas.so.3": "",
        "usr/share/doc/sample/copyright": "",
    }
    package = build_package(tmp_path, files)
    root = tmp_path / "root"
    root.mkdir()
    told: list[str] = []
    make_root([package], root, told.append)
    assert (root / "bin" / "tool").is_file()
    assert (root / "usr/lib/x/libblas.so.3").readlink() == Path("blas/libblas.so.3")
    assert not (root / "usr/share").exists()
    assert told == ["unpacking Debian's packages: 1 of 1"]


@apt
def test_a_file_that_is_not_a_package_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.deb"
    broken.write_bytes(b"no package")
    with pytest.raises(EmulationError, match=r"broken\.deb: cannot be unpacked"):
        unpack(broken, tmp_path)
