"""What the user wants of variants and delegates, before anything is looked for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from edgeinfer.device.accelerators.registry import OWN, find_accelerator
from edgeinfer.device.core.errors import BundleError, UsageError
from edgeinfer.device.runtime.delegates.spec import DelegateSpec, delegate_spec
from edgeinfer.device.runtime.delegates.worker.restart_policy import WorkerPolicy

ALL_EDGETPUS = "all"

_EDGETPU = re.compile(r"(usb|pci)?:?[0-9]+|usb|pci")


@dataclass(frozen=True, kw_only=True)
class DelegateRequest:
    """Which accelerator a model uses, for `OpenOptions(delegates=...)`.

    A delegate is the library through which a runtime uses an accelerator. Without a request the
    first variant of the bundle runs whose accelerator works, or else the CPU variant.

    Examples:
        >>> coral = edgeinfer.DelegateRequest(delegate="edgetpu", require=True)
        >>> options = edgeinfer.OpenOptions(delegates=coral)
        >>> model = edgeinfer.Model.open("photos.edgebundle", options)

    Attributes:
        variant: the name of the variant of the bundle to run, such as "cpu". None takes the first
            variant whose accelerator works.
        delegate: the name of an accelerator, such as "edgetpu", or the path of a delegate library.
            None takes the delegate that the variant names.
        options: options of the delegate itself, as pairs such as ("cache", "on").
        edgetpus: the Edge TPUs to use, such as ("usb:0", "usb:1") or ("pci:0",). ("all",) takes all
            that are found. Copies of the model are spread over them.
        require: whether to raise a `DelegateError` if the accelerator does not work, instead of
            using the CPU.
        policy: how long the accelerator may take, and how often it is restarted.

    Raises:
        UsageError: two of the settings contradict each other, or an Edge TPU's name is wrong.
    """

    variant: str | None = None
    delegate: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    edgetpus: tuple[str, ...] = ()
    require: bool = False
    policy: WorkerPolicy = field(default_factory=WorkerPolicy)

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            UsageError: two options do not go together, or a device is not one.
        """
        if self.edgetpus and self.delegate not in (None, "edgetpu"):
            raise UsageError("--edgetpu", got=f"does not go with --delegate {self.delegate}")
        if self.edgetpus and "device" in dict(self.options):
            raise UsageError("--edgetpu", got="does not go with --delegate-option device=...")
        for device in self.edgetpus:
            if device != ALL_EDGETPUS and not _EDGETPU.fullmatch(device):
                raise UsageError(
                    "--edgetpu", got=repr(device), expected="all, or such as usb:0,usb:1 or pci:0"
                )
        if self.variant == "cpu" and (self.require or self.delegate or self.edgetpus):
            raise UsageError("--variant cpu", got="does not go with a delegate")

    @property
    def wanted(self) -> str | None:
        """The delegate that the user names, if any."""
        return "edgetpu" if self.edgetpus else self.delegate

    def spec(self, name: str) -> DelegateSpec:
        """Return the delegate that the user names, by name or path, with the user's options."""
        return delegate_spec(name, self.options)

    def known_spec(self, name: str) -> DelegateSpec:
        """Return the delegate that a bundle or a model names, with the user's options.

        Raises:
            BundleError: it is not known: text of a file never decides which library is loaded.
        """
        if find_accelerator(name) is None:
            raise BundleError(
                "the bundle",
                got=f"names the delegate {name!r}",
                expected=f"one of {', '.join(OWN)}",
                next_step="name a library with --delegate",
            )
        return delegate_spec(name, self.options)

    def to_arguments(self) -> list[str]:
        """Return the commands' options that ask for the same."""
        named = {
            "--variant": self.variant,
            "--delegate": None if self.edgetpus else self.delegate,
            "--edgetpu": ",".join(self.edgetpus) or None,
            "--delegate-deadline": self.policy.deadline_s,
        }
        arguments = [f"{name}={value}" for name, value in named.items() if value is not None]
        arguments += [f"--delegate-option={key}={value}" for key, value in self.options]
        if self.require:
            arguments.append("--require-delegate")
        if self.policy.restarts != WorkerPolicy.restarts:
            arguments.append(f"--delegate-restarts={self.policy.restarts}")
        return arguments

    def for_edgetpu(self, device: str) -> DelegateRequest:
        """Return the same request for this Edge TPU alone."""
        return replace(
            self,
            delegate="edgetpu",
            edgetpus=(),
            options=(*self.options, ("device", device)),
        )
