"""Google's Edge TPU, on Coral's boards and sticks, through libedgetpu."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.device.accelerators.accelerator import Accelerator, Device
from edgeinfer.device.accelerators.mapping import OpMapping, ops_json
from edgeinfer.device.accelerators.remedies import remedies
from edgeinfer.device.accelerators.report import remedy_lines, table_lines, wrapped
from edgeinfer.device.core.errors import ConversionError, ModelError, printable
from edgeinfer.device.tflite.compiled_ops import EDGETPU_OP

if TYPE_CHECKING:
    from edgeinfer.device.accelerators.edgetpu.mapping import EdgeTpuMapping
    from edgeinfer.device.tflite.model import TfliteModel

USB_IDS = {("1a6e", "089a"), ("18d1", "9302")}
"""(vendor, product) of a Coral USB Accelerator: before it got its firmware, and after."""

FIRST_RUNTIME_THAT_CRASHES = (2, 12)
"""From this version of tflite-runtime on, Google's last libedgetpu (2022) crashes the process."""


class EdgeTpu(Accelerator):
    """An Edge TPU on USB, PCIe or a Coral board."""

    name = "edgetpu"
    device = "an Edge TPU"
    target = "the Edge TPU"
    library = "libedgetpu.so.1"
    package = (
        "install libedgetpu: the Debian package libedgetpu1-std of Coral's own repository, or a "
        "build for your runtime"
    )
    op = EDGETPU_OP
    cpu_file = " (without _edgetpu in its name)"
    plugged = "coral-usb"
    when_absent = (
        "plug it in: `lsusb` shows 1a6e:089a or 18d1:9302; a PCIe one has /dev/apex_0, which the "
        "driver gasket-dkms makes"
    )
    when_denied = "; its udev rules come with libedgetpu's package"
    when_hung = "unplug the Edge TPU and plug it in again, on a port or hub with enough power"

    def devices(self, root: Path = Path("/")) -> tuple[Device, ...]:
        """Return those on USB, then those on PCIe."""
        pcie = sorted((root / "dev").glob("apex_*"))
        return (
            *(
                Device(name=f"usb:{number}", node=node, group="plugdev")
                for number, node in enumerate(_usb_nodes(root))
            ),
            *(
                Device(name=f"pci:{number}", node=node, group="apex")
                for number, node in enumerate(pcie)
            ),
        )

    def explain_crash(self, told: str, runtime: str) -> tuple[str, str]:
        """Return that library and runtime do not fit."""
        first = ".".join(map(str, FIRST_RUNTIME_THAT_CRASHES))
        return (
            f"crashed ({told}): libedgetpu and {runtime} do not fit",
            f"Google's libedgetpu crashes with runtimes from {first} on; install a libedgetpu that "
            "was built for this runtime (feranick's builds are reported good with tflite-runtime "
            "2.13 to 2.15)",
        )

    def map_model(self, model: TfliteModel) -> EdgeTpuMapping:
        """Predict what its compiler maps of a model."""
        from edgeinfer.device.accelerators.edgetpu.mapping import map_model

        return map_model(model)

    def summary(self, mapping: OpMapping) -> str:
        """Return how much is mapped, and the operator that ends it."""
        verb = "are" if mapping.compiled else "will be"
        line = f"{mapping.mapped} of {len(mapping.ops)} operators {verb} mapped to {self.target}"
        return printable(line + ("" if mapping.compiled else mapping.first_left_text))

    def lines(self, model: TfliteModel) -> list[str]:
        """Return for people what is mapped, and the memory on the chip."""
        mapping = self.map_model(model)
        lines = [*wrapped(self.summary(mapping)), *table_lines(mapping)]
        if not mapping.compiled:
            lines += wrapped(f"parameters: {mapping.memory.text()}")
            lines += remedy_lines(mapping)
            lines.append("predicted from the documented rules; edgetpu_compiler has the last word")
        return lines

    def to_json(self, model: TfliteModel) -> dict[str, object]:
        """Return the same for scripts."""
        mapping = self.map_model(model)
        return {
            "mapped": mapping.mapped,
            "total": len(mapping.ops),
            "compiled": mapping.compiled,
            "parameter_bytes": mapping.memory.bytes,
            "streamed_bytes": mapping.memory.streamed_bytes,
            "remedies": remedies(mapping),
            "ops": ops_json(mapping),
        }

    def ask_compiler(
        self, model: TfliteModel, content: Callable[[], bytes], *, subject: str
    ) -> dict[str, object]:
        """Return what edgetpu_compiler says, where it is installed.

        What it refuses is an answer, not an error: the model was inspected all the same.
        """
        from edgeinfer.device.accelerators.edgetpu.compiler import (
            HOW_TO_GET_IT,
            compile_model,
            find_compiler,
        )
        from edgeinfer.device.accelerators.edgetpu.log import differences

        program, mapping = find_compiler(), self.map_model(model)
        if mapping.compiled or not mapping.mapped:
            return {}
        if program is None:
            return {"compiler": "not installed", "compiler_next_step": HOW_TO_GET_IT}
        try:
            log = compile_model(content(), program, subject=subject).log
        except (ConversionError, ModelError) as error:
            return {"compiler": "refused", "compiler_next_step": str(error)}
        return {
            "compiler": log.version or "of unknown version",
            "compiler_mapped": sum(log.mapped.values()),
            "compiler_differences": differences(mapping, log, model),
        }

    def compiler_lines(self, word: dict[str, object]) -> list[str]:
        """Return the same for people."""
        if "compiler_next_step" in word:
            return [str(word["compiler_next_step"])]
        if not word:
            return []
        told = word["compiler_differences"]
        lines = [f"edgetpu_compiler {word['compiler']} maps {word['compiler_mapped']} operators"]
        differing = [f"  differs: {text}" for text in told] if isinstance(told, list) else []
        return lines + (differing or ["  as predicted"])


def _usb_nodes(root: Path) -> Iterator[Path | None]:
    for folder in sorted((root / "sys/bus/usb/devices").glob("*")):
        if (_text(folder / "idVendor"), _text(folder / "idProduct")) not in USB_IDS:
            continue
        bus, number = _text(folder / "busnum"), _text(folder / "devnum")
        known = bus.isdigit() and number.isdigit()
        yield root / f"dev/bus/usb/{int(bus):03}/{int(number):03}" if known else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip().lower()
    except OSError:
        return ""


ACCELERATOR = EdgeTpu()
