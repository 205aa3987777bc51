"""Connections to servers of HTTP, encrypted where that is asked for, and through proxies."""

from __future__ import annotations

import base64
import http.client
import socket
import urllib.request
from typing import NamedTuple

from edgeinfer.device.cameras.network.protocol.patience import Patience, answer_class
from edgeinfer.device.cameras.network.protocol.tls import Trust
from edgeinfer.device.cameras.network.urls import HttpPlace, url_credentials


class _Proxy(NamedTuple):
    host: str
    port: int
    headers: dict[str, str]


class HttpConnection(http.client.HTTPConnection):
    """A connection to a server, through the proxy that the environment names.

    Args:
        place: any on that server.
        trust: which certificates are accepted.
    """

    def __init__(self, place: HttpPlace, trust: Trust) -> None:
        self.place = place
        self._trust = trust
        self._patience = Patience(0)
        self._last: http.client.HTTPResponse | None = None
        self._proxy = _find_proxy(place)
        if self._proxy is None:
            super().__init__(place.host, place.port)
        else:
            super().__init__(self._proxy.host, self._proxy.port)
            if place.scheme == "https":
                self.set_tunnel(place.host, place.port, headers=self._proxy.headers)
        self.default_port = 443 if place.scheme == "https" else 80

    @property
    def free(self) -> bool:
        """Whether the last answer was read to its end, and the server waits for more."""
        return self.sock is not None and self._last is not None and self._last.isclosed()

    def connect(self) -> None:
        """Connect; `ask` does it where that is needed."""
        if self.place.scheme == "https":
            self.sock = self._trust.wrap(self._connect, self.place.host)
        else:
            self._connect()

    def ask(
        self, place: HttpPlace, headers: dict[str, str], patience: Patience
    ) -> http.client.HTTPResponse:
        """Return the answer to a request.

        Raises:
            OSError: the server cannot be reached, or does not answer in time.
            HTTPException: its answer is damaged, or begins with too much.
        """
        self._patience = patience
        self.response_class = answer_class(patience)
        if self.sock is not None:
            self.sock.settimeout(patience.left_s())
        target = place.target
        if self._proxy is not None and place.scheme == "http":
            target = place.url
            headers = headers | self._proxy.headers | {"Host": place.netloc}
        self.request("GET", target, headers=headers)
        self._last = self.getresponse()
        return self._last

    def _connect(self) -> socket.socket:
        self.timeout = self._patience.left_s()
        super().connect()
        return self.sock


def _find_proxy(place: HttpPlace) -> _Proxy | None:
    """Return the proxy that the environment names for a server."""
    url = urllib.request.getproxies().get(place.scheme)
    if not url or urllib.request.proxy_bypass(place.netloc):
        return None
    if "://" not in url:
        url = f"http://{url}"
    proxy, credentials = HttpPlace.parse(url), url_credentials(url)
    headers: dict[str, str] = {}
    if credentials is not None:
        token = f"{credentials.name}:{credentials.password}".encode()
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(token).decode()}"
    return _Proxy(proxy.host, proxy.port, headers)
