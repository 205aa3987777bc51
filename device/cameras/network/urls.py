"""URLs of network cameras: which are some, and how they are asked for."""

from __future__ import annotations

import re
import string
import urllib.parse
from http.client import HTTPException
from typing import NamedTuple

from edgeinfer.device.cameras.network.protocol.authentication import Credentials
from edgeinfer.device.core.camera_url import without_secrets as without_secrets
from edgeinfer.device.core.errors import CameraError

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp", "tcp")
_PORTS = {"http": 80, "https": 443}
_ENDS = re.compile(r"[/?#\\]")
_NO_ESCAPE = re.compile("%(?![0-9a-fA-F]{2})")
_PORT = re.compile("[0-9]{0,5}")


def is_url(source: str) -> bool:
    """True for the URL of a network camera."""
    scheme, separator, _ = source.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


def is_http(source: str) -> bool:
    """True for a URL of HTTP, encrypted or not."""
    return source.lower().startswith(("http://", "https://"))


def url_credentials(url: str) -> Credentials | None:
    """Return the name and password in a URL, where it has some.

    Raises:
        ValueError: it is not a URL.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.username is None:
        return None
    name, password = (urllib.parse.unquote(each or "") for each in (parts.username, parts.password))
    return Credentials(name, password)


class HttpPlace(NamedTuple):
    """Where something is, in HTTP.

    Attributes:
        scheme: "http" or "https".
        host: a name or an address, without brackets.
        port: its port.
        target: path and query, as a request's first line has them.
    """

    scheme: str
    host: str
    port: int
    target: str

    @staticmethod
    def parse(url: str) -> HttpPlace:
        """Return the place of a URL, without its name and password.

        Raises:
            ValueError: it is not a URL of HTTP.
        """
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("is not a URL of HTTP")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return HttpPlace(
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            target=urllib.parse.quote(target, safe=string.punctuation),
        )

    def redirected(self, location: str) -> HttpPlace:
        """Return the place to which an answer leads.

        Raises:
            HTTPException: it is of another kind.
            ValueError: it is not a URL.
        """
        # http.client reads headers as Latin-1.
        location = urllib.parse.quote(location, safe=string.punctuation, encoding="latin-1")
        url = urllib.parse.urljoin(self.url, location)
        scheme = urllib.parse.urlsplit(url).scheme
        if scheme not in _PORTS:
            raise HTTPException(f"it redirects to a URL of the kind '{scheme[:20]}'")
        return HttpPlace.parse(url)

    @property
    def server(self) -> tuple[str, str, int]:
        """Who answers: scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def netloc(self) -> str:
        """Host and port, the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The place as a URL."""
        return f"{self.scheme}://{self.netloc}{self.target}"


def check_password(url: str, *, certain: bool = True) -> None:
    """Explain a URL whose name or password holds what has a meaning in URLs.

    Args:
        url: what the user gave.
        certain: only where it can mean nothing else. After the camera was not found, what is
            likely will do.

    Raises:
        CameraError: it is one.
    """
    secret, _, _ = url.partition("://")[2].rpartition("@")
    end = _ENDS.search(secret)
    authority = secret[: end.start()] if end else secret
    host, _, port = authority.rpartition("@")[2].partition(":")
    bracket = "[" in secret or "]" in secret
    if end is None and not bracket:
        return
    impossible = _PORT.fullmatch(port) is None and not host.startswith("[")
    # A name and a password up to what ends them, or a fragment, which no camera is asked for.
    if certain and not (impossible or "#" in secret or (bracket and end is None)):
        return
    found = [mark for mark in "@/?#\\[]" if mark in secret]
    if _NO_ESCAPE.search(secret):
        found.append("%")
    raise CameraError(
        without_secrets(url),
        got=f"has {' and '.join(found)} in its name or password, with another meaning in URLs",
        expected="such characters as their codes",
        next_step="write " + ", ".join(f"%{ord(mark):02X} for {mark}" for mark in found),
    )
