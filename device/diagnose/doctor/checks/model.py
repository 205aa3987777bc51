"""The model that the board runs: whether it is complete, and fits this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeinfer.device.accelerators.registry import accelerators
from edgeinfer.device.diagnose.doctor.checks.memory import meminfo_mib
from edgeinfer.device.diagnose.doctor.child import ChildEnd, run_probe
from edgeinfer.device.diagnose.doctor.finding import Finding, fault_of, note, ok
from edgeinfer.device.diagnose.doctor.system import System

_VERIFY_S = 120.0
"""There are few golden frames, but with numpy preparing large ones is slow on small boards."""


class ModelCheck:
    """Whether the installed bundle, or the model that is named, opens, answers and verifies."""

    title = "Model"

    def run(self, system: System) -> Sequence[Finding]:
        """Open, run and verify it in a separate process."""
        wanted = "" if system.model is None else str(system.model)
        end = run_probe("model", wanted, timeout_s=max(system.timeout_s, _VERIFY_S))
        findings = [judge_model(end, named=system.model is not None)]
        if end.code == 0:
            available = meminfo_mib(system, "MemAvailable")
            findings += judge_need(float(end.facts["peak_mib"] or 0), available)
            variants = end.facts.get("variants")
            if variants:
                findings.append(judge_variants(variants, present_delegates(system)))
        return findings


def judge_model(end: ChildEnd, *, named: bool) -> Finding:
    """Return what opening, running and verifying showed.

    Args:
        end: how `probe_model` ended.
        named: whether the user named it: if not, a missing installed bundle is not a fault.
    """
    facts, error = end.facts, end.facts.get("error")
    subject = str(facts.get("path", "model"))
    if error and not named and "path" not in facts:
        return note("model", error["got"], fix=error["next_step"])
    if error or end.code != 0:
        fix = "if the runtimes above are in order, copy it again from the workstation"
        return fault_of(end, subject, fix=fix)
    frames = facts.get("frames")
    verified = f"{frames} golden frames verified" if frames else "answers; has no golden frames"
    return ok("model", f"{facts['name']} ({subject}), {verified}")


def judge_need(peak_mib: float, available_mib: int) -> list[Finding]:
    """Compare the memory that the process took with the memory that is free."""
    if not peak_mib or not available_mib:
        return []
    got = f"takes {peak_mib:.0f} MiB, {available_mib:,} MiB are available"
    if peak_mib <= available_mib:
        return [ok("its memory", got)]
    fix = "stop other programs, `ps -eo rss,comm --sort=-rss | head` lists them; add swap"
    return [note("its memory", got, fix=fix)]


def present_delegates(system: System) -> dict[str, bool]:
    """Return for each known delegate whether its accelerator is connected."""
    return {found.name: bool(found.devices(system.root)) for found in accelerators()}


def judge_variants(variants: Mapping[str, str | None], present: Mapping[str, bool]) -> Finding:
    """Compare a bundle's variants with the accelerators of this machine.

    Args:
        variants: the delegate that each needs by its name; None for the CPU.
        present: whether the accelerator of a delegate is connected.
    """
    delegates = set(variants.values())
    for found in accelerators():
        if found.plugged and present.get(found.name) and found.name not in delegates:
            return note(
                "variants",
                f"{', '.join(variants)}: none for {found.target} of this machine, which is "
                "not used",
                fix=f"convert it again with `edgeinfer convert --board {found.plugged}`",
            )
    told = [
        name
        if delegate is None or present.get(delegate, True)
        else f"{name} (not for this machine)"
        for name, delegate in variants.items()
    ]
    return ok("variants", ", ".join(told))
