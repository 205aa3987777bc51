"""URLs of network cameras: which are some, and what of them may be shown."""

from __future__ import annotations

import base64
import urllib.parse
import urllib.request

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp", "tcp")


def is_url(source: str) -> bool:
    """True for the URL of a network camera."""
    scheme, separator, _ = source.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


def without_secrets(url: str) -> str:
    """Return a URL as it may be shown: no name and password, no query, which may hold them.

    Passwords are often not escaped as they should be; so nothing before the last @ is shown.
    """
    scheme, _, rest = url.partition("://")
    _, at, rest = rest.rpartition("@")
    place, query, _ = rest.partition("?")
    return f"{scheme}://{'***@' if at else ''}{place}{'?***' if query else ''}"


def http_request(url: str) -> urllib.request.Request:
    """Return the request for a URL, its name and password in the header where they belong."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    request = urllib.request.Request(parts._replace(netloc=host, fragment="").geturl())
    if parts.username is not None:
        names = (urllib.parse.unquote(part or "") for part in (parts.username, parts.password))
        token = base64.b64encode(":".join(names).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request
