"""Replacing the running bundle by a new one, without closing the camera."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edgeinfer.device.core.errors import BundleError, EdgeinferError
from edgeinfer.device.core.events import NOTICE, event
from edgeinfer.device.loop.pipeline import Pipeline
from edgeinfer.device.models.model import Model, open_models
from edgeinfer.device.runtime.open_options import OpenOptions

_LOG = logging.getLogger(__name__)

CLOSE_LIMIT_S = 5.0
"""How long a reload that is under way may hold up the end of the loop."""
_POLL_S = 0.1


class Reloader:
    """Loads the model again each time it is asked to, on a separate thread.

    The new one is tried in another process, then opened here, and answers from some frame on. One
    that cannot be used is refused, and the one in use goes on.

    Args:
        pipeline: what answers; its models are replaced.
        models: the models that it has now; not closed here.
        resolve: returns the file; asked at every reload, since a link such as the installed
            bundle's may point elsewhere by then.
        options: how the model is opened.
        on_replaced: takes the new models, for the code that closes them at the end.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        models: Sequence[Model],
        *,
        resolve: Callable[[], Path],
        options: OpenOptions,
        on_replaced: Callable[[list[Model]], None],
    ) -> None:
        self._pipeline = pipeline
        self._models = list(models)
        self._resolve = resolve
        self._options = options
        self._on_replaced = on_replaced
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.busy = False
        """A reload is under way."""

    def request(self) -> None:
        """Load the model again; one more time afterwards where that is under way already."""
        self.busy = True
        self._wanted.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="edgeinfer-reload", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Give up what is under way; to be called when the pipeline is closed."""
        self._closing.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join(CLOSE_LIMIT_S)

    def _work(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closing.is_set():
                return
            start_s = time.monotonic()
            try:
                self._reload(start_s)
            except EdgeinferError as error:
                self._refuse(str(error))
            except Exception as error:  # whatever is in a file, the loop goes on
                self._refuse(f"{type(error).__name__}: {error}")
            self.busy = self._wanted.is_set()

    def _refuse(self, reason: str) -> None:
        line = "not reloaded, the model in use goes on: %s"
        _LOG.warning(line, reason, extra=event("reload-refused", limited=False))

    def _reload(self, start_s: float) -> None:
        from edgeinfer.device.loop.supervision.try_model import try_model

        path = self._resolve()
        file = path.resolve()
        before = _identity(file)
        with _accelerators_free(self._models) as keep_free:
            if not try_model(file, self._options, stop=self._closing):
                return
            fresh = open_models(file, len(self._models), self._options)
            if self._closing.is_set() or _identity(file) != before:
                _close(fresh)
                if self._closing.is_set():
                    return
                raise BundleError(
                    path,
                    got="was changed while it was read",
                    expected="a file that is replaced as a whole",
                    next_step="put it there under another name, rename it, and reload again",
                )
            keep_free()
        stale, self._models = self._models, fresh
        idle = self._pipeline.replace_models(fresh)
        self._on_replaced(fresh)
        seconds = time.monotonic() - start_s
        name = fresh[0].name
        _LOG.log(
            NOTICE,
            "reloaded: %s (%s) answers from now on, after %.1f s",
            name,
            path,
            seconds,
            extra=event(
                "reloaded", limited=False, model=name, path=str(path), seconds=round(seconds, 3)
            ),
        )
        for choice in dict.fromkeys(model.choice for model in fresh if model.choice):
            _LOG.info("variant: %s", choice, extra=event("variant", limited=False))
        while not idle.wait(_POLL_S) and not self._closing.is_set():
            pass
        _close(stale)


@contextmanager
def _accelerators_free(models: Sequence[Model]) -> Iterator[Callable[[], None]]:
    """Have models release their accelerators, which one model at a time may use.

    They take them again at the end, unless what this gives was called.
    """
    from edgeinfer.device.runtime.delegates.runner import DelegateRunner

    holders = [model.runner for model in models if isinstance(model.runner, DelegateRunner)]
    for holder in holders:
        holder.pause()
    try:
        yield holders.clear
    finally:
        for holder in holders:
            holder.resume()


def _identity(file: Path) -> tuple[int, ...]:
    """Return what changes when a file is written or replaced.

    Raises:
        BundleError: it is not there.
    """
    try:
        status = file.stat()
    except OSError as error:
        raise BundleError(
            file, got=f"cannot be read ({(error.strerror or str(error)).lower()})"
        ) from error
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _close(models: Sequence[Model]) -> None:
    for model in models:
        model.close()
