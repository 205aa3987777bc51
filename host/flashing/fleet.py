"""Several boards: one first, and only if that goes well the others, side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass

from edgeinfer.device.errors import EdgeinferError
from edgeinfer.device.ssh import SshHost
from edgeinfer.host.flashing.board import Board
from edgeinfer.host.flashing.connection import SharedConnection
from edgeinfer.host.flashing.deploy import Deployment
from edgeinfer.host.flashing.order import Order
from edgeinfer.host.flashing.result import HostResult
from edgeinfer.host.flashing.telling import Tell

SIDE_BY_SIDE = 4
_POLL_S = 0.2


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How boards are reached.

    Attributes:
        ssh_options: for `ssh -o`.
        password: for `sudo` there; None where it asks for none.
        ask: a person at the terminal can answer what `ssh` asks.
    """

    ssh_options: tuple[str, ...] = ()
    password: str | None = None
    ask: bool = False


def flash_hosts(
    hosts: Sequence[str],
    order: Order,
    reach: Reach,
    tell: Callable[[str], Tell],
    *,
    canary: str | None = None,
) -> list[HostResult]:
    """Bring a release to boards.

    Args:
        hosts: their names, as `ssh` takes them.
        order: what they get.
        reach: how they are reached.
        tell: gives what takes the lines of one host.
        canary: which is the first; by default the first named.

    Returns:
        What became of each, in the order of their names. A single host's error is raised instead.

    Raises:
        UsageError: a name or an option is wrong.
        KeyboardInterrupt: Ctrl-C; the work on all boards has been stopped.
    """
    for host in hosts:
        SshHost(host, reach.ssh_options)  # wrong usage is told before any work
    first = canary or hosts[0]
    others = [host for host in hosts if host != first]
    with _Workers(order, reach, tell) as workers:
        results = workers.run([first])
        if not others:
            return [results[first].result()]
        found = {first: _settled(first, results[first])}
        if found[first].good:
            found |= {host: _settled(host, done) for host, done in workers.run(others).items()}
        else:
            for host in others:
                found[host] = HostResult(
                    host=host, outcome="left alone", reason=f"{first} came first and failed"
                )
    return [found[host] for host in hosts]


def _settled(host: str, done: Future[HostResult]) -> HostResult:
    """Return a result, an error as one too."""
    try:
        return done.result()
    except EdgeinferError as error:
        return HostResult(host=host, outcome="failed", reason=str(error))


class _Workers:
    """Threads that work on boards; leaving the block on an error stops them."""

    def __init__(self, order: Order, reach: Reach, tell: Callable[[str], Tell]) -> None:
        self._order = order
        self._reach = reach
        self._tell = tell
        self._lock = threading.Lock()
        self._open: set[SharedConnection] = set()
        self._stopped = False

    def __enter__(self) -> _Workers:
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="flash")
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with self._lock:
            self._stopped = True
            for connection in self._open:
                connection.cut()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, hosts: Sequence[str]) -> dict[str, Future[HostResult]]:
        """Work on these hosts until all are done."""
        futures = {host: self._pool.submit(self._flash, host) for host in hosts}
        while wait(futures.values(), timeout=_POLL_S).not_done:
            pass  # in short waits, so that Ctrl-C is heard
        return futures

    def _flash(self, host: str) -> HostResult:
        tell = self._tell(host)
        reach = self._reach
        connection = SharedConnection(host, reach.ssh_options, ask=reach.ask)
        with self._registered(connection):
            tell.show("connecting")
            with connection:
                board = Board(
                    connection,
                    prefix=self._order.prefix,
                    agent_options=self._order.agent_options,
                    password=reach.password,
                )
                may_ask = reach.password is not None
                return Deployment(board, self._order, tell, may_ask=may_ask).run()

    @contextmanager
    def _registered(self, connection: SharedConnection) -> Iterator[None]:
        """Let the connection be cut when the work is stopped."""
        with self._lock:
            self._open.add(connection)
            if self._stopped:
                connection.cut()
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)
