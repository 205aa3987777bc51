"""URLs of network cameras: which are some, and how they are asked for."""

from __future__ import annotations

import base64
import urllib.parse
import urllib.request

from edgeinfer.device.core.camera_url import without_secrets as without_secrets

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp", "tcp")


def is_url(source: str) -> bool:
    """True for the URL of a network camera."""
    scheme, separator, _ = source.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


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
