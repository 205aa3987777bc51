"""An untrusted index: nothing that the lock does not name is taken from it, or run."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edgeinfer.device.core.errors import WheelError
from edgeinfer.host.board_wheels import board_wheels
from edgeinfer.host.board_wheels.lock import Lock
from edgeinfer.host.board_wheels.make_lock import lock_of
from edgeinfer.host.board_wheels.wheel_file import wheel_file
from tests.host.board_wheels.wheels import (
    BOOKWORM,
    forget_settings,
    make_own_wheel,
    make_wheel,
    use_index,
)
from tests.support.untrusted_folder import UntrustedFolder, work_in_untrusted_folder

NUMPY_TAG = "cp311-cp311-manylinux2014_aarch64"
RUNTIME_TAG = "cp311-cp311-manylinux_2_34_aarch64"


class Index:
    """An untrusted index, and the lock of the packages as they should be."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "index"
        self.marker = tmp_path / "ran"
        genuine = tmp_path / "genuine"
        self.wheels = [
            make_wheel(genuine, "pip", version="26.0"),
            make_wheel(genuine, "numpy", version="1.26.4", tag=NUMPY_TAG),
            make_wheel(
                genuine,
                "tflite-runtime",
                version="2.14.0",
                tag=RUNTIME_TAG,
                requires=["numpy>=1.23"],
            ),
        ]
        self.lock: Lock = lock_of(self.wheels)

    def put_genuine(self, *without: str) -> None:
        """Offer the packages as they should be."""
        self.folder.mkdir(exist_ok=True)
        for wheel in self.wheels:
            if wheel.name.partition("-")[0] not in without:
                (self.folder / wheel.name).write_bytes(wheel.read_bytes())

    def put_hostile(self, name: str, version: str, tag: str = "py3-none-any") -> None:
        """Offer a wheel and sources of that version whose code leaves a mark."""
        code = f"open({str(self.marker)!r}, 'a').write('{name} ran')\n"
        module = name.replace("-", "_")
        members = {f"{module}/__init__.py": code, f"{module}.pth": f"import sys; {code}"}
        make_wheel(self.folder, name, version=version, tag=tag, members=members)
        with tarfile.open(self.folder / f"{name}-{version}.tar.gz", "w:gz") as archive:
            for member, content in (("setup.py", code), ("PKG-INFO", f"Name: {name}\n")):
                entry = tarfile.TarInfo(f"{name}-{version}/{member}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content.encode()))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    index = Index(tmp_path)
    use_index(index.folder, monkeypatch)
    return index


@pytest.fixture(params=["find-links", "index", "pip.conf"])
def offered(
    request: pytest.FixtureRequest,
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Index]:
    """The same by each way that pip may learn of an index."""
    index.put_genuine()
    for name in ("edgeinfer", "numpy", "tflite-runtime", "click", "pip"):
        index.put_hostile(name, "9.9")
    if request.param == "find-links":
        yield index
        return
    forget_settings(monkeypatch)
    with serve(index.folder, tmp_path / "simple") as address:
        if request.param == "index":
            monkeypatch.setenv("PIP_INDEX_URL", address)
        else:
            settings = tmp_path / "pip.conf"
            settings.write_text(f"[global]\nindex-url = {address}\nno-binary = :all:\n")
            monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
        yield index


class serve:
    """An index of a folder's files, over HTTP."""

    def __init__(self, files: Path, root: Path) -> None:
        for file in files.iterdir():
            name = file.name.removesuffix(".tar.gz").split("-9.9")[0].split("-", 1)[0]
            name = file.name.split("-9.9")[0] if "-9.9" in file.name else name
            page = root / name.replace("_", "-") / "index.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            (page.parent / file.name).write_bytes(file.read_bytes())
            with page.open("a") as stream:
                stream.write(f'<a href="{file.name}">{file.name}</a>\n')

        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                pass

        handler = partial(Quiet, directory=str(root))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def test_newer_versions_of_an_attacker_are_not_taken(offered: Index, tmp_path: Path) -> None:
    own = make_own_wheel(tmp_path)
    found = board_wheels(BOOKWORM, given=[own], lock=offered.lock, cache=tmp_path / "cache")
    genuine = {wheel_file(path).sha256 for path in (*offered.wheels, own)}
    assert {wheel.sha256 for wheel in (*found.wheels, found.pip)} == genuine
    assert not offered.marker.exists()


def test_edgeinfer_itself_is_not_asked_of_an_index(
    offered: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the newer one, and not one of this very version."""
    make_own_wheel(offered.folder)
    monkeypatch.setattr("edgeinfer.host.board_wheels.find.source_checkout", lambda: tmp_path)
    with pytest.raises(WheelError, match=r"there is no wheel in dist/, .*; run: make wheels"):
        board_wheels(BOOKWORM, lock=offered.lock, cache=tmp_path / "cache")
    assert not list((tmp_path).rglob("cache/*"))
    assert not offered.marker.exists()


def test_a_wheel_of_the_same_name_with_another_content_is_refused(
    index: Index, tmp_path: Path
) -> None:
    index.put_genuine("numpy")
    index.put_hostile("numpy", "1.26.4", NUMPY_TAG)
    wanted = wheel_file(index.wheels[1])
    got = wheel_file(index.folder / wanted.name)
    own, cache = make_own_wheel(tmp_path), tmp_path / "cache"
    with pytest.raises(WheelError) as caught:
        board_wheels(BOOKWORM, given=[own], lock=index.lock, cache=cache)
    sentence = str(caught.value)
    assert sentence.startswith(f"{wanted.name}: ")
    assert f"has SHA-256 {got.sha256}, expected {wanted.sha256}, as the lock" in sentence
    assert not list(cache.rglob("*.whl"))
    assert not index.marker.exists()


def test_the_sources_of_a_locked_version_are_not_built(index: Index, tmp_path: Path) -> None:
    index.put_genuine("numpy")
    index.put_hostile("numpy", "1.26.4", NUMPY_TAG)
    (index.folder / index.wheels[1].name).unlink()
    with pytest.raises(WheelError, match=r"no wheel of numpy==1\.26\.4"):
        board_wheels(
            BOOKWORM, given=[make_own_wheel(tmp_path)], lock=index.lock, cache=tmp_path / "cache"
        )
    assert not index.marker.exists()


def test_what_the_lock_does_not_name_is_refused(index: Index, tmp_path: Path) -> None:
    """A package that a given wheel needs, and that an attacker may have registered."""
    index.put_genuine()
    index.put_hostile("acme-sensors", "9.9")
    own = make_own_wheel(tmp_path, ["tflite-runtime==2.14.0", "acme-sensors"])
    cache = tmp_path / "cache"
    with pytest.raises(WheelError, match=r"acme-sensors: is not in the lock of board packages"):
        board_wheels(BOOKWORM, given=[own], lock=index.lock, cache=cache)
    mine = make_wheel(tmp_path, "acme-sensors")
    found = board_wheels(BOOKWORM, given=[own, mine], lock=index.lock, cache=cache)
    assert mine in [wheel.path for wheel in found.wheels]


def test_a_file_that_was_changed_in_the_cache_is_not_taken(index: Index, tmp_path: Path) -> None:
    index.put_genuine()
    own, cache = make_own_wheel(tmp_path), tmp_path / "cache"
    first = board_wheels(BOOKWORM, given=[own], lock=index.lock, cache=cache)
    kept = next(cache.rglob("numpy-*.whl"))
    index.put_hostile("numpy", "1.26.4", NUMPY_TAG)
    kept.write_bytes((index.folder / kept.name).read_bytes())
    index.put_genuine()
    assert board_wheels(BOOKWORM, given=[own], lock=index.lock, cache=cache) == first
    assert not index.marker.exists()


def test_pip_runs_nothing_of_the_working_folder(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.put_genuine()
    own = make_own_wheel(tmp_path)
    folder: UntrustedFolder = work_in_untrusted_folder(tmp_path / "untrusted", monkeypatch)
    board_wheels(BOOKWORM, given=[own], lock=index.lock, cache=tmp_path / "cache")
    assert folder.imported() == []
