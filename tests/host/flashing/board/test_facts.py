from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import RemoteError, printable
from edgeinfer.host.flashing.board.facts import PROBE, parse_facts
from tests.host.flashing.examples import pi

FACT = "edgeinfer-fact "
END = f"{FACT}end=yes\n"


def probe(prefix: Path, *, shell: str = "sh") -> str:
    done = subprocess.run(
        [shell, str(PROBE), str(prefix)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_this_machine_tells_what_it_is(tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    begun_s = time.time()
    facts = parse_facts("here", probe(tmp_path / "not" / "there"))
    assert facts.machine == platform.machine()
    assert facts.architecture in (platform.machine(), "armv7l", "i686")
    assert begun_s - 1 <= facts.clock_s <= time.time()  # in whole seconds
    assert facts.free_bytes > 0
    assert facts.writable
    assert not facts.has_prefix
    if facts.python == sys.executable:
        assert facts.python_version == sys.version_info[:3]
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_installed_there_is_reported(tmp_path: Path) -> None:
    (tmp_path / "releases.pyz").write_bytes(b"agent")
    (tmp_path / "python" / "0123abcd").mkdir(parents=True)
    (tmp_path / "python" / ".new").mkdir()
    facts = parse_facts("here", probe(tmp_path))
    assert facts.has_prefix
    assert facts.pythons == ("0123abcd",)
    assert facts.agent_sha256.startswith("d4f0bc5a29de06b510f9aa428f1eedba")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes another's folders")
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_place_that_others_may_change_is_reported(tmp_path: Path, shell: str) -> None:
    prefix = tmp_path / "a place" / "edgeinfer"
    python = prefix / "python" / "0123abcd"
    (tmp_path / "disk").mkdir()
    python.mkdir(parents=True)
    (prefix / "releases.pyz").touch()
    link = tmp_path / "a link"
    link.symlink_to("disk/edgeinfer")

    def unsafe(place: Path) -> str:
        return parse_facts("here", probe(place, shell=shell)).unsafe

    assert unsafe(prefix) == unsafe(link) == ""  # /tmp is sticky, and what is in it root's
    for folder in (prefix.parent, prefix, prefix / "python", python, prefix / "releases.pyz"):
        os.chown(folder, 65534, 65534)
        assert unsafe(prefix).split(" ", 2)[::2] == ["65534", str(folder)]
        os.chown(folder, 0, 0)
        for mode in (0o775, 0o757):
            folder.chmod(mode)
            assert unsafe(prefix).split(" ", 2)[::2] == ["0", str(folder)]
        folder.chmod(0o755)
    (tmp_path / "disk").chmod(0o777)
    assert unsafe(link) == f"0 drwxrwxrwx {tmp_path}/disk"
    (tmp_path / "disk").chmod(0o1777)  # what is not there yet, another could make
    assert unsafe(link) == f"0 drwxrwxrwt {tmp_path}/disk"
    (tmp_path / "disk" / "edgeinfer").mkdir()
    assert unsafe(link) == ""
    os.chown(link, 65534, 65534, follow_symlinks=False)
    assert unsafe(link).split(" ", 2)[::2] == ["65534", str(link)]
    prefix.chmod(0o1777)
    assert unsafe(prefix) == f"0 drwxrwxrwt {prefix}"


def test_the_script_is_posix_shell() -> None:
    for shell in ("dash", "bash"):
        subprocess.run([shell, "-n", str(PROBE)], check=True)


@pytest.mark.parametrize(
    "text", ["", "Welcome\n", f"{FACT}machine=aarch64\n", "edgeinfer-fact end"]
)
def test_an_answer_that_breaks_off_is_refused(text: str) -> None:
    with pytest.raises(RemoteError, match="board: does not report its system"):
        parse_facts("board", text)


def test_what_the_login_prints_is_skipped() -> None:
    model = f"{FACT}model=Raspberry \x1b[1mPi\n"
    text = f"Welcome to machine=x86_64\n{FACT}machine=arm64\r\n{model}{END}bye"
    facts = parse_facts("board", text)
    assert facts.machine == "aarch64"
    assert facts.model == r"Raspberry \x1b[1mPi"


@pytest.mark.parametrize(
    ("lines", "architecture"),
    [
        ("machine=aarch64 bits=64", "aarch64"),
        ("machine=aarch64 bits=32", "armv7l"),
        ("machine=aarch64 bits=64 python_bits=32", "armv7l"),
        ("machine=armv7l bits=32", "armv7l"),
        ("machine=armv8l bits=32", "armv7l"),
        ("machine=x86_64 bits=32", "i686"),
    ],
)
def test_the_architecture_is_that_of_the_programs(lines: str, architecture: str) -> None:
    text = "".join(f"{FACT}{line}\n" for line in lines.split())
    assert parse_facts("board", text + END).architecture == architecture


LINES = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.builds(
            lambda name, value: f"{FACT}{name}={value}",
            st.sampled_from(
                ["machine", "bits", "clock", "python", "python_version", "glibc", "free_kib",
                 "systemd", "sudo", "agent_sha256", "pythons", "modules", "end"]
            ),
            st.text(max_size=40),
        ),
    ),
    max_size=20,
)  # fmt: skip


@given(LINES)
def test_any_output_gives_facts_or_one_error(lines: list[str]) -> None:
    try:
        facts = parse_facts("board", "\n".join(lines))
    except RemoteError:
        return
    assert facts.title == printable(facts.title)
    assert facts.sudo in ("unneeded", "free", "password", "refused", "absent")
    assert facts.free_bytes >= 0
    assert len(facts.python_version) == 3
    assert facts.python == "" or facts.python.startswith("/")


def test_the_title_says_what_is_known() -> None:
    assert pi().title == (
        "Raspberry Pi 4 Model B Rev 1.4, Debian GNU/Linux 12 (bookworm), Python 3.11.2"
    )
    bare = pi(model="", os_name="", os_id="", python="", python_version=(0, 0, 0))
    assert bare.title == "aarch64, an unknown system, no Python"
