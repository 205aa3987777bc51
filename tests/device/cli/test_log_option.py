"""What a command tells while other threads do other things."""

from __future__ import annotations

import subprocess
import sys

import pytest

TELL = """
import os, sys, threading
import click
from edgeinfer.device.cli.log_option import LoggedCommand, log_format_option, open_log
from edgeinfer.device.runtime.runner import _quiet_native_log

@click.command(cls=LoggedCommand)
@log_format_option
def tell(log_format):
    log = open_log(log_format)
    log.info("before", "before")
    with _quiet_native_log():
        thread = threading.Thread(target=log.warn, args=["the camera is away"])
        thread.start()
        thread.join()
        os.write(2, b"native code\\n")
    log.info("after", "after")

tell()
"""


@pytest.mark.parametrize("style", ["text", "json", "journald"])
def test_what_is_told_while_a_runtime_opens_a_model_is_not_lost(style: str) -> None:
    command = [sys.executable, "-c", TELL, "--log-format", style]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert len(lines) == 3, lines
    assert "the camera is away" in lines[1]
    assert "native code" not in done.stderr
