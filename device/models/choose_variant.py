"""Which of a bundle's variants are tried, in which order."""

from __future__ import annotations

from collections.abc import Mapping

from edgeinfer.device.accelerators.registry import OWN
from edgeinfer.device.core.errors import DelegateError, UsageError, did_you_mean
from edgeinfer.device.models.bundle.manifest import Variant
from edgeinfer.device.runtime.choose import CPU
from edgeinfer.device.runtime.delegates.request import DelegateRequest
from edgeinfer.device.runtime.delegates.spec import DelegateSpec


def order_variants(
    variants: Mapping[str, Variant], request: DelegateRequest, *, subject: str
) -> list[tuple[str, DelegateSpec | None]]:
    """Return the variants to try and the delegate of each, the preferred one first.

    Args:
        variants: a bundle's.
        request: what the user wants.
        subject: the bundle's path, for errors.

    Raises:
        UsageError: the bundle has no such variant.
        DelegateError: a delegate is required, and no variant is for one.
    """
    if request.variant is not None and request.variant not in variants:
        raise UsageError(
            subject,
            got=f"has no variant '{request.variant}'",
            expected=f"one of {', '.join(sorted(variants))}",
            next_step=did_you_mean(request.variant, variants),
        )
    if request.wanted is not None:
        wanted = request.spec(request.wanted)
        name = request.variant or _variant_for(variants, wanted, subject)
        order: list[tuple[str, DelegateSpec | None]] = [(name, wanted)]
    elif request.variant is not None:
        delegate = variants[request.variant].delegate
        order = [(request.variant, None if delegate is None else request.known_spec(delegate))]
    else:
        made_for = [
            (name, request.known_spec(variant.delegate))
            for name, variant in sorted(variants.items())
            if variant.delegate is not None
        ]
        order = [*sorted(made_for, key=lambda item: _preference(item[1]))]
    if request.require:
        order = [(name, delegate) for name, delegate in order if delegate is not None]
        if not order:
            raise DelegateError(
                subject,
                got="has no variant for an accelerator",
                next_step="convert the model with --board or --npu, or name a delegate with "
                "--delegate",
            )
        return order
    if CPU not in variants or (order and order[-1] == (CPU, None)):
        return order
    return [*order, (CPU, None)]


def _preference(delegate: DelegateSpec) -> int:
    return OWN.index(delegate.name) if delegate.name in OWN else len(OWN)


def _variant_for(variants: Mapping[str, Variant], delegate: DelegateSpec, subject: str) -> str:
    """Return the variant that was made for a delegate, else the CPU's.

    Raises:
        UsageError: the bundle has neither.
    """
    made = (name for name, variant in variants.items() if variant.delegate == delegate.name)
    name = next(made, CPU)
    if name not in variants:
        raise UsageError(
            subject,
            got=f"has no variant for {delegate.name}, and none for the CPU",
            expected=f"one of {', '.join(sorted(variants))}",
        )
    return name
