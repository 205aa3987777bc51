"""What an accelerator is to a board: its library, its devices, and what it takes of a model."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from edgeinfer.device.accelerators.mapping import OpMapping, ops_json
from edgeinfer.device.accelerators.remedies import remedies
from edgeinfer.device.accelerators.report import remedy_lines, table_lines, wrapped
from edgeinfer.device.core.errors import printable

if TYPE_CHECKING:
    from edgeinfer.device.tflite.model import TfliteModel


@dataclass(frozen=True, kw_only=True)
class Device:
    """An accelerator that the system shows.

    Attributes:
        name: as the delegate takes it in its option `device` (`usb:0`, `pci:0`); else the node.
        node: the device file; None where there is none.
        group: the group that may use it, where distributions have one.
    """

    name: str
    node: Path | None
    group: str | None

    @property
    def usable(self) -> bool:
        """Whether this process may read and write it."""
        return self.node is not None and os.access(self.node, os.R_OK | os.W_OK)


class Accelerator(ABC):
    """What computes in addition to the processor, through a delegate: stateless, one object for all
    models.

    It is found by its name; see `registry.py`. Nothing here loads the delegate's library.

    Attributes:
        name: what bundles, boards' profiles and `--delegate` call it.
        device: what the delegate drives, with an article, for sentences.
        target: what sentences call what a model's operators go to.
        library: what the dynamic loader is asked for.
        package: where the library comes from, for sentences.
        nodes: what its driver shows; any one will do.
        group: the group that may use them, where distributions have one.
        op: the custom operator that its compiler puts in place of what it mapped; empty where
            nothing is compiled before a model is loaded.
        cpu_file: how the file that was compiled differs from the CPU's in its name, for sentences.
        integer_only: it takes no floating point.
        boardless: many machines have one that no board's profile names.
        plugged: the board to convert for, of one that is plugged into any machine; else empty.
        when_absent: what helps where no device is found.
        when_denied: what else to say where this user may not use a device.
        when_hung: what helps where it does not answer.
    """

    name: ClassVar[str]
    device: ClassVar[str]
    target: ClassVar[str]
    library: ClassVar[str]
    package: ClassVar[str]
    nodes: ClassVar[tuple[str, ...]] = ()
    group: ClassVar[str | None] = None
    op: ClassVar[str] = ""
    cpu_file: ClassVar[str] = ""
    integer_only: ClassVar[bool] = True
    boardless: ClassVar[bool] = False
    plugged: ClassVar[str] = ""
    when_absent: ClassVar[str] = ""
    when_denied: ClassVar[str] = ""
    when_hung: ClassVar[str] = "restart the board, or update its driver"

    @property
    def title(self) -> str:
        """What the delegate drives, without its article."""
        return self.device.partition(" ")[2]

    @abstractmethod
    def map_model(self, model: TfliteModel) -> OpMapping:
        """Return where each operator of a model runs."""

    def devices(self, root: Path = Path("/")) -> tuple[Device, ...] | None:
        """Return the devices that are here; None where that is not known.

        Args:
            root: of the file system, for tests.
        """
        if not self.nodes:
            return None
        nodes = (root / node.lstrip("/") for node in self.nodes)
        return tuple(
            Device(name=str(node), node=node, group=self.group) for node in nodes if node.exists()
        )

    def explain_crash(self, told: str, runtime: str) -> tuple[str, str] | None:
        """Return why its library crashes and what helps, where that is known.

        Args:
            told: how the process ended.
            runtime: name and version of the runtime that loaded the library.
        """
        return None

    def summary(self, mapping: OpMapping) -> str:
        """Return how much runs on it, and the first operator that does not."""
        line = f"{mapping.mapped} of {len(mapping.ops)} operators will run on {self.target}"
        if mapping.mapped:
            line += f", in {mapping.partitions} part{'s' * (mapping.partitions != 1)}"
        return printable(line + mapping.first_left_text)

    def lines(self, model: TfliteModel) -> list[str]:
        """Return for people where each operator of a model runs."""
        mapping = self.map_model(model)
        return [
            *wrapped(self.summary(mapping)),
            *([mapping.remark] if mapping.remark else []),
            *table_lines(mapping),
            *remedy_lines(mapping),
            "predicted from the delegate's own checks, not run on the hardware",
        ]

    def to_json(self, model: TfliteModel) -> dict[str, object]:
        """Return for scripts where each operator of a model runs."""
        mapping = self.map_model(model)
        return {
            "mapped": mapping.mapped,
            "total": len(mapping.ops),
            "partitions": mapping.partitions,
            "remark": mapping.remark,
            "remedies": remedies(mapping),
            "ops": ops_json(mapping),
        }

    def ask_compiler(
        self, model: TfliteModel, content: Callable[[], bytes], *, subject: str
    ) -> dict[str, object]:
        """Return for scripts what its compiler says of a model, where one has more to say.

        Args:
            model: the model.
            content: gives its file.
            subject: its name.
        """
        return {}

    def compiler_lines(self, word: dict[str, object]) -> list[str]:
        """Return for people what `ask_compiler` returned."""
        return []
