from __future__ import annotations

import functools
import gzip
import http.server
import importlib.util
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeinfer.converters.run_folder.samples import read_idx
from edgeinfer.device.core.errors import DataError
from edgeinfer.host.data.fashion_mnist import (
    EMBEDDED,
    FILES,
    LABELS,
    SYSTEM_FOLDERS,
    TRAIN_LABELS,
    download,
    find_full_set,
    list_samples,
)
from tests.converters.common.listening import Listening

DEBIAN = SYSTEM_FOLDERS[0]
needs_debian = pytest.mark.skipif(
    not DEBIAN.is_dir(), reason=f"{DEBIAN} is absent: install dataset-fashion-mnist"
)


def test_the_embedded_subset_is_small_stratified_and_licensed() -> None:
    assert sum((EMBEDDED / file.name).stat().st_size for file in FILES) <= 4_000_000
    train, test = list_samples(EMBEDDED)
    for samples, per_class in ((train, 700), (test, 100)):
        assert [sum(s.target == label for s in samples) for label in range(10)] == [per_class] * 10
    assert "Zalando" in (EMBEDDED / "LICENSE").read_text()
    assert "make_subset.py" in (EMBEDDED / "SOURCE.md").read_text()


@needs_debian
def test_the_script_makes_the_embedded_bytes(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_subset", EMBEDDED / "make_subset.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.make_subset(DEBIAN, tmp_path)
    for file in FILES:
        made, shipped = (tmp_path / file.name).read_bytes(), (EMBEDDED / file.name).read_bytes()
        if "ng" in zlib.ZLIB_RUNTIME_VERSION:
            # zlib-ng compresses otherwise; what it holds must still be the same.
            made, shipped = gzip.decompress(made), gzip.decompress(shipped)
        assert made == shipped, file.name


@needs_debian
def test_debians_package_holds_what_upstream_publishes() -> None:
    train, test = list_samples(DEBIAN)
    assert (len(train), len(test)) == (60_000, 10_000)
    assert train[59_999].source == f"{DEBIAN}/train-images-idx3-ubyte.gz#59999"


def test_a_folder_that_the_user_names(tmp_path: Path) -> None:
    assert find_full_set(EMBEDDED) == EMBEDDED
    with pytest.raises(DataError, match=r"has no train-images-idx3-ubyte\.gz, expected the four"):
        find_full_set(tmp_path)


def test_labels_that_do_not_belong_to_the_images(tmp_path: Path) -> None:
    for file in FILES:
        (tmp_path / file.name).write_bytes((EMBEDDED / file.name).read_bytes())
    labels = gzip.decompress((EMBEDDED / TRAIN_LABELS.name).read_bytes())
    path = tmp_path / TRAIN_LABELS.name
    path.write_bytes(gzip.compress(labels[:-1] + bytes([len(LABELS)])))
    with pytest.raises(DataError, match="holds the label 10, expected 0 to 9"):
        list_samples(tmp_path)
    path.write_bytes(gzip.compress(labels[:4] + bytes([0, 0, 0, 3]) + labels[8:11]))
    with pytest.raises(DataError, match="expected one label for each image"):
        list_samples(tmp_path)


# Download, from a server on this machine -------------------------------------------------------


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Yield a folder and the address under which it is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        try:
            yield folder, f"http://127.0.0.1:{httpd.server_port}"
        finally:
            httpd.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@needs_debian
def test_download(server: tuple[Path, str], tmp_path: Path) -> None:
    served, address = server
    for file in FILES:
        (served / file.name).symlink_to(DEBIAN / file.name)
    progress = Listening()
    folder = download(tmp_path / "data", source=address, progress=progress)
    assert progress.told == ["downloading Fashion-MNIST of 4"]
    assert progress.advances == [1] * 4
    assert (read_idx(folder / FILES[2].name) == read_idx(DEBIAN / FILES[2].name)).all()
    assert {path.name for path in folder.iterdir()} == {file.name for file in FILES}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: b"<html>no such page</html>", "is not a gzip file"),
        (lambda: gzip.compress(b"something else"), "holds 14 bytes .* expected 47,040,016 bytes"),
        (lambda: gzip.compress(bytes(47_040_016)), "holds 47,040,016 bytes with SHA-256"),
        (lambda: gzip.compress(bytes(60_000_000)), "holds 47,040,017 bytes"),
    ],
    ids=["no gzip", "too short", "other content", "too long"],
)
def test_wrong_files_are_not_kept(
    server: tuple[Path, str], tmp_path: Path, make: Callable[[], bytes], message: str
) -> None:
    served, address = server
    (served / FILES[0].name).write_bytes(make())
    with pytest.raises(DataError, match=f"{message}.*apt install dataset-fashion-mnist"):
        download(tmp_path / "data", source=address)
    assert not (tmp_path / "data").exists()


def test_download_when_nobody_answers(server: tuple[Path, str], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be downloaded.*apt install dataset-fashion-mnist"):
        download(tmp_path / "data", source=server[1] + "/nowhere")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(DataError, match=r"cannot be downloaded.*refused"):
            download(tmp_path / "data", source=address)
    assert not (tmp_path / "data").exists()
