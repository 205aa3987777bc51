"""One virtual board for all tests of this folder."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.system.emulated.debian import UserlandError
from tests.system.environments import unavailable
from tests.system.virtual_pi.image import BoardImage, board_image
from tests.system.virtual_pi.machine import VirtualPi


@pytest.fixture(scope="session")
def image() -> BoardImage:
    """The parts of a virtual board; made anew where nothing is kept, in about 20 seconds."""
    began = time.monotonic()
    try:
        made = board_image()
    except UserlandError as error:
        unavailable(f"no virtual board: {error}")
    print(f"virtual board: its parts after {time.monotonic() - began:.1f} s")
    return made


@pytest.fixture(scope="session")
def board(image: BoardImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualPi]:
    """A board that runs and lets its user in."""
    with VirtualPi(image, tmp_path_factory.mktemp("board")) as machine:
        machine.start()
        print(f"virtual board: SSH {machine.wait_ssh():.1f} s after it was switched on")
        yield machine
