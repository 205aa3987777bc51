"""Opens what runs: a variant of a bundle, or a plain `.tflite`, on the CPU or on a delegate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeinfer.device.accelerators.registry import compiled_for
from edgeinfer.device.core.errors import DelegateError, ModelError, UsageError
from edgeinfer.device.models.choose_variant import order_variants
from edgeinfer.device.runtime.choose import Candidate, Choice, open_first
from edgeinfer.device.runtime.first_opening import open_on_cpu
from edgeinfer.device.runtime.open_options import OpenOptions
from edgeinfer.device.runtime.runner import ModelRunner
from edgeinfer.device.tflite.model import TfliteModel
from edgeinfer.device.tflite.reader import read_tflite

if TYPE_CHECKING:
    from edgeinfer.device.models.bundle.manifest import Variant
    from edgeinfer.device.models.bundle.reader import ModelBundle


@dataclass(frozen=True, kw_only=True)
class OpenedVariant:
    """A variant of a bundle, loaded.

    Attributes:
        variant: what the manifest says of it.
        runner: what computes.
        choice: which one it is and why.
    """

    variant: Variant
    runner: ModelRunner
    choice: Choice


def open_variant(bundle: ModelBundle, options: OpenOptions) -> OpenedVariant:
    """Load the variant that the options and what is present here choose.

    Args:
        bundle: stays open while the runner is used, for the CPU variant's file.
        options: how it is opened.

    Raises:
        UsageError: the bundle has no such variant.
        DelegateError: a required delegate does not work.
        ModelError: the file is not a model, or not the one of the manifest.
        MissingExtraError: no runtime is installed.
    """
    variants = bundle.manifest.variants
    candidates = [
        Candidate(
            variant=name,
            delegate=delegate,
            content=lambda file=variants[name].file: bundle.member(file),  # type: ignore[misc]
            subject=f"{bundle.path}: {variants[name].file}",
        )
        for name, delegate in order_variants(variants, options.delegates, subject=str(bundle.path))
    ]
    candidate, runner, choice = open_first(candidates, options)
    variant = variants[candidate.variant]
    try:
        _check(candidate.subject, runner, variant)
    except BaseException:
        runner.close()
        raise
    return OpenedVariant(variant=variant, runner=runner, choice=choice)


def open_plain(
    content: bytes, options: OpenOptions, *, subject: str, graph: TfliteModel | None = None
) -> tuple[ModelRunner, Choice | None]:
    """Load a plain `.tflite`; the choice is None where there was none.

    Args:
        content: the file's bytes.
        options: how it is opened.
        subject: the file's name, for errors.
        graph: what `read_tflite` gave for these bytes, where they were read already.

    Raises:
        UsageError: a variant is wanted, which only bundles have.
        DelegateError: the delegate that is required, or that the file was compiled for, does not
            work.
        ModelError: the file is not a model, or the runtime cannot run it.
        MissingExtraError: no runtime is installed.
    """
    request = options.delegates
    if request.variant is not None:
        raise UsageError(
            "--variant", got=f"{subject} is a plain .tflite", expected="a bundle, which has them"
        )
    graph = graph or read_tflite(content, subject=subject)
    maker = compiled_for(graph)
    wanted = request.wanted or (None if maker is None else maker.name)
    if wanted is None:
        if request.require:
            raise DelegateError(
                subject,
                got="is a model for the CPU",
                next_step="name a delegate with --delegate, or leave --require-delegate out",
            )
        return open_on_cpu(content, options, subject=subject, graph=graph), None
    spec = request.spec(wanted) if request.wanted else request.known_spec(wanted)
    name = "delegate" if spec.known is None else spec.name
    candidates = [Candidate(variant=name, delegate=spec, content=lambda: content, subject=subject)]
    if maker is None and not request.require:
        candidates.append(
            Candidate(variant="cpu", delegate=None, content=lambda: content, subject=subject)
        )
    try:
        _, runner, choice = open_first(candidates, options)
    except DelegateError as error:
        if maker is None:
            raise
        raise ModelError(
            subject,
            got=f"was compiled for {maker.target}, and {error.subject} {error.got}",
            next_step=error.next_step or "use the model's CPU file",
        ) from error
    return runner, choice


def _check(subject: str, runner: ModelRunner, variant: Variant) -> None:
    for name, got, expected in (
        ("input", runner.inputs, (variant.input,)),
        ("output", runner.outputs, variant.outputs),
    ):
        if [(t.shape, t.dtype) for t in got] != [(t.shape, t.dtype) for t in expected]:
            raise ModelError(
                subject,
                got=f"{name}s are {[(t.shape, t.dtype) for t in got]}",
                expected=f"{[(t.shape, t.dtype) for t in expected]} as the manifest says",
            )
