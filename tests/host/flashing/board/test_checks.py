from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeinfer.boards.files import load_profile
from edgeinfer.device.core.errors import BundleError, RemoteError
from edgeinfer.device.core.ssh import SshHost
from edgeinfer.device.models.bundle.manifest import ModelManifest
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.host.flashing.board.board import Board
from edgeinfer.host.flashing.board.checks import (
    check_board,
    check_bundle,
    check_place,
    check_root,
    check_space,
    clock_note,
)
from edgeinfer.host.flashing.run_options import RunOptions
from tests.host.flashing.examples import NOW_S, pi

RPI4 = load_profile("rpi4")
DAY_S = 86400.0


def check(profile: str = "rpi4", **changes: Any) -> None:
    loaded = load_profile(profile)
    check_board(pi(**changes), loaded, "cam", device_tree=loaded.device_tree, now_s=NOW_S)


def test_a_place_that_others_may_change_is_refused_with_the_fix() -> None:
    check_place(pi(), "cam")
    with pytest.raises(RemoteError) as caught:
        check_place(pi(unsafe="1000 drwxrwxr-x /mnt/a disk"), "cam")
    assert caught.value.got == "its /mnt/a disk belongs to user 1000 and has mode drwxrwxr-x"
    assert "chown --no-dereference root:root '/mnt/a disk'" in caught.value.next_step
    for odd in ("1000", "1000 drwx"):  # a board may print anything
        with pytest.raises(RemoteError):
            check_place(pi(unsafe=odd), "cam")


def test_a_board_as_it_should_be_passes() -> None:
    check()
    check("generic-aarch64", model="something else")
    check(architecture="armv7l")  # 32-bit Raspberry Pi OS on a 64-bit kernel
    check(machine="armv7l", architecture="armv7l")
    check("coral-usb", machine="x86_64", architecture="x86_64")


@pytest.mark.parametrize(
    ("profile", "changes", "words"),
    [
        ("rpi4", {"machine": "x86_64", "architecture": "x86_64"},
         "is a machine of architecture x86_64, expected aarch64, as Raspberry Pi 4 has"),
        ("generic-x86-64", {}, "is a machine of architecture aarch64, expected x86_64"),
        ("rpi5", {}, r"says that it is 'Raspberry Pi 4 Model B Rev 1.4', expected Raspberry Pi 5"),
        ("rpi4", {"model": ""}, "does not say which board it is, expected Raspberry Pi 4"),
        ("rpi4", {"systemd_runs": False}, "does not run systemd"),
        ("rpi4", {"systemd": 232}, "runs systemd 232, expected systemd 240 or newer"),
        ("rpi4", {"writable": False}, "is mounted read-only"),
        ("rpi4", {"clock_s": NOW_S - 6 * 365.25 * DAY_S},
         r"its clock says 2021-01-14, 6 years behind, .*sudo date -s @1800000000"),
        ("rpi4", {"clock_s": NOW_S + 100 * DAY_S}, "100 days ahead"),
        ("rpi4", {"clock_s": 0.0}, "its clock says 1970-01-01, 57 years behind"),
    ],
)  # fmt: skip
def test_a_wrong_board_is_refused_in_a_sentence(
    profile: str, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(RemoteError, match=f"^cam: .*{words}"):
        check(profile, **changes)


@pytest.mark.parametrize(
    ("off_s", "words"),
    [(0, ""), (-250, ""), (400, "7 minutes ahead"), (-3 * 3600, "3 hours behind")],
)
def test_a_clock_that_is_slightly_wrong_is_noted(off_s: float, words: str) -> None:
    check(clock_s=NOW_S + off_s)
    note = clock_note(pi(clock_s=NOW_S + off_s), NOW_S)
    assert (words in note) if words else (note == "")


@pytest.mark.parametrize(
    ("sudo", "words"),
    [
        ("password", "sudo asks for a password.*--ask-sudo-password"),
        ("refused", "sudo refuses this user.*usermod"),
        ("absent", "has no sudo"),
    ],
)
def test_a_user_who_cannot_become_root_is_refused(sudo: str, words: str) -> None:
    with pytest.raises(RemoteError, match=f"^cam: {words}"):
        check_root(pi(sudo=sudo), Board(SshHost("cam")))
    for good in ("unneeded", "free"):
        check_root(pi(sudo=good), Board(SshHost("cam")))


def test_the_board_has_room_for_the_files_and_what_is_unpacked() -> None:
    check_space(pi(free_bytes=600 << 20), "cam", files=100_000_000, packed=100_000_000)
    check_space(pi(free_bytes=0), "cam", files=0, packed=0)  # nothing is sent
    with pytest.raises(RemoteError, match="cam: has 300 MB free, expected 517 MB"):
        check_space(pi(free_bytes=300_000_000), "cam", files=100_000_000, packed=100_000_000)


def options(variant: str | None = None) -> RunOptions:
    return RunOptions(words=(), camera="", variant=variant)


def with_delegates(manifest: ModelManifest, *delegates: str) -> ModelManifest:
    from dataclasses import replace

    cpu = manifest.variants["cpu"]
    more = {name: replace(cpu, delegate=name.partition("-u65")[0] if name != "ethos-u65-256"
                          else "ethos-u") for name in delegates}  # fmt: skip
    return replace(manifest, variants={"cpu": cpu, **more})


@pytest.mark.parametrize(
    ("board", "delegates", "words"),
    [
        ("rpi4", (), ""),
        ("rpi4", ("gpu",), ""),
        ("rpi4", ("edgetpu",), r"was made for a board with an accelerator \(edgetpu\)"),
        ("rpi4-coral-usb", ("edgetpu",), ""),
        ("rpi4-coral-usb", (), "has no variant for Raspberry Pi 4.*--board rpi4-coral-usb"),
        ("imx93", ("ethos-u65-256",), ""),
        ("imx93", ("edgetpu",), "has no variant for .*ethos-u65-256"),
        ("imx8mp", (), "has no variant for"),
    ],
)
def test_a_bundle_for_another_board_is_refused_unless_the_cpu_is_meant(
    sample_bundle: Path, board: str, delegates: tuple[str, ...], words: str
) -> None:
    with open_bundle(sample_bundle) as bundle:
        manifest = with_delegates(bundle.manifest, *delegates)
    profile = load_profile(board)
    if words:
        with pytest.raises(BundleError, match=words):
            check_bundle(Path("x.edgebundle"), manifest, profile, options())
    else:
        check_bundle(Path("x.edgebundle"), manifest, profile, options())
    check_bundle(Path("x.edgebundle"), manifest, profile, options("cpu"))
    with pytest.raises(BundleError, match="has no variant 'odd'"):
        check_bundle(Path("x.edgebundle"), manifest, profile, options("odd"))
