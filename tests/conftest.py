"""Fixtures that all tests share."""

from __future__ import annotations

import importlib
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.checkout import ROOT
from tests.support.made_once import made_once
from tests.system.reference_delegate.build import build, c_compiler

pytest_plugins = (
    "tests.support.logged",
    "tests.support.own_folders",
    "tests.support.processor_time",
    "tests.support.scheduling",
    "tests.support.told",
    "tests.support.warm_tensorflow",
)

# In a process that has imported TensorFlow it would not work any more.
with suppress(ImportError):
    importlib.import_module("tflite_runtime.interpreter")

# The same examples each time, so that a change which breaks nothing never fails; `make test-long`
# draws others. Machines that run tests are shared: an example that takes long says nothing.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("same")

# A shell starts what runs in the background with Ctrl-C ignored, and programs hand that on to those
# that they start: without this, tests that press Ctrl-C would depend on how they were started.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photographs, clips and reference models next to the checkout."""
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
    name = "libreference_delegate.so"
    folder = made_once(
        tmp_path_factory, "reference_delegate", lambda folder: build(folder / name, compiler)
    )
    return folder / name
