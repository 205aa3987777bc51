"""How each board would run a model: one row per board, for `inspect` without `--board`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgeinfer.boards import BoardProfile, load_profile, profile_names
from edgeinfer.device.accelerators.mapping import MappedOp, OpMapping
from edgeinfer.device.accelerators.registry import accelerators, map_for
from edgeinfer.device.accelerators.report import wrapped
from edgeinfer.device.core.errors import printable
from edgeinfer.device.diagnose.inspect.description import BundleDescription, ModelDescription
from edgeinfer.device.tflite.activation_memory import peak_activation

ANY = "any"
"""The board in the row of an accelerator that many boards have."""

_MIB = 2**20
_CPU_ONLY = "CPU only"


@dataclass(frozen=True, kw_only=True)
class BoardFit:
    """How a board would run a model.

    Attributes:
        board: its name; `ANY` for an accelerator that does not belong to one board.
        accelerator: empty if the board has none.
        variant: the variant of a bundle that it would run; empty for a .tflite.
        runs: the file does not need the delegate of another accelerator.
        mapping: where each operator runs.
        memory_bytes: weights and the peak of activations; a runtime needs more than that.
        memory_mib: the board's; 0 if it is not known.
        added: the accelerator is plugged into a board that is also listed without it.
    """

    board: str
    accelerator: str
    variant: str
    runs: bool
    mapping: OpMapping
    memory_bytes: int
    memory_mib: int
    added: bool = False

    @property
    def known(self) -> bool:
        """Whether it is known how much is mapped: not if a compiler decides it and has not run."""
        return not self.mapping.undecided

    @property
    def first_left(self) -> MappedOp | None:
        """The first operator that is left to the CPU, if there is an accelerator."""
        return self.mapping.first_left if self.accelerator and self.known else None

    @property
    def fits(self) -> bool | None:
        """Whether the memory is enough; None if the board's memory is not known."""
        return self.memory_bytes <= self.memory_mib * _MIB if self.memory_mib else None


def board_fits(description: BundleDescription | ModelDescription) -> list[BoardFit]:
    """Return how every known board, and accelerators such as any board's GPU, would run a model."""
    variants: Mapping[str, ModelDescription] = (
        description.variants if isinstance(description, BundleDescription) else {}
    )
    main = next((name for name, model in variants.items() if model is description.main), "")
    mappings: dict[tuple[str, str], OpMapping] = {}
    memory: dict[str, int] = {}

    def fit(
        name: str, accelerator: str, wanted: str, memory_mib: int, added: bool = False
    ) -> BoardFit:
        variant = wanted if wanted in variants else main
        model = variants[variant] if variants else description.main
        key = (accelerator, variant)
        if key not in mappings:
            mappings[key] = map_for(accelerator, model.model)
        if variant not in memory:
            # Compiled weights are not tensors any more, but they are still in the file.
            weights = model.size_bytes if model.needs_delegate else model.model.constant_bytes
            memory[variant] = weights + peak_activation(model.model).size_bytes
        return BoardFit(
            board=name,
            accelerator=accelerator,
            variant=variant,
            runs=model.needs_delegate in (None, accelerator),
            mapping=mappings[key],
            memory_bytes=memory[variant],
            memory_mib=memory_mib,
            added=added,
        )

    def of_board(profile: BoardProfile) -> BoardFit:
        # The compiled variant of the Edge TPU would only say that it is compiled.
        added = bool(profile.based_on) and profile.connection in ("usb", "pcie")
        return fit(profile.name, profile.accelerator, profile.npu, profile.memory_mib, added)

    fits = [of_board(load_profile(name)) for name in profile_names()]
    boardless = [found.name for found in accelerators() if found.boardless]
    return [*fits, *(fit(ANY, name, name, 0) for name in boardless)]


def fits_json(fits: list[BoardFit]) -> dict[str, object]:
    """Return the fits for programs: the boards, and accelerators of any board."""
    return {
        "boards": {fit.board: _fit_json(fit) for fit in fits if fit.board != ANY},
        "accelerators": {fit.accelerator: _fit_json(fit) for fit in fits if fit.board == ANY},
    }


