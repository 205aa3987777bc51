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
    """How to open a model, for `Model.open` and `edgeinfer.open`.

    Without any options the best variant of the bundle runs that works on this machine.

    Examples:
        >>> options = edgeinfer.OpenOptions(threads=4)
        >>> model = edgeinfer.Model.open("photos.edgebundle", options)

    Attributes:
        threads: how many CPU threads one inference uses. None is 1 for `Model.open`, and the number
            that suits the board for `edgeinfer.open`.
        runtime: which runtime to use: "ai-edge-litert" or "tflite-runtime". None takes the first of
            the two that is installed.
        labels: the names of the classes of a plain `.tflite`, in the order of its output. None
            takes the names in the file. Not for a bundle, which has its own names.
        delegates: which accelerator to use. By default the best one that works.
        substitute: whether the CPU answers while an accelerator is restarted or lost.
        trust: whether to run a model with operators that edgeinfer cannot check for safety. Use it
            only for models from people you trust.
    """

    threads: int | None = None
    runtime: RuntimeName | None = None
    labels: tuple[str, ...] | None = None
    delegates: DelegateRequest = field(default_factory=DelegateRequest)
    substitute: bool = True
    trust: bool = False

    @property
    def thread_count(self) -> int:
        """The number of CPU threads of a model that is opened without a camera."""
        return self.threads or 1

    def to_json(self) -> str:
        """Return the options as text, for another process."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> OpenOptions:
        """Return the options that `to_json` wrote."""
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
