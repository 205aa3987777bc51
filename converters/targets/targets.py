"""What a model is converted for in addition to the CPU: the choice, the gates and the variants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.targets.registry import find_target, target_names
from edgeinfer.converters.targets.required_share import parse_percent
from edgeinfer.converters.targets.target import Draft, Target, TargetOptions, report_member
from edgeinfer.device.accelerators.report import wrapped
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.models.bundle.manifest import ModelManifest


@dataclass(frozen=True, kw_only=True)
class Targets:
    """The accelerators that a bundle gets a variant for.

    Attributes:
        wanted: the options of each, by its name.
    """

    wanted: Mapping[str, TargetOptions] = field(default_factory=dict)

    def each(self) -> Iterator[tuple[Target, TargetOptions]]:
        """Yield each target with its options, in the order in which they are made."""
        for name in target_names() if self.wanted else ():
            if name in self.wanted:
                yield find_target(name), self.wanted[name]

    @property
    def floats_allowed(self) -> bool:
        """Whether layers of the INT8 model may stay in float32, which an NPU cannot run."""
        return not any(target.accelerator.integer_only for target, _ in self.each())

    @property
    def per_tensor_dense(self) -> bool:
        """Whether a dense layer must have one scale, as the Edge TPU's compiler needs it."""
        return any(target.per_tensor_dense for target, _ in self.each())

    def require_tools(self, precision: Precision) -> None:
        """Refuse what could not be compiled later, before the conversion takes minutes.

        Raises:
            MissingExtraError: a compiler is needed and not installed.
            UsageError: an NPU cannot compute the precision.
        """
        for target, options in self.each():
            target.require_tools(options, precision)

    def require_mapped(self, model: bytes, *, subject: str) -> None:
        """Refuse a model that is mapped less than required, before it is evaluated.

        Raises:
            ConversionError: names the first operator that is not mapped, and what helps.
        """
        for target, options in self.each():
            if options.require_percent is not None:
                target.require_mapped(model, options, subject=subject)


def chosen_targets(
    *,
    board: str | None = None,
    require_mapped: str | None = None,
    npu: str | None = None,
    gpu: bool = False,
) -> Targets:
    """Turn `--board`, `--require-mapped`, `--npu` and `--gpu` into targets.

    Raises:
        DelegateError: nothing installed converts for the board's accelerator.
        UsageError: the board is not known or has another NPU, or a share is required for an
            accelerator whose share is not known before compiling.
    """
    from edgeinfer.device.cli.boards.option import named_board

    percent = None if require_mapped is None else parse_percent(require_mapped)
    profile = None if board is None else named_board(board)
    found = find_target(profile.accelerator) if profile and profile.accelerator else None
    if percent is not None and (found is None or not found.tells_share):
        raise UsageError(
            "--require-mapped",
            got="given without a board" if board is None else f"given with board {board}",
            expected="--board with an Edge TPU or a VX delegate, such as coral-usb or imx8mp",
        )
    name, configuration = (profile.name, profile.npu) if profile else ("", "")
    wanted = {}
    if npu:
        wanted[_configured(npu).name] = TargetOptions(board=name, configuration=npu)
    if found is not None:
        if configuration:
            _refuse_other_npu(found, configuration, name, npu)
        wanted[found.name] = TargetOptions(
            board=name, configuration=configuration, require_percent=percent
        )
    if gpu:
        wanted["gpu"] = TargetOptions(board=name)
    return Targets(wanted=wanted)


def with_targets(draft: Draft, targets: Targets, progress: Progress) -> Draft:
    """Return a bundle with a variant for each target.

    Args:
        draft: the bundle, with the CPU variant.
        targets: the accelerators.
        progress: reports what is going on.

    Raises:
        ConversionError: a compiler fails, or maps less than is required.
        MissingExtraError: a compiler that is needed is not installed.
    """
    for target, options in targets.each():
        progress.start(target.step.format(configuration=options.configuration))
        draft = target.with_variant(draft, options)
    return draft


def target_lines(bundle: Path, manifest: ModelManifest) -> list[str]:
    """Return lines for people about the targets of a bundle that was written."""
    lines = [line for target in _made_for(manifest) for line in target.lines(bundle, manifest)]
    return [part for line in lines for part in wrapped(line, "    ")]


def target_json(bundle: Path, manifest: ModelManifest) -> dict[str, object]:
    """Return each target's report for scripts, by its name."""
    reports = {target.name: target.report(bundle, manifest) for target in _made_for(manifest)}
    return {name: report for name, report in reports.items() if report is not None}


def _made_for(manifest: ModelManifest) -> list[Target]:
    """Return the targets that a bundle has a variant for, or only a report."""
    delegates = {variant.delegate for variant in manifest.variants.values()}
    return [
        find_target(name)
        for name in target_names()
        if name in delegates or report_member(name) in manifest.members
    ]


def _configured(npu: str) -> Target:
    """Return the target that has the configuration of `--npu`."""
    targets = [find_target(name) for name in target_names()]
    for target in targets:
        if npu in target.configurations:
            return target
    known = [name for target in targets for name in target.configurations]
    raise UsageError(
        f"--npu {npu}", got="is not an NPU to compile for", expected=f"one of {', '.join(known)}"
    )


def _refuse_other_npu(target: Target, configuration: str, board: str, npu: str | None) -> None:
    """Refuse a board's NPU that nothing compiles for, and a different NPU named with the board."""
    if configuration not in target.configurations or npu not in (None, configuration):
        raise UsageError(
            f"--board {board}",
            got=f"has the NPU {configuration}" + (f", not {npu}" if npu else ""),
            expected=f"one of {', '.join(target.configurations)}, and no other --npu",
        )
