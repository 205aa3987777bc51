"""Cameras with self-signed certificates, against real servers on this machine."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from edgeinfer.device.cameras.network.protocol.tls import Trust
from edgeinfer.device.cameras.open import open_camera
from edgeinfer.device.cameras.options import CameraOptions
from edgeinfer.device.core.errors import CameraError, UsageError
from tests.device.cameras.network.cameras_over_http import redirects, refuses, responds, whole
from tests.device.cameras.network.test_jpeg_splitter import PICTURES
from tests.device.cameras.raw_server import raw_server
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="makes certificates with the program openssl"
)
VIDEO = responds(lambda *_: whole(PICTURES[0]), keep=True)


class Certificate(NamedTuple):
    """A certificate that signs itself, and a server's context with it."""

    path: Path
    context: ssl.SSLContext


def make_certificate(folder: Path, name: str, *extensions: str) -> Certificate:
    folder.mkdir(exist_ok=True)
    path, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-days", "30"]
    command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", f"/CN={name}"]
    command += [word for each in extensions for word in ("-addext", each)]
    subprocess.run([*command, "-out", path, "-keyout", key], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return Certificate(path, context)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    folder = tmp_path_factory.mktemp("certificates")
    return {
        "named": make_certificate(folder, "here", "subjectAltName=IP:127.0.0.1"),
        "nameless": make_certificate(folder, "camera-7f3a"),
        "end only": make_certificate(folder, "end", "basicConstraints=critical,CA:FALSE"),
    }


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def options(**given: Path | bool) -> CameraOptions:
    return CameraOptions(timeout_s=PATIENCE_S, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["named", "nameless", "end only"])
def test_certificate_of_a_camera(name: str, certificates: dict[str, Certificate]) -> None:
    certificate = certificates[name]
    with raw_server(VIDEO, certificate.context) as server:
        with pytest.raises(CameraError, match="its certificate is not trusted: ") as caught:
            open_camera(server.url, options=options())
        assert "--tls-ca" in caught.value.next_step
        assert "--tls-insecure" in caught.value.next_step
        with open_camera(server.url, options=options(tls_ca=certificate.path)) as camera:
            assert camera.description.startswith(f"{server.url}, single pictures")
            assert camera.read() is not None
        with open_camera(server.url, options=options(tls_insecure=True)) as camera:
            assert "(its certificate is not checked)" in camera.description
            assert camera.read() is not None


@pytest.mark.parametrize("name", ["named", "nameless"])
def test_file_with_another_certificate(name: str, certificates: dict[str, Certificate]) -> None:
    with (
        raw_server(VIDEO, certificates[name].context) as server,
        pytest.raises(CameraError, match="its certificate is not trusted: self-signed"),
    ):
        open_camera(server.url, options=options(tls_ca=certificates["end only"].path))


def test_other_certificate_of_the_same_name_is_not_taken(
    tmp_path: Path, certificates: dict[str, Certificate]
) -> None:
    """One signed by a certificate in the file is accepted for its own host only."""
    authority = certificates["nameless"]
    request, signed = tmp_path / "request", tmp_path / "signed.pem"
    key = tmp_path / "key"
    words = ["openssl", "req", "-nodes", "-newkey", "ec", "-pkeyopt"]
    words += ["ec_paramgen_curve:prime256v1", "-subj", "/CN=elsewhere"]
    subprocess.run([*words, "-keyout", key, "-out", request], check=True, capture_output=True)
    words = ["openssl", "x509", "-req", "-in", str(request), "-out", str(signed), "-days", "30"]
    words += ["-CA", str(authority.path), "-CAkey", str(authority.path.with_suffix(".key"))]
    subprocess.run([*words, "-CAcreateserial"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed, key)
    with (
        raw_server(VIDEO, context) as server,
        pytest.raises(CameraError, match="not trusted: IP address mismatch"),
    ):
        open_camera(server.url, options=options(tls_ca=authority.path))


def test_redirection_to_the_encrypted_side_keeps_the_password(
    certificates: dict[str, Certificate],
) -> None:
    seen: list[str] = []

    def respond(path: str, headers: dict[str, str]) -> bytes:
        seen.append(headers.get("authorization", ""))
        return whole(PICTURES[0]) if seen[-1] else refuses("Basic")

    from edgeinfer.device.cameras.network.opencv import open_url

    certificate = certificates["named"]
    with (
        raw_server(responds(respond), certificate.context) as encrypted,
        raw_server(responds(lambda *_: redirects(encrypted.url))) as server,
    ):
        url = server.url.replace("://", "://me:secret@")
        with open_url(url, options(), trust=Trust(certificate.path)) as camera:
            assert camera.read() is not None
    assert [header[:5] for header in seen] == ["", "Basic"]


def test_server_without_encryption_is_named(certificates: dict[str, Certificate]) -> None:
    with raw_server(lambda connection: connection.send(b"HTTP/1.1 400 No\r\n\r\n")) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(CameraError, match=r"cannot be reached \((it does not speak TLS|no )"):
            open_camera(url, options=CameraOptions(timeout_s=1))


def test_video_is_not_fetched_past_the_certificate(certificates: dict[str, Certificate]) -> None:
    certificate = certificates["named"]
    answer = whole(bytes(4) + b"ftypmp42" + bytes(200), "video/mp4")
    with (
        raw_server(responds(lambda *_: answer), certificate.context) as server,
        pytest.raises(CameraError, match="FFmpeg fetches without looking at --tls-ca"),
    ):
        open_camera(server.url, options=options(tls_ca=certificate.path))


@pytest.mark.parametrize("source", ["http://host/x", "rtsps://host/x", "simulated", "0", "", "-"])
def test_options_are_refused_where_there_is_no_certificate(
    source: str, certificates: dict[str, Certificate]
) -> None:
    path = certificates["named"].path
    with pytest.raises(UsageError, match=r"--tls-ca: is given for .* a camera at an https"):
        open_camera(source, options=CameraOptions(tls_ca=path))
    with pytest.raises(UsageError, match="--tls-insecure: is given for "):
        open_camera(source, options=CameraOptions(tls_insecure=True))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read .no such file"),
        (b"", "holds no certificate"),
        (b"\x30\x82\x01", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n", "holds no certificate"),
    ],
)
def test_file_that_holds_no_certificate(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        open_camera("https://host/x", options=CameraOptions(tls_ca=path))


def test_both_options_together(certificates: dict[str, Certificate]) -> None:
    with pytest.raises(UsageError, match="--tls-insecure: is used together with --tls-ca"):
        Trust(certificates["named"].path, insecure=True)
