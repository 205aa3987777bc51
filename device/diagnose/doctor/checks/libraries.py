"""numpy, OpenCV and the native preprocessing: each is imported in a child process."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib import metadata

from edgeinfer.device.core.installation.advice import add_packages
from edgeinfer.device.diagnose.doctor.child import ChildEnd, run_probe
from edgeinfer.device.diagnose.doctor.finding import Finding, broken, note, ok
from edgeinfer.device.diagnose.doctor.system import System

OPENCV_PACKAGES = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
"""Each of them has the same folder `cv2`: the one installed last overwrites the others."""

_REQUIREMENTS = (
    ("numpy<2", "opencv-python-headless<4.12")
    if sys.version_info < (3, 12)
    else ("numpy>=2", "opencv-python-headless>=4.12")
)
"""The requirements for pip; the two must fit each other, see pyproject.toml."""


class LibrariesCheck:
    """Whether numpy and OpenCV load, and which preprocessing is used."""

    title = "Libraries"

    def run(self, system: System) -> Sequence[Finding]:
        """Import each in a separate process."""
        numpy = judge_numpy(run_probe("numpy", timeout_s=system.timeout_s))
        if numpy.state == "broken":
            return [numpy]  # the others import it
        opencv = run_probe("opencv", timeout_s=system.timeout_s)
        kernels = run_probe("kernels", timeout_s=system.timeout_s)
        return [
            numpy,
            *judge_opencv(opencv, installed_opencv()),
            judge_kernels(kernels, turned_off=os.environ.get("EDGEINFER_NATIVE", "1") == "0"),
        ]


def installed_opencv() -> tuple[str, ...]:
    """Return the packages that contain OpenCV; empty if it is the system's."""
    names = {(each.metadata["Name"] or "").lower() for each in metadata.distributions()}
    return tuple(name for name in OPENCV_PACKAGES if name in names)


def judge_numpy(end: ChildEnd) -> Finding:
    """Return whether numpy works."""
    if end.code == 0 and end.facts.get("sum") == 10:
        return ok("numpy", f"{end.facts['version']}")
    if "No module named 'numpy'" in end.stderr:
        return broken("numpy", "is not installed", fix=add_packages(_REQUIREMENTS[0]))
    return broken(
        "numpy",
        f"does not work ({end.reason})",
        fix=f"{add_packages(_REQUIREMENTS[0], force=True)}; another module with the name "
        "numpy on PYTHONPATH may hide the real one",
    )


def judge_opencv(end: ChildEnd, packages: Sequence[str]) -> list[Finding]:
    """Return whether OpenCV works, and whether several packages of it overwrite each other."""
    findings = []
    if len(packages) > 1:
        findings.append(
            note(
                "OpenCV packages",
                f"{' and '.join(packages)} are installed over each other",
                expected="one of them",
                fix=_reinstall(packages),
            )
        )
    if end.code == 0 and end.facts.get("shape") == [8, 8, 3]:
        return [ok("OpenCV", str(end.facts["version"])), *findings]
    return [_opencv_fault(end, packages), *findings]


def _opencv_fault(end: ChildEnd, packages: Sequence[str]) -> Finding:
    missing = re.search(r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object file", end.stderr)
    if missing and missing[1].startswith(("libGL", "libgthread", "libglib", "libX", "libSM")):
        return broken(
            "OpenCV",
            f"needs {missing[1]}, which belongs to a desktop",
            expected="the package without windows, opencv-python-headless",
            fix=f"{_reinstall(packages)}; or `sudo apt install libgl1 libglib2.0-0`",
        )
    if missing:
        return broken(
            "OpenCV",
            f"needs {missing[1]}, which is missing",
            fix=f"run `apt-file search {missing[1]}` for its package and install that",
        )
    if "No module named 'cv2'" in end.stderr:
        return broken(
            "OpenCV",
            "is not installed",
            fix=add_packages(_REQUIREMENTS[1])
            + "; on 32-bit ARM `sudo apt install python3-opencv`",
        )
    if re.search(r"numpy[\w.]* failed to import|compiled using NumPy", end.stderr):
        return broken(
            "OpenCV",
            "was built against another numpy",
            expected="OpenCV before 4.12 with numpy 1, 4.12 or later with numpy 2",
            fix=add_packages(*_REQUIREMENTS),
        )
    return broken("OpenCV", f"does not work ({end.reason})", fix=_reinstall(packages))


def _reinstall(packages: Sequence[str]) -> str:
    """Return the commands that leave one OpenCV, the one that needs no desktop."""
    names = packages or ("opencv-python-headless",)
    return add_packages(_REQUIREMENTS[1], instead_of=names)


def judge_kernels(end: ChildEnd, *, turned_off: bool) -> Finding:
    """Return which preprocessing is used: native or numpy."""
    subject = "preprocessing"
    if end.code == 0 and end.facts.get("instruction_set"):
        return ok(subject, f"native, {end.facts['instruction_set']}")
    if turned_off:
        return note(
            subject,
            "numpy: EDGEINFER_NATIVE=0 turns the native one off",
            expected="native, about 40 times as fast",
            fix="run `unset EDGEINFER_NATIVE`",
        )
    if end.code == 0:
        return note(
            subject,
            "numpy: this installation has no native one",
            expected="native, about 40 times as fast",
            fix="install a wheel, or run `sudo apt install g++` and install again",
        )
    return broken(
        subject,
        f"the native library does not load ({end.reason})",
        fix="install the wheel for this architecture again, or `export EDGEINFER_NATIVE=0`",
    )
