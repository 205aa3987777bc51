"""A relay between an RTSP client and its server that can hold back what the server sends."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType


class Relay:
    """Passes on each connection to a port of this machine.

    Attributes:
        port: where clients connect.
        connections: how many there were.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._flowing = threading.Event()
        self._flowing.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Keep what the server sends; it goes on sending."""
        self._flowing.clear()

    def release(self) -> None:
        """Pass on all that was kept, and what follows as it comes."""
        self._flowing.set()

    def cut(self) -> None:
        """End all connections."""
        opened, self._open = self._open, []
        for end in opened:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Relay:
        """Relay until the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self._closed = True
        self._listener.close()
        self._flowing.set()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closed:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self.connections += 1
                self._open += [client, server]
                threading.Thread(target=_pass_on, args=(client, server), daemon=True).start()
                threading.Thread(
                    target=self._pass_or_hold, args=(server, client), daemon=True
                ).start()

    def _pass_or_hold(self, server: socket.socket, client: socket.socket) -> None:
        """Pass on the server's bytes; while they are held, they gather here."""
        kept: list[bytes] = []
        server.settimeout(0.01)
        with contextlib.suppress(OSError), server, client:
            while True:
                with contextlib.suppress(TimeoutError):
                    if not (data := server.recv(1 << 16)):
                        return
                    kept.append(data)
                if self._flowing.is_set() and kept:
                    client.sendall(b"".join(kept))
                    kept.clear()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
