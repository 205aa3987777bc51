"""No bundle decides which library is loaded: what one names, or is itself, never runs."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeinfer.device import open as open_stream
from edgeinfer.device.accelerators.registry import named_accelerator
from edgeinfer.device.core.errors import BundleError
from edgeinfer.device.models.bundle.reader import open_bundle
from edgeinfer.device.models.model import Model
from edgeinfer.device.models.verify import verify_bundle
from edgeinfer.device.releases.install.release import Release
from edgeinfer.device.releases.trial.verify import verify
from tests.device.models.bundle.lures import Lure, behind, naming
from tests.device.releases.boards import bare_spec, make_board
from tests.support.program import edgeinfer, error_line
from tests.system.reference_delegate.build import c_compiler

COMMANDS: dict[str, Callable[[Path], tuple[object, ...]]] = {
    "verify": lambda path: ("verify", path),
    "inspect": lambda path: ("inspect", path),
    "predict": lambda path: ("predict", "--model", path, "absent.png"),
    "run": lambda path: ("run", "--camera=simulated", "--max-frames=1", "--model", path),
    "benchmark": lambda path: ("benchmark", path, "--seconds=0.05", "--threads=1"),
    "flash": lambda path: ("flash", "--board=rpi4-coral-usb", "--host=127.0.0.1", path),
    "emulate": lambda path: ("boards", "emulate", "rpi4", path),
}


@pytest.fixture
def lure(tmp_path: Path) -> Lure:
    compiler = c_compiler()
    if compiler is None:
        pytest.skip("there is no C compiler: this test builds a library from C")
    return Lure(tmp_path, compiler)


@pytest.fixture
def both(sample_bundle: Path, lure: Lure, tmp_path: Path) -> Path:
    """A file that is a library and a bundle that names it."""
    path = tmp_path / "both.edgebundle"
    path.write_bytes(behind(lure.library.read_bytes(), naming(sample_bundle, str(path))))
    return path


def test_the_lure_works(sample_bundle: Path, lure: Lure, both: Path) -> None:
    """What the user names is loaded: that a file is there afterwards can be relied on."""
    edgeinfer("verify", sample_bundle, f"--delegate={both}")
    assert lure.marker.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_library_that_is_a_bundle_is_not_loaded(command: str, both: Path, lure: Lure) -> None:
    line = error_line(edgeinfer(*COMMANDS[command](both), cwd=both.parent))
    assert "both.edgebundle: is damaged" in line
    lure.assert_idle()


def test_the_doctor_does_not_load_it(both: Path, lure: Lure) -> None:
    done = edgeinfer("doctor", "--model", both, "--json", cwd=both.parent)
    assert done.returncode == 1
    assert "is damaged" in done.stdout
    lure.assert_idle()


def test_the_boards_agent_does_not_load_it(both: Path, lure: Lure, tmp_path: Path) -> None:
    layout = make_board(tmp_path)
    content = both.read_bytes()
    folder = layout.release(1)
    program = folder / "package" / "bin" / "edgeinfer"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edgeinfer.device.cli "$@"\n')
    program.chmod(0o755)
    (folder / "bundle.edgebundle").write_bytes(content)
    release = Release(number=1, spec=bare_spec(content), package="x", installed="now")
    # As the user who runs the tests: the service's user is only on boards.
    assert "is damaged" in verify(layout, release, user=getpass.getuser())
    lure.assert_idle()


def kinds(sample_bundle: Path, lure: Lure) -> dict[str, bytes]:
    """Return bundles that name a library in every way."""
    library = lure.library.read_bytes()
    named = {
        name: naming(sample_bundle, text)
        for name, text in {
            "path": str(lure.library),
            "relative": f"./{lure.library.name}",
            "bare": lure.library.name,
            "of-the-system": "libc.so.6",
            "known-library": "libedgetpu.so.1",
            "empty": "",
            "upper": "EDGETPU",
        }.items()
    }
    itself = naming(sample_bundle, str(lure.library.with_name("put-before.edgebundle")))
    return named | {"put-before": library + itself}


def test_every_way_of_naming_a_library_is_refused(
    sample_bundle: Path, lure: Lure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lure.library.parent)
    for name, content in kinds(sample_bundle, lure).items():
        path = lure.library.with_name(f"{name}.edgebundle")
        path.write_bytes(content)
        for use in (open_bundle, Model.open, verify_bundle, open_stream):
            with pytest.raises(BundleError) as caught:
                use(path)
            assert ("delegate is" in str(caught.value)) or name == "put-before", name
        lure.assert_idle()


def test_a_library_in_the_working_folder_is_not_taken_for_an_accelerators(
    sample_bundle: Path, lure: Lure, tmp_path: Path
) -> None:
    """An empty part of LD_LIBRARY_PATH, as `$UNSET:/opt/lib` gives it, is the working folder."""
    path = tmp_path / "edgetpu.edgebundle"
    path.write_bytes(naming(sample_bundle, "edgetpu"))
    known = named_accelerator("edgetpu").library
    lure.library.rename(tmp_path / known)
    environment = {"LD_LIBRARY_PATH": ":/nowhere:."}
    done = edgeinfer("verify", path, "--json", cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["variant"] == "cpu"
    done = edgeinfer("verify", path, f"--delegate={known}", cwd=tmp_path, env=environment)
    assert "not installed" in done.stderr + done.stdout, (done.stderr, done.stdout)
    edgeinfer("doctor", "--model", path, cwd=tmp_path, env=environment)
    lure.assert_idle()
