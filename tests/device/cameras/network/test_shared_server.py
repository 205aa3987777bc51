"""A shared server that gives MJPEG in every way that cameras do, right and wrong."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edgeinfer.device.cameras.network.opencv import open_url
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import CameraError
from tests.support.waiting import PATIENCE_S, until

PATIENT = CameraOptions(timeout_s=PATIENCE_S)

PICTURES = """
    ok dashes quoted nolen wronglen otherb nofirst nob lf upper mixed octet rawjpegs noct chunked
    imagejpegstream chunk1 http10 noreason badhdr redir noeoi pad padff grey prog burst fast
    base64ct snap snapnolen close5 half5
"""
WITH_PASSWORD = {
    "basic": "admin:p%40ss%2Fw%3Ao%23rd",
    "redirabs": "admin:p%40ss%2Fw%3Ao%23rd",
    "digest": "admin:secret",
    "digest256": "admin:secret",
    "digestboth": "admin:secret",
    "digestnoqop": "admin:secret",
}
REFUSED = {
    "basic": "answers 401",
    "digest256": "answers 401",
    "404": "answers 404",
    "503": "answers 503",
    "html": "answers with text/html",
    "reset": "hangs up without an answer",
    "redirloop": "too many redirections",
    "redirfile": "a URL of the kind 'file'",
    "icy": "its answer is not HTTP",
    "chunkbad": "stopped delivering",
    "alltorn": "30 damaged pictures in a row",
    "empty200": "ended",
}


@pytest.fixture(scope="module")
def port(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    script = shared_data.parent / "cases" / "media" / "mjpeg_server.py"
    if not script.exists():
        pytest.skip(f"{script} is absent")
    pytest.importorskip("PIL")
    folder = tmp_path_factory.mktemp("server")
    (folder / "net").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, script, str(number)], cwd=folder)

    def answers() -> bool:
        assert server.poll() is None
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", number)):
            return True
        return False

    try:
        until(answers, "the server's start")
        yield number
    finally:
        server.kill()
        server.wait()


def look(url: str) -> str:
    """Return the size of two pictures, or what went wrong."""
    try:
        with open_url(url, PATIENT, fps=100) as camera:
            sizes = {frame.rgb().shape for _ in range(2) if (frame := camera.read())}
    except CameraError as error:
        return str(error)
    return " ".join(map(str, sizes)) or "ended"


def test_every_way_has_its_answer(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    wanted = {f"http://127.0.0.1:{port}/{path}": "(480, 640, 3)" for path in PICTURES.split()}
    wanted |= {f"http://127.0.0.1:{port}/{path}": said for path, said in REFUSED.items()}
    wanted |= {
        f"http://{user}@127.0.0.1:{port}/{path}": "(480, 640, 3)"
        for path, user in WITH_PASSWORD.items()
    }
    with ThreadPoolExecutor(len(wanted)) as threads:
        answers = dict(zip(wanted, threads.map(look, wanted), strict=True))
    wrong = {url: answers[url] for url, said in wanted.items() if said not in answers[url]}
    assert not wrong
