"""Names, passwords and redirections, against real servers on this machine."""

from __future__ import annotations

import base64
import hashlib

import pytest

from edgeinfer.device.cameras.network.opencv import open_url
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import CameraError
from tests.device.cameras.network.cameras_over_http import (
    parts_of,
    redirects,
    refuses,
    responds,
    whole,
)
from tests.device.cameras.network.test_jpeg_splitter import PICTURES
from tests.device.cameras.raw_server import raw_server
from tests.support.waiting import PATIENCE_S

PATIENT = CameraOptions(timeout_s=PATIENCE_S)
USER, PASSWORD = "me", "p@ss/w:o#rd"
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def with_user(url: str, password: str = "p%40ss%2Fw%3Ao%23rd") -> str:
    return url.replace("://", f"://{USER}:{password}@")


def is_right(header: str, target: str) -> bool:
    """Calculate Digest's answer as a server does, without the code under test."""
    if not header.startswith("Digest "):
        return False
    said = parts_of(header)
    algorithm = said.get("algorithm", "MD5").upper()
    name = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}

    def hashed(text: str) -> str:
        return hashlib.new(name[algorithm.removesuffix("-SESS")], text.encode()).hexdigest()

    secret = hashed(f"{USER}:{said['realm']}:{PASSWORD}")
    if algorithm.endswith("-SESS"):
        secret = hashed(f"{secret}:{said['nonce']}:{said['cnonce']}")
    middle = [said["nc"], said["cnonce"], said["qop"]] if "qop" in said else []
    asked = hashed(f"GET:{said['uri']}")
    response = hashed(":".join([secret, said["nonce"], *middle, asked]))
    return said["uri"] == target and said["response"] == response


DIGEST = 'Digest realm="cam, 1", nonce="abc="'


@pytest.mark.parametrize(
    "challenges",
    [
        [f'{DIGEST}, qop="auth", algorithm=MD5'],
        [f'{DIGEST}, qop="auth,auth-int", algorithm=SHA-256'],
        [f"{DIGEST}, qop=auth, algorithm=SHA-256-sess, opaque=x"],
        [f'{DIGEST}, qop="auth", algorithm=MD5-sess'],
        [DIGEST],
        ["Basic realm=cam", f'{DIGEST}, qop="auth", algorithm=SHA-256', f"{DIGEST}, qop=auth"],
        [f'Basic realm="cam", {DIGEST}, qop="auth"'],
        ["Negotiate", f"{DIGEST}, algorithm=SHA-512-256, qop=auth"],
    ],
)
def test_digest(challenges: list[str]) -> None:
    seen: list[str] = []

    def respond(path: str, headers: dict[str, str]) -> bytes:
        seen.append(headers.get("authorization", ""))
        if is_right(seen[-1], path):
            return whole(PICTURES[0])
        return refuses(*challenges)

    url = "/video?size=1&x=%20a"
    with raw_server(responds(respond)) as server:
        place = with_user(server.url).replace("/video", url)
        with open_url(place, PATIENT, fps=1000) as camera:
            assert camera.read() is not None
            assert camera.read() is not None
        with pytest.raises(CameraError, match=r"answers 401 .*; check name and password"):
            open_url(with_user(server.url, "wrong"), PATIENT)
    # Without being asked, only what was asked for before; Basic never where there is better.
    assert seen[0] == ""
    assert not any(header.startswith("Basic") for header in seen)
    assert [is_right(header, url) for header in seen[1:3]] == [True, True]


def test_digest_whose_number_becomes_old() -> None:
    numbers = iter(range(99))
    current = 0

    def respond(path: str, headers: dict[str, str]) -> bytes:
        nonlocal current
        header = headers.get("authorization", "")
        if is_right(header, path) and parts_of(header)["nonce"] == f"n{current}":
            current = -1  # each number counts once
            return whole(PICTURES[0])
        current = next(numbers)
        stale = ", stale=true" if header else ""
        return refuses(f'Digest realm="r", nonce="n{current}", qop="auth"{stale}')

    with (
        raw_server(responds(respond, keep=True)) as server,
        open_url(with_user(server.url), PATIENT, fps=1000) as camera,
    ):
        assert all(camera.read() is not None for _ in range(3))


def test_basic_where_the_server_knows_no_better() -> None:
    seen: list[str | None] = []

    def respond(path: str, headers: dict[str, str]) -> bytes:
        seen.append(headers.get("authorization"))
        challenges = [] if path == "/none" else ['Basic realm="cam"']
        return whole(PICTURES[0]) if seen[-1] == BASIC else refuses(*challenges)

    with raw_server(responds(respond)) as server:
        for path in ("/video", "/none"):
            with open_url(with_user(server.url).replace("/video", path), PATIENT) as camera:
                assert camera.read() is not None
    assert seen == [None, BASIC] * 2


@pytest.mark.parametrize("challenges", [["NTLM"], ['Bearer realm="x"', "Negotiate"]])
def test_other_kinds_are_named(challenges: list[str]) -> None:
    with (
        raw_server(responds(lambda *_: refuses(*challenges))) as server,
        pytest.raises(CameraError, match=r"wants '(ntlm|bearer, negotiate)'") as caught,
    ):
        open_url(with_user(server.url), PATIENT)
    assert PASSWORD not in str(caught.value)
    assert len(server.connections) == 1


def guarded(path: str, headers: dict[str, str]) -> bytes:
    return whole(PICTURES[0]) if headers.get("authorization") == BASIC else refuses("Basic")


@pytest.mark.parametrize("absolute", [False, True])
def test_password_is_kept_over_a_redirection_to_its_server(absolute: bool) -> None:
    def respond(path: str, headers: dict[str, str]) -> bytes:
        if path == "/video":
            return redirects(server.url + "2" if absolute else "/other")
        return guarded(path, headers)

    with (
        raw_server(responds(respond)) as server,
        open_url(with_user(server.url), PATIENT) as camera,
    ):
        assert camera.read() is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_password_goes_to_no_other_server(host: str) -> None:
    """Another host, and another port, which behind a router may be another device."""
    seen: list[str | None] = []

    def take(path: str, headers: dict[str, str]) -> bytes:
        seen.append(headers.get("authorization"))
        return guarded(path, headers)

    with raw_server(responds(take)) as other:
        place = f"http://{host}:{other.port}/x"
        with (
            raw_server(responds(lambda *_: redirects(place))) as server,
            pytest.raises(CameraError, match=rf"at http://{host}:{other.port}, where it") as caught,
        ):
            open_url(with_user(server.url), PATIENT)
    assert seen == [None]
    assert "give that address" in caught.value.next_step
    assert PASSWORD not in str(caught.value)


def test_password_of_a_proxy_is_the_proxys(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str | None, str | None]] = []

    def respond(path: str, headers: dict[str, str]) -> bytes:
        seen.append((path, headers.get("host"), headers.get("proxy-authorization")))
        return whole(PICTURES[0])

    with raw_server(responds(respond)) as server:
        monkeypatch.delenv("no_proxy")
        monkeypatch.setenv("http_proxy", f"http://a:b@127.0.0.1:{server.port}")
        with open_url("http://camera.invalid:8080/x", PATIENT) as camera:
            assert camera.read() is not None
    token = base64.b64encode(b"a:b").decode()
    assert seen == [("http://camera.invalid:8080/x", "camera.invalid:8080", f"Basic {token}")]
