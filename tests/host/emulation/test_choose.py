from __future__ import annotations

import dataclasses
import platform

import pytest

from edgeinfer.boards import load_profile, profile_names
from edgeinfer.device.core.errors import EmulationError, UsageError
from edgeinfer.host.emulation.choose import choose_system, hindrance, processor


@pytest.fixture(autouse=True)
def on_x86_64(monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice depends on what this machine is."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


def test_the_first_system_is_the_boards_most_usual_one() -> None:
    board = load_profile("rpi4")
    assert choose_system(board) is board.systems[0]


@pytest.mark.parametrize(
    ("words", "version", "architecture"),
    [
        ("bookworm", "12", "aarch64"),
        ("Bookworm 32-bit", "12", "armv7l"),
        ("12 64-bit", "12", "aarch64"),
        ("trixie", "13", "aarch64"),
    ],
)
def test_words_of_its_name_choose_a_system(words: str, version: str, architecture: str) -> None:
    system = choose_system(load_profile("rpi4"), words)
    assert (system.version_id, system.architecture) == (version, architecture)


def test_a_system_that_the_board_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match=r"is not a system of rpi4, expected .*Trixie.*Bookworm"):
        choose_system(load_profile("rpi4"), "bullseye")


def test_a_system_without_a_runtime_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(EmulationError, match=r"no TFLite runtime for it.*with --system: .*Trixie"):
        choose_system(load_profile("rpi4"), "trixie 32-bit")


@pytest.mark.parametrize("name", ["coral-dev", "imx8mp", "coral-usb"])
def test_a_board_whose_system_is_not_debians_is_refused(name: str) -> None:
    with pytest.raises(EmulationError, match=r"cannot be emulated .*generic-aarch64"):
        choose_system(load_profile(name))


def test_this_machines_own_architecture_is_not_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"already run here.*edgeinfer run"):
        choose_system(load_profile("generic-x86-64"))
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(UsageError, match="already run here"):
        choose_system(load_profile("rpi5"), "64-bit")
    assert choose_system(load_profile("rpi4")).architecture == "armv7l"


@pytest.mark.parametrize("name", profile_names())
def test_every_board_is_emulated_or_says_why_not(name: str) -> None:
    board = load_profile(name)
    if all(hindrance(system) for system in board.systems):
        with pytest.raises((EmulationError, UsageError), match=name):
            choose_system(board)
        return
    system = choose_system(board)
    assert not hindrance(system)
    assert processor(board, system.architecture).startswith("cortex-a")


def test_the_processor_is_the_boards() -> None:
    assert processor(load_profile("rpi3"), "aarch64") == "cortex-a53"
    assert processor(load_profile("rpi4"), "aarch64") == "cortex-a72"
    assert processor(load_profile("rpi5-coral-usb"), "aarch64") == "cortex-a76"
    assert processor(load_profile("rpi4"), "armv7l") == "cortex-a7"


def test_a_users_board_has_the_processor_of_the_one_that_it_is_based_on() -> None:
    mine = dataclasses.replace(load_profile("rpi5"), name="mine", based_on="rpi5")
    assert processor(mine, "aarch64") == "cortex-a76"
    other = dataclasses.replace(load_profile("generic-aarch64"), name="other")
    assert processor(other, "aarch64") == "cortex-a53"
