"""Parameters against the memory on the Edge TPU's chip."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from edgeinfer.device.accelerators.operands import view
from edgeinfer.device.tflite.model import Subgraph

ON_CHIP_BYTES = 8 * 2**20
"""The Edge TPU's SRAM. The compiler keeps some of it for the program, so that a little less than
that is left for parameters. Source: Coral's page "Edge TPU compiler", "Parameter data caching"."""


@dataclass(frozen=True, kw_only=True)
class ParameterMemory:
    """The mapped operators' parameters.

    Attributes:
        bytes: their constants, as they are in the file.
    """

    bytes: int = 0

    @property
    def streamed_bytes(self) -> int:
        """What does not fit and comes from the host at every inference; at least that much."""
        return max(0, self.bytes - ON_CHIP_BYTES)

    def text(self) -> str:
        """Return one line for people."""
        size = f"{self.bytes / 2**20:.2f} of {ON_CHIP_BYTES // 2**20} MiB on the chip"
        if self.streamed_bytes:
            return (
                f"{size}; {self.streamed_bytes / 2**20:.2f} MiB or more come from the host "
                "at every inference"
            )
        return f"{size}, before the compiler's own needs"


def parameter_memory(graph: Subgraph, mapped: Collection[int]) -> ParameterMemory:
    """Return what the constants of the mapped operators take; a shared one counts once."""
    buffers = {
        tensor.buffer: len(tensor.data)
        for index in mapped
        for tensor in view(graph, graph.operators[index]).constants
    }
    return ParameterMemory(bytes=sum(buffers.values()))
