"""Ready-made students: which network to train for which board, with which settings.

A student is chosen by the board's profile, by its accelerator or else its memory, so that your own
board has one as well. The choices consider multiply-accumulates (MACs), weights and activations;
none was timed on a board.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgeinfer.boards import BoardProfile


@dataclass(frozen=True, kw_only=True)
class Student:
    """A network that suits a kind of board.

    Attributes:
        name: of the kind.
        architecture: a key of `edgeinfer.host.models.ARCHITECTURES`.
        size: side of the square input in pixels.
        width: scales the channels of the architectures from scratch.
        settings: further fields of `TrainConfig` that it trains well with.
        reason: why it suits, in one line.
    """

    name: str
    architecture: str
    size: int
    width: float = 1.0
    settings: Mapping[str, object] = field(default_factory=dict)
    reason: str

    def overrides(self) -> dict[str, object]:
        """Return its settings of a `TrainConfig`, without the architecture."""
        return {"size": (self.size, self.size), "width": self.width, **self.settings}


TINY = Student(
    name="tiny",
    architecture="small-cnn",
    size=112,
    width=0.75,
    settings={"epochs": 60, "patience": 60, "batch_size": 32, "learning_rate": 5e-3},
    reason="old or 32-bit processors: 11 million MACs, at most 150 kB as INT8",
)
SMALL = Student(
    name="small",
    architecture="efficientnet-lite0",
    size=128,
    reason="1 GiB boards: ImageNet weights, a third of the arithmetic of 224 pixels",
)
LARGE = Student(
    name="large",
    architecture="efficientnet-lite0",
    size=192,
    reason="fast processors: ImageNet weights, three quarters of the arithmetic of 224 pixels",
)
EDGETPU = Student(
    name="edgetpu",
    architecture="efficientnet-lite0",
    size=224,
    reason="Edge TPU: 4 MB of weights stay in its 8 MiB, every operator is one it takes",
)
ETHOS_U = Student(
    name="ethos-u",
    architecture="efficientnet-lite0",
    size=128,
    reason="Ethos-U65: its largest activation, 64x64x96 bytes, is the size of the 384 KiB SRAM",
)
VX = Student(
    name="vx",
    architecture="efficientnet-lite0",
    size=192,
    reason="VeriSilicon NPU: convolutions, additions and a mean, all 8 bit",
)

STUDENTS: tuple[Student, ...] = (TINY, SMALL, LARGE, EDGETPU, ETHOS_U, VX)

_BY_ACCELERATOR = {"edgetpu": EDGETPU, "ethos-u": ETHOS_U, "vx": VX}
_BY_BOARD = {"rpi5": LARGE, "generic-x86-64": LARGE, "generic-aarch64": SMALL}
"""Boards whose memory size does not show how fast they are."""
_TINY_MEMORY_MIB = 512


def suited_student(profile: BoardProfile) -> Student:
    """Return the student for a board: by its accelerator, its name, or else its memory."""
    if profile.accelerator in _BY_ACCELERATOR:
        return _BY_ACCELERATOR[profile.accelerator]
    if profile.name in _BY_BOARD:
        return _BY_BOARD[profile.name]
    small = profile.memory_mib <= _TINY_MEMORY_MIB or profile.architecture == "armv7l"
    return TINY if small else SMALL
