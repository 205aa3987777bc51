"""Fixtures that all tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.system.reference_delegate.build import build, c_compiler

# Machines that run tests are shared: an example that takes long says nothing.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")

# A shell starts what runs in the background with Ctrl-C ignored, and programs hand that on to those
# that they start: without this, tests that press Ctrl-C would depend on how they were started.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photographs, clips and reference models beside the checkout."""
    folder = Path(os.environ.get("EDGEINFER_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: this test needs the shared photographs and models")
    return folder


@pytest.fixture(scope="session")
def sample_bundle() -> Path:
    """A bundle that edgeinfer made of Fashion-MNIST; tests/samples/README.md says how."""
    return ROOT / "tests" / "samples" / "fashion-mnist.edgebundle"


@pytest.fixture(scope="session")
def reference_delegate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library of an external delegate that plays good and bad accelerators."""
    compiler = c_compiler()
    if compiler is None:
        pytest.skip("there is no C compiler: this test builds a delegate from C")
    folder = tmp_path_factory.mktemp("reference_delegate")
    return build(folder / "libreference_delegate.so", compiler)
