"""Which variant runs, on which delegate: the first of those wanted that works, and why."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edgeinfer.device.accelerators.registry import named_accelerator
from edgeinfer.device.core.errors import DelegateError
from edgeinfer.device.runtime.delegates.request import ALL_EDGETPUS, DelegateRequest
from edgeinfer.device.runtime.delegates.spec import DelegateSpec
from edgeinfer.device.runtime.first_opening import ensure_opens, open_on_cpu
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import ModelRunner, Runner
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite

CPU = "cpu"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A form of the model that could run.

    Attributes:
        variant: its name; `cpu`, or that of a bundle's variant, or of a delegate.
        delegate: what runs it; None for the CPU.
        content: gives the `.tflite` file's bytes.
        subject: the file's name, for errors.
    """

    variant: str
    delegate: DelegateSpec | None
    content: Callable[[], bytes]
    subject: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was chosen and why.

    Attributes:
        variant: the variant's name.
        reason: why this one, a few words.
    """

    variant: str
    reason: str

    def __str__(self) -> str:
        """Return both for people."""
        return f"{self.variant} ({self.reason})"


def open_first(
    candidates: Sequence[Candidate],
    options: OpenOptions,
) -> tuple[Candidate, ModelRunner, Choice]:
    """Open the first candidate that works.

    Args:
        candidates: the preferred one first.
        options: how it is opened.

    Raises:
        DelegateError: none works.
        ModelError: a file is not a model, or the CPU cannot run it.
        MissingExtraError: no runtime is installed.
    """
    cpu = next((candidate for candidate in candidates if candidate.delegate is None), None)

    @functools.cache
    def cpu_content() -> bytes:
        # Read as a delegate is opened: when it is lost, the card may be removed, or another on it.
        assert cpu is not None
        return cpu.content()

    @functools.cache
    def cpu_graph() -> TfliteModel:
        assert cpu is not None
        return read_tflite(cpu_content(), subject=cpu.subject)

    def try_cpu() -> None:
        # Now, and not during a loop that has lost its delegate.
        assert cpu is not None
        ensure_opens(cpu_content(), cpu_graph(), options, subject=cpu.subject)

    def open_cpu() -> Runner:
        assert cpu is not None
        return open_on_cpu(cpu_content(), options, subject=cpu.subject, graph=cpu_graph())

    substitute = cpu is not None and options.substitute and not options.delegates.require
    failures: list[tuple[str, DelegateError]] = []
    for candidate in candidates:
        if candidate.delegate is None:
            reason = _why_cpu(failures, options.delegates)
            return candidate, open_cpu(), Choice(variant=CPU, reason=reason)
        try:
            runner = _open_delegate(candidate, options, open_cpu if substitute else None)
        except DelegateError as error:
            failures.append((candidate.variant, error))
            continue
        if substitute:
            try:
                try_cpu()
            except BaseException:
                runner.close()
                raise
        reason = "; ".join([f"on {candidate.delegate}", *_told(failures)])
        return candidate, runner, Choice(variant=candidate.variant, reason=reason)
    if len(failures) == 1:
        raise failures[0][1]
    raise DelegateError("delegates", got="; ".join(_told(failures)))


def spread(request: DelegateRequest, count: int) -> list[DelegateRequest]:
    """Return what each of `count` models is to run on: Edge TPUs take turns.

    Args:
        request: what the user wants.
        count: how many models, at least; as many as there are Edge TPUs, where that is more.
    """
    devices = list(_edgetpus(request))
    if not devices:
        return [request] * count
    count = max(count, len(devices))
    return [request.for_edgetpu(devices[index % len(devices)]) for index in range(count)]


def _edgetpus(request: DelegateRequest) -> Iterator[str]:
    for name in request.edgetpus:
        if name != ALL_EDGETPUS:
            yield name
            continue
        yield from (device.name for device in named_accelerator("edgetpu").devices() or ())


def _open_delegate(
    candidate: Candidate, options: OpenOptions, open_substitute: Callable[[], ModelRunner] | None
) -> ModelRunner:
    # What follows costs time to import, which a model on the CPU need not spend.
    from edgeinfer.device.runtime.delegates.find import find_library
    from edgeinfer.device.runtime.delegates.runner import DelegateRunner
    from edgeinfer.device.runtime.delegates.worker.explain import not_installed

    assert candidate.delegate is not None
    if find_library(candidate.delegate.library) is None:
        raise not_installed(candidate.delegate)
    return DelegateRunner(
        candidate.content(),
        candidate.delegate,
        subject=candidate.subject,
        threads=options.thread_count,
        runtime=options.runtime,
        open_substitute=open_substitute,
        policy=options.delegates.policy,
    )


def _why_cpu(failures: Sequence[tuple[str, DelegateError]], request: DelegateRequest) -> str:
    if failures:
        return "; ".join(_told(failures))
    return "as asked for" if request.variant == CPU else "the bundle has no other"


def _told(failures: Sequence[tuple[str, DelegateError]]) -> list[str]:
    """Return each failure in a few words; the variant is named where the subject does not tell."""
    told = []
    for variant, error in failures:
        name = "" if variant == CPU else f"{variant}: "
        advice = f"; {error.next_step}" if error.next_step else ""
        told.append(f"{name}{error.subject} {error.got}{advice}")
    return told
