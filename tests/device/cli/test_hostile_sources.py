"""Untrusted pictures end `edgeinfer run` and `predict` with one line, in bounds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.device.cameras.raw_server import Answer, Connection, raw_server
from tests.device.pictures.test_image_bombs import BOMBS, LIES
from tests.support.checkout import ROOT
from tests.support.waiting import PATIENCE_S

MAIN = """
import atexit, os, sys
from pathlib import Path
from edgeinfer.device.cli.main import main
from tests.support.peak_memory import peak_mib
atexit.register(lambda: Path(os.environ["PEAK_FILE"]).write_text(str(peak_mib())))
main()
"""
MOST_MIB = 300 * 10**6 >> 20


@pytest.fixture
def ended(shared_data: Path, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Return what runs a command with a small model: its exit code and the last line on stderr."""
    model = str(shared_data / "coral" / "mobilenet_v1_0.25_128_quant.tflite")

    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str]:
        given = tmp_path / "stdin"
        given.write_bytes(stdin)
        with given.open("rb") as stream, (tmp_path / "stderr").open("w+") as errors:
            process = subprocess.Popen(
                [sys.executable, "-c", MAIN, *arguments, "--model", model],
                stdin=stream,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=os.environ | {"no_proxy": "*", "PEAK_FILE": str(tmp_path / "peak")},
                cwd=ROOT,
            )
            code = process.wait(PATIENCE_S)
            errors.seek(0)
            lines = errors.read().splitlines()
        assert int((tmp_path / "peak").read_text()) < MOST_MIB
        assert not any("defect" in line or "Traceback" in line for line in lines)
        return code, lines[-1]

    return run


def endless(head: bytes) -> Answer:
    def answer(connection: Connection) -> None:
        connection.send(head)
        connection.send_forever(bytes(1 << 16))

    return answer


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", "answers 302 (too many redirections"),
        (b"HTTP/1.1 404 No\r\nContent-Length: " + b"9" * 20 + b"\r\n\r\n", "answers 404"),
        (b"HTTP/1.1 200 OK\r\nX: ", "cannot be reached"),
    ],
)
def test_camera_that_answers_forever(
    ended: Callable[..., tuple[int, str]], head: bytes, said: str
) -> None:
    with raw_server(endless(head)) as server:
        code, line = ended("run", "--camera", server.url, "--max-seconds", "2")
    assert code == 1
    assert said in line


def test_waiting_for_a_camera_ends_with_the_time(ended: Callable[..., tuple[int, str]]) -> None:
    camera = "http://127.0.0.1:1/video"
    code, line = ended("run", "--camera", camera, "--wait-for-camera", "--max-seconds", "1")
    assert code == 1
    assert "connection refused" in line


def test_chained_starts_on_stdin(ended: Callable[..., tuple[int, str]]) -> None:
    chain = b"\xff\xd8\xff\xe0\x00\x04" * (1 << 17)
    code, line = ended("run", "--camera", "-", stdin=chain)
    assert code == 1
    assert line.startswith("error: stdin: ended without a whole JPEG")


def test_folder_of_bombs(ended: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name, data in (BOMBS | LIES).items():
        (folder / f"{name}.jpg").write_bytes(data)
    code, line = ended("run", "--camera", str(folder))
    assert code == 1
    assert f"none of its {len(BOMBS | LIES)} images can be read" in line
    code, line = ended("predict", *map(str, sorted(folder.iterdir())))
    assert code == 1
