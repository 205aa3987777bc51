"""The [host] extra: its absence is one clear sentence, its import is silent."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from edgeinfer.device.core.errors import MissingExtraError
from edgeinfer.host import extras


def test_a_missing_package_gives_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "_NEEDED", ("keras", "no_such_package_of_ours"))
    assert importlib.util.find_spec("no_such_package_of_ours") is None
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeinfer\[host\]==[0-9.]+'"):
        extras.require_host_extra("edgeinfer train")


@pytest.mark.slow
def test_tensorflow_comes_without_its_chatter() -> None:
    code = (
        "from edgeinfer.host.extras import require_host_extra; require_host_extra('test'); "
        "import keras, sys; print(float(keras.ops.sum([1.0, 2.0]))); print('end', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("3.0\n", "end\n")
