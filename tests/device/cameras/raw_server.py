"""A server on this machine that answers every connection with bytes of a test's choice."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

from edgeinfer.device.cameras.base import Camera
from edgeinfer.device.cameras.network.mjpeg import MjpegCamera
from tests.support.waiting import PATIENCE_S

Answer = Callable[["Connection"], None]


class Connection:
    """One client, whose request was read.

    Attributes:
        request: the first line and headers.
        requests: how many came on it.
        sent: how many bytes it took, its system's buffers included.
    """

    def __init__(self, sock: socket.socket, request: bytes, closing: threading.Event) -> None:
        self._socket = sock
        self.request = request
        self.closing = closing
        self.requests = 1
        self.sent = 0

    def send(self, data: bytes) -> None:
        """Send all of it; OSError when the client has gone."""
        self._socket.sendall(data)
        self.sent += len(data)

    def send_forever(self, data: bytes, pause_s: float = 0.0) -> None:
        """Send it again and again until the client goes, or has had all the time in the world."""
        end_s = time.monotonic() + PATIENCE_S
        while not self.closing.wait(pause_s) and time.monotonic() < end_s:
            self.send(data)

    def next_request(self) -> bytes:
        """Return the next request on this connection; empty when the client has gone."""
        request = b""
        while b"\r\n\r\n" not in request:
            # A client that keeps its connection says nothing until it closes it.
            data = self._socket.recv(4096)
            if not data:
                return b""
            request += data
        self.requests += 1
        return request

    def hold(self) -> None:
        """Send nothing more and keep the connection."""
        self.closing.wait(PATIENCE_S)


class RawServer:
    """Listens on a free port of the loopback.

    Attributes:
        answer: what to do with a connection.
        connections: those so far.
    """

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self._context = context
        self.connections: list[Connection] = []
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    @property
    def url(self) -> str:
        """Where it answers."""
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://127.0.0.1:{self.port}/video"

    def close(self) -> None:
        """End all connections."""
        self._closing.set()
        self._accepting.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            sock.settimeout(PATIENCE_S)
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self._threads.append(threading.Thread(target=self._serve, args=(sock,)))
            self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.ExitStack() as open_sockets, contextlib.suppress(OSError):
            open_sockets.enter_context(sock)
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)
                open_sockets.enter_context(sock)
            connection = Connection(sock, b"", self._closing)
            connection.request = connection.next_request()
            if connection.request:
                connection.requests = 1
                self.connections.append(connection)
                self.answer(connection)


def make_impatient(camera: Camera, timeout_s: float) -> None:
    """Shorten the wait for pictures once the connection stands, which may take a busy while."""
    assert isinstance(camera, MjpegCamera)
    camera._timeout_s = camera._stream._patience._timeout_s = timeout_s


@contextlib.contextmanager
def raw_server(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Serve until the block ends.

    Args:
        answer: what to do with each connection.
        context: the server's certificate, for TLS.
    """
    server = RawServer(answer, context)
    try:
        yield server
    finally:
        server.close()
