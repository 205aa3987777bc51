"""What a model is converted for beside the CPU: the choice, the gates and the variants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.targets.edgetpu import (
    edgetpu_lines,
    edgetpu_report,
    require_mapped,
    with_edgetpu,
)
from edgeinfer.converters.targets.ethos_u import npu_lines, require_npu, with_npu
from edgeinfer.converters.targets.required_share import BoardOptions, parse_percent
from edgeinfer.converters.targets.vela import ACCELERATORS, Accelerator
from edgeinfer.converters.targets.vx_and_gpu import (
    GPU,
    VX,
    delegate_report,
    delegate_report_lines,
    require_vx,
    with_gpu,
    with_vx,
)
from edgeinfer.device.accelerators.report import wrapped
from edgeinfer.device.core.errors import UsageError
from edgeinfer.device.core.tensors import Precision
from edgeinfer.device.models.bundle.manifest import ModelManifest


@dataclass(frozen=True, kw_only=True)
class Targets:
    """The accelerators that a bundle gets a variant for.

    Attributes:
        edgetpu: what is asked of the Edge TPU, or None.
        npu: an Arm Ethos-U NPU, or None.
        vx: what is asked of the i.MX 8M Plus's NPU, or None.
        gpu: whether a GPU gets a float16 variant.
    """

    edgetpu: BoardOptions | None = None
    npu: Accelerator | None = None
    vx: BoardOptions | None = None
    gpu: bool = False

    @property
    def floats_allowed(self) -> bool:
        """Whether layers of the INT8 model may stay in float32: of no use to an NPU."""
        return self.edgetpu is None and self.npu is None and self.vx is None

    def require_tools(self, precision: Precision) -> None:
        """Refuse what could not be compiled later, before minutes go into the conversion.

        Raises:
            MissingExtraError: vela is needed and not installed.
            UsageError: the precision is none for an NPU.
        """
        if self.npu is not None:
            require_npu(self.npu, precision)

    def require_mapped(self, model: bytes, *, subject: str) -> None:
        """Refuse a model of which less is mapped than is required, before it is evaluated.

        Raises:
            ConversionError: names the first operator that is left, and what helps.
        """
        if self.edgetpu is not None:
            require_mapped(model, self.edgetpu, subject=subject)
        if self.vx is not None:
            require_vx(model, self.vx, subject=subject)


def chosen_targets(
    *,
    board: str | None = None,
    require_mapped: str | None = None,
    npu: Accelerator | None = None,
    gpu: bool = False,
) -> Targets:
    """Turn `--board`, `--require-mapped`, `--npu` and `--gpu` into targets.

    Raises:
        UsageError: the board is not known or has another NPU, or a share is required of one of
            which it cannot be told before.
    """
    from edgeinfer.device.cli.boards.option import named_board

    percent = None if require_mapped is None else parse_percent(require_mapped)
    profile = None if board is None else named_board(board)
    accelerator = "" if profile is None else profile.accelerator
    if percent is not None and accelerator not in ("edgetpu", VX):
        raise UsageError(
            "--require-mapped",
            got="without a board" if board is None else f"with board {board}",
            expected="--board with an Edge TPU or a VX delegate, such as coral-usb or imx8mp",
        )
    name = "" if profile is None else profile.name
    return Targets(
        edgetpu=BoardOptions(board=name, require_percent=percent)
        if accelerator == "edgetpu"
        else None,
        npu=npu if profile is None or not profile.npu else _npu_of(profile.npu, name, npu),
        vx=BoardOptions(board=name, require_percent=percent) if accelerator == VX else None,
        gpu=gpu,
    )


def with_targets(
    manifest: ModelManifest,
    members: Mapping[str, bytes],
    targets: Targets,
    progress: Progress,
    *,
    float32: bytes,
    samples: Sequence[Sample],
) -> tuple[ModelManifest, dict[str, bytes]]:
    """Return a manifest and its members with a variant for each target.

    Args:
        manifest: a bundle's, with the CPU variant.
        members: the bundle's, by name.
        targets: the accelerators.
        progress: told what is going on.
        float32: the model as it was trained.
        samples: the bundle's golden frames.

    Raises:
        ConversionError: a compiler fails, or maps less than is required.
        MissingExtraError: a compiler that is needed is not installed.
    """
    members = dict(members)
    if targets.npu is not None:
        progress.start(f"compile for {targets.npu}")
        manifest, members = with_npu(manifest, members, targets.npu)
    if targets.edgetpu is not None:
        progress.start("map to the Edge TPU")
        manifest, members = with_edgetpu(manifest, members, targets.edgetpu)
    if targets.vx is not None:
        progress.start("map to the NPU")
        manifest, members = with_vx(manifest, members, targets.vx)
    if targets.gpu:
        progress.start("make the GPU's variant")
        manifest, members = with_gpu(manifest, members, float32=float32, samples=samples)
    return manifest, members


def target_lines(bundle: Path, manifest: ModelManifest) -> list[str]:
    """Return what a person wants to know of the targets of a bundle that was written."""
    lines = [
        *npu_lines(bundle, manifest),
        *edgetpu_lines(bundle, manifest),
        *delegate_report_lines(bundle, manifest),
    ]
    return [part for line in lines for part in wrapped(line, "    ")]


def target_json(bundle: Path, manifest: ModelManifest) -> dict[str, object]:
    """Return for scripts each target's report, by its name."""
    reports = {
        "edgetpu": edgetpu_report(bundle, manifest),
        **{name: delegate_report(bundle, manifest, name) for name in (VX, GPU)},
    }
    return {name: report for name, report in reports.items() if report is not None}


def _npu_of(configuration: str, board: str, npu: Accelerator | None) -> Accelerator:
    """Return a board's NPU; another one that is named beside the board contradicts it."""
    if configuration not in ACCELERATORS or npu not in (None, configuration):
        raise UsageError(
            f"--board {board}",
            got=f"has the NPU {configuration}" + (f", not {npu}" if npu else ""),
            expected=f"one of {', '.join(ACCELERATORS)}, and no other --npu beside it",
        )
    return configuration