def _fit_json(fit: BoardFit) -> dict[str, object]:
    first = fit.first_left
    return {
        "accelerator": fit.accelerator or None,
        "variant": fit.variant or None,
        "runs": fit.runs,
        "mapped": fit.mapping.mapped if fit.known else None,
        "total": len(fit.mapping.ops),
        "partitions": fit.mapping.partitions if fit.known else None,
        "first_left": None
        if first is None
        else {"op": first.op, "index": first.index, "target": "cpu", "reason": first.reason},
        "memory_bytes": fit.memory_bytes,
        "memory_mib": fit.memory_mib or None,
        "fits": fit.fits,
    }


def fits_lines(fits: list[BoardFit]) -> list[str]:
    """Return the fits as text: a row per board with an accelerator, one line for the others.

    A board with an added accelerator has a row only if the model does not fit its memory:
    everything else is in the row of the accelerator on any machine.
    """
    shown = [fit for fit in fits if fit.accelerator and (not fit.added or fit.fits is False)]
    accelerated = sorted(shown, key=_order)
    width = max(len(fit.board) for fit in accelerated)
    lines = ["", f"{'boards':{width + 2}}  accelerator  {'operators':>11}  parts  memory, MiB"]
    for index, fit in enumerate(accelerated):
        lines.append(_row(fit, width))
        following = accelerated[index + 1] if index + 1 < len(accelerated) else None
        if following is None or following.accelerator != fit.accelerator:
            lines += [line for note in _notes(fit) for line in _wrapped(note, 4)]
    lines += _cpu_only([fit for fit in fits if not fit.accelerator])
    lines += ["  operator by operator: --board NAME, --accelerator gpu"]
    return lines


def _order(fit: BoardFit) -> tuple[bool, str, str]:
    return fit.board == ANY, fit.accelerator, fit.board


def _row(fit: BoardFit, width: int) -> str:
    head = f"  {fit.board:{width}}  {fit.accelerator:11}"
    if not fit.runs:
        return f"{head}  does not run: compiled for another accelerator"
    mapped = f"{fit.mapping.mapped if fit.known else '?'} of {len(fit.mapping.ops)}"
    parts = str(fit.mapping.partitions) if fit.known else "?"
    return f"{head}  {mapped:>11}  {parts:>5}  {_memory(fit)}"


def _memory(fit: BoardFit) -> str:
    needed = f"{fit.memory_bytes / _MIB:,.1f}"
    if not fit.memory_mib:
        return needed
    return f"{needed} of {fit.memory_mib:,}" + ("" if fit.fits else ": does not fit")


def _notes(fit: BoardFit) -> list[str]:
    """Return the notes below the rows of one accelerator."""
    if not fit.runs:
        return []
    if not fit.known:
        return [f"{fit.mapping.undecided}: edgeinfer convert --board {fit.board}"]
    first = fit.first_left
    left = "" if first is None else f"first left: {first.index} {first.op} ({first.reason})"
    return [note for note in (left, fit.mapping.remark) if note]


def _cpu_only(fits: list[BoardFit]) -> list[str]:
    """Return one line about the boards without an accelerator."""
    if not fits:
        return []
    if not fits[0].runs:
        return [f"  {_CPU_ONLY}: does not run, it needs its accelerator"]
    lines = []
    for word, chosen in (
        ("", [fit for fit in fits if fit.fits is not False]),
        (", does not fit", [fit for fit in fits if fit.fits is False]),
    ):
        if chosen:
            names = ", ".join(fit.board for fit in chosen)
            known = [fit.memory_mib for fit in chosen if fit.memory_mib]
            needed = f"{chosen[0].memory_bytes / _MIB:,.1f}"
            memory = f"{needed} of {min(known):,} MiB or more" if known else f"{needed} MiB"
            lines += _wrapped(f"{_CPU_ONLY}{word}: {names} ({memory})", 2)
    return lines


def _wrapped(text: str, margin: int) -> list[str]:
    return wrapped(" " * margin + printable(text), " " * (margin + 2))
