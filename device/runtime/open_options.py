"""How a model is opened: the options that `Model.open`, `edgeinfer.open` and the commands share."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from edgeinfer.boards.schema import build
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.runtime.delegates.request import DelegateRequest
from edgeinfer.device.runtime.runner import RuntimeName


@dataclass(frozen=True, kw_only=True)
class OpenOptions:
    """How a model is opened; the default takes the best that is there.

    Examples:
        >>> edgeinfer.Model.open("photos.edgebundle", edgeinfer.OpenOptions(threads=4))

    Attributes:
        threads: interpreter threads; None takes one, and with a camera what suits the board, see
            `BoardProfile`.
        runtime: which runtime; None takes the preferred one.
        labels: the classes of a plain `.tflite`; None takes those that it carries.
        delegates: the variant and the delegate that are wanted.
        substitute: whether the CPU variant answers while a delegate is down.
        trust: whether a model may run that has operators which edgeinfer cannot check.
    """

    threads: int | None = None
    runtime: RuntimeName | None = None
    labels: tuple[str, ...] | None = None
    delegates: DelegateRequest = field(default_factory=DelegateRequest)
    substitute: bool = True
    trust: bool = False

    @property
    def thread_count(self) -> int:
        """The interpreter threads of a model that is opened by itself."""
        return self.threads or 1

    def to_json(self) -> str:
        """Return it as text, for another process."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> OpenOptions:
        """Return what `to_json` wrote."""
        return build(OpenOptions, json.loads(text))


def checked_options(options: OpenOptions | None) -> OpenOptions:
    """Return the options, or the default; callers without a type checker may give anything.

    Raises:
        UsageError: they are something else.
    """
    if options is None:
        return OpenOptions()
    if not isinstance(options, OpenOptions):
        raise UsageError(
            "options",
            got=f"is of type {type(options).__name__}",
            expected="edgeinfer.OpenOptions",
            next_step="such as OpenOptions(threads=2)",
        )
    return options
