"""Threads that report at the same time, streams that take nothing, and which levels are heard."""

from __future__ import annotations

import io
import json
import logging
import threading

import pytest

from edgeinfer.device.cli.log.formats import TextFormatter
from edgeinfer.device.cli.log.handler import StreamHandler, handling
from tests.device.cli.log.scene import Scene, logger_to


def test_threads_do_not_mix_lines() -> None:
    scene = Scene("json")

    def tell(name: str) -> None:
        for number in range(200):
            scene.log.warning("%s/%d: x", name, number)

    threads = [threading.Thread(target=tell, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([json.loads(line) for line in scene.lines()]) == 800


@pytest.mark.parametrize("kind", ["absent", "closed", "full"])
def test_a_stream_that_takes_nothing_ends_nothing(
    kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if kind == "absent":
        logger_to(StreamHandler(None, TextFormatter())).warning("x")
        assert capfd.readouterr().err == ""
        return
    stream = open("/dev/full", "w")  # noqa: SIM115
    if kind == "closed":
        stream.close()
    logger_to(StreamHandler(stream, TextFormatter())).warning("x")
    assert capfd.readouterr().err == ""
    if kind == "full":
        with pytest.raises(OSError, match="No space left"):
            stream.close()


def test_without_a_limit_everything_is_reported() -> None:
    stream = io.StringIO()
    handler = StreamHandler(stream, TextFormatter())
    for _ in range(3):
        logger_to(handler).warning("x")
    handler.catch_up(at_end=True)
    assert stream.getvalue() == "warning: x\n" * 3


def test_a_handler_hears_from_its_level_on_and_until_its_end() -> None:
    logger, before = logging.getLogger("edgeinfer.device.cameras"), logging.getLogger("edgeinfer")
    level = before.level
    stream = io.StringIO()
    with handling(StreamHandler(stream, TextFormatter()), logging.WARNING):
        logger.info("too low")
        logger.warning("heard")
    logger.warning("too late")
    assert stream.getvalue() == "warning: heard\n"
    assert before.level == level
