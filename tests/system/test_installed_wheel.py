"""An edgeinfer that pip installed carries itself to boards, whatever an index offers."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.host.board_wheels.wheels import make_wheel
from tests.system.environments import clean_environ

pytestmark = pytest.mark.system

PACK = """\
import os, sys
from pathlib import Path
from edgeinfer.host.board_wheels import installed, target
python = "%d.%d" % sys.version_info[:2]
glibc = tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")))
here = target.WheelTarget(architecture=os.uname().machine, python=python, glibc=glibc)
print(installed.installed_wheel(here, Path(sys.argv[1])))
"""
FIND = PACK.replace(
    "print(installed.installed_wheel(here, Path(sys.argv[1])))",
    """\
from edgeinfer.host.board_wheels import board_wheels
for wheel in board_wheels(here, cache=Path(sys.argv[1])).wheels:
    print(wheel.path)
""",
)


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pip put the wheel, in no checkout."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", folder, wheel], check=True, env=clean_environ())
    return folder


def python(site: Path, code: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    # The editable installation of this environment is not seen: .pth files do not count there.
    packages = sysconfig.get_path("purelib")
    environ = clean_environ({"PYTHONPATH": f"{site}:{packages}", **env})
    return subprocess.run(
        [sys._base_executable, "-s", "-P", "-c", code, str(folder)],  # type: ignore[attr-defined]
        env=environ,
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {
            name: archive.read(name)
            for name in archive.namelist()
            if not name.endswith(("/", "/RECORD"))
        }


def test_it_packs_the_wheel_that_it_came_from(site: Path, wheel: Path, tmp_path: Path) -> None:
    done = python(site, PACK, tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    packed = Path(done.stdout.strip())
    assert packed.name == wheel.name
    assert members(packed) == members(wheel)


def test_an_index_that_offers_a_newer_one_is_not_asked(
    site: Path, wheel: Path, registry: None, tmp_path: Path
) -> None:
    marker = tmp_path / "ran"
    code = f"open({str(marker)!r}, 'a').write('it ran')\n"
    offered = make_wheel(
        tmp_path / "index",
        "edgeinfer",
        version="9.9",
        members={"edgeinfer/__init__.py": code, "edgeinfer.pth": f"import sys; {code}"},
    )
    done = python(site, FIND, tmp_path / "cache", PIP_FIND_LINKS=str(offered.parent))
    assert done.returncode == 0, done.stderr
    found = {Path(line).name.partition("-")[0]: Path(line) for line in done.stdout.splitlines()}
    assert {"numpy", "click"} < found.keys()
    assert members(found["edgeinfer"]) == members(wheel)
    assert not marker.exists()
