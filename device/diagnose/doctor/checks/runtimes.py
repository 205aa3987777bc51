"""The runtimes: each runs a tiny model in a child process."""

from __future__ import annotations

from collections.abc import Sequence

from edgeinfer.device.core.installation.advice import add_packages
from edgeinfer.device.diagnose.doctor.child import ChildEnd, run_probe
from edgeinfer.device.diagnose.doctor.finding import Finding, broken, fault_of, note, ok
from edgeinfer.device.diagnose.doctor.system import System
from edgeinfer.device.diagnose.doctor.tiny_model import TINY_OUTPUT


class RuntimesCheck:
    """Whether ai-edge-litert and tflite-runtime, if installed, can run a model."""

    title = "Runtimes"

    def run(self, system: System) -> Sequence[Finding]:
        """Load and run a tiny model with each."""
        end = run_probe("runtimes", timeout_s=system.timeout_s)
        installed, chosen = end.facts.get("installed"), end.facts.get("chosen")
        if installed is None:
            return [
                broken(
                    "runtime",
                    f"cannot be searched ({end.reason})",
                    fix="fix numpy first, see above; or install edgeinfer again",
                )
            ]
        findings = [
            judge_runtime(
                name,
                run_probe("runtime", name, timeout_s=system.timeout_s),
                chosen=name == chosen,
            )
            for name in installed
        ]
        if chosen is None:
            findings.append(fault_of(end, "runtime", fix=add_packages("ai-edge-litert")))
        return findings


def judge_runtime(name: str, end: ChildEnd, *, chosen: bool) -> Finding:
    """Return whether a runtime works; a fault of one that is not used is only a note."""
    if end.code == 0 and end.facts.get("answer") == TINY_OUTPUT:
        taken = "" if chosen else ", not used"
        return ok(name, f"{end.facts['description'].removeprefix(name + ' ')}{taken}")
    if end.code == 0:
        fault = broken(
            name,
            f"computes {end.facts.get('answer')}",
            expected=f"{TINY_OUTPUT}",
            fix=add_packages(name, force=True),
        )
    else:
        fault = fault_of(end, name, fix=add_packages(name, force=True))
        if "numpy 1" in fault.got:
            fault = broken(
                name,
                f"{fault.got}, and numpy here is {end.facts.get('numpy')}",
                # OpenCV 4.12 and later need numpy 2, so both go back.
                fix=add_packages("numpy<2", "opencv-python-headless<4.12"),
            )
    if chosen:
        return fault
    return note(name, f"{fault.got}; not used", expected=fault.expected, fix=fault.fix)
