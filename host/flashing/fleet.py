"""Several boards: one first, and only if that succeeds the others, in parallel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

from edgeinfer.device.core.errors import EdgeinferError
from edgeinfer.device.core.signals import interrupt_on_signals
from edgeinfer.device.core.ssh import SshHost
from edgeinfer.host.flashing.board.board import PREFIX, Board
from edgeinfer.host.flashing.board.connection import SharedConnection
from edgeinfer.host.flashing.progress import Steps, Tell
from edgeinfer.host.flashing.result import HostResult

SIDE_BY_SIDE = 4
_POLL_S = 0.2

Work = Callable[[Board, Tell, Steps], HostResult]
"""The work on one board."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How to reach boards.

    Attributes:
        ssh_options: for `ssh -o`.
        password: for `sudo` there; None if it needs none.
        ask: whether a person at the terminal can answer questions of `ssh`.
        prefix: edgeinfer's folder there.
        agent_options: options of the agent there, before its commands.
    """

    ssh_options: tuple[str, ...] = ()
    password: str | None = None
    ask: bool = False
    prefix: PurePosixPath = PREFIX
    agent_options: tuple[str, ...] = ()


def work_on(
    hosts: Sequence[str],
    work: Work,
    reach: Reach,
    tell: Callable[[str], Tell],
    *,
    first: str | None = None,
) -> list[HostResult]:
    """Do some work on boards.

    Args:
        hosts: their names, as `ssh` takes them.
        work: the work on each.
        reach: how to reach them.
        tell: returns the object that shows the lines of one host.
        first: the one before the others, which are left alone if it fails; None for no order.

    Returns:
        The result of each, also for errors, in the order of `hosts`.

    Raises:
        UsageError: a name or an option is wrong.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the work on all boards has been stopped.
    """
    for host in hosts:
        SshHost(host, reach.ssh_options)  # wrong usage is an error before any work
    with interrupt_on_signals(), _Workers(work, reach, tell) as workers:
        found: dict[str, HostResult] = {}
        if first is not None:
            found[first] = _settled(first, workers.run([first])[first])
            if not found[first].good:
                reason = f"{first} was first and failed"
                return [
                    found.get(host) or HostResult(host=host, outcome="left alone", reason=reason)
                    for host in hosts
                ]
        others = [host for host in hosts if host not in found]
        found |= {host: _settled(host, done) for host, done in workers.run(others).items()}
    return [found[host] for host in hosts]


def _settled(host: str, done: Future[HostResult]) -> HostResult:
    """Return a result; an error becomes one too."""
    try:
        return done.result()
    except EdgeinferError as error:
        return HostResult(host=host, outcome="failed", reason=str(error))


class _Workers:
    """Threads that work on boards; leaving the block on an error stops them."""

    def __init__(self, work: Work, reach: Reach, tell: Callable[[str], Tell]) -> None:
        self._work = work
        self._reach = reach
        self._tell = tell
        self._lock = threading.Lock()
        self._open: set[SharedConnection] = set()
        self._stopped = False
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="board")

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with self._lock:
            self._stopped = True
            for connection in self._open:
                connection.cut()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, hosts: Sequence[str]) -> dict[str, Future[HostResult]]:
        """Work on these hosts until all are done."""
        futures = {host: self._pool.submit(self._one, host) for host in hosts}
        while wait(futures.values(), timeout=_POLL_S).not_done:
            pass  # in short waits, so that Ctrl-C works
        return futures

    def _one(self, host: str) -> HostResult:
        tell = self._tell(host)
        steps = Steps(host, tell)
        connection = SharedConnection(host, self._reach.ssh_options, ask=self._reach.ask)
        with self._registered(connection):
            try:
                # A question of ssh needs the line for itself.
                tell.show("" if self._reach.ask else "connecting")
                with steps.timed("connect"):
                    connection.open()
                board = Board(
                    connection,
                    prefix=self._reach.prefix,
                    agent_options=self._reach.agent_options,
                    password=self._reach.password,
                    waiting=tell.show,
                )
                return self._work(board, tell, steps)
            finally:
                connection.close()
                tell.show("")

    @contextmanager
    def _registered(self, connection: SharedConnection) -> Iterator[None]:
        """Cut the connection when the work is stopped."""
        with self._lock:
            self._open.add(connection)
            if self._stopped:
                connection.cut()
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(connection)
