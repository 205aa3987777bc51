"""One virtual board for all tests of this folder."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator

import pytest

from tests.support import told
from tests.system.emulated.debian import UserlandError
from tests.system.environments import unavailable
from tests.system.virtual_pi.image import BoardImage, board_image
from tests.system.virtual_pi.machine import VirtualPi
from tests.system.virtual_pi.releases import Tell


@pytest.fixture(scope="session")
def tell(pytestconfig: pytest.Config) -> Tell:
    """Keep a text for the end of the run: wall times and transcripts, which no test judges."""
    return functools.partial(told.tell, pytestconfig, "virtual board")


@pytest.fixture(scope="session")
def image(tell: Tell) -> BoardImage:
    """The parts of a virtual board; made again where nothing is kept, in about 20 seconds."""
    began = time.monotonic()
    try:
        made = board_image()
    except UserlandError as error:
        unavailable(f"no virtual board: {error}")
    tell(f"its parts: {time.monotonic() - began:.1f} s")
    return made


@pytest.fixture(scope="session")
def board(
    image: BoardImage, tmp_path_factory: pytest.TempPathFactory, tell: Tell
) -> Iterator[VirtualPi]:
    """A board that runs and lets its user in."""
    with VirtualPi(image, tmp_path_factory.mktemp("board")) as machine:
        machine.start()
        tell(f"from switching on to SSH: {machine.wait_ssh():.1f} s")
        yield machine
