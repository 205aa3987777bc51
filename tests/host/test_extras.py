"""The [host] extra: its absence is one clear sentence, its import is silent."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from edgeinfer.device.core.errors import MissingExtraError
from edgeinfer.device.core.installation.advice import add_extra
from edgeinfer.host import extras


def test_a_missing_package_gives_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "_NEEDED", ("keras", "no_such_package_of_ours"))
    assert importlib.util.find_spec("no_such_package_of_ours") is None
    with pytest.raises(MissingExtraError) as raised:
        extras.require_host_extra("edgeinfer train")
    assert raised.value.next_step == add_extra("host")


def test_other_packages_of_a_command_are_asked_for_too() -> None:
    with pytest.raises(MissingExtraError, match="needs no_such_package_of_ours, not installed"):
        extras.check_host_extra("edgeinfer optimize", "rich", "no_such_package_of_ours")


CODE = """
import os, sys, threading
started, done, written = threading.Event(), threading.Event(), 0

def say():
    global written
    while not done.wait(0.0002):
        os.write(2, f"line {written}\\n".encode())
        written += 1
        started.set()

saying = threading.Thread(target=say)
saying.start()
started.wait()
from edgeinfer.host.extras import require_host_extra; require_host_extra('test')
import keras, logging
logging.getLogger("tensorflow").warning("calls of %s triggered tf.function retracing", len)
print(float(keras.ops.sum([1.0, 2.0])))
done.set()
saying.join()
print(written)
"""


@pytest.mark.slow
def test_tensorflow_prints_nothing_and_other_output_appears() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    total, written = done.stdout.split()
    assert total == "3.0"
    assert done.stderr.splitlines() == [f"line {number}" for number in range(int(written))]
