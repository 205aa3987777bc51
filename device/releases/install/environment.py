"""A virtual environment for one set of wheels, made without the internet.

Root makes it and runs nothing of what the wheels bring. A wheel may hold a `.pth` file or a
`sitecustomize.py`, which a Python runs as it starts there; a program or a data file instead
of `bin/python`; a module that pip looks for. So pip sees nothing of the environment, and once
something is unpacked, its Python is not started: the board's own is, without the module `site`.
Only the service's user runs what is installed.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

from edgeinfer.device.core.errors import ReleaseError, StorageError, storage_error
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.core.processes import run_to_end
from edgeinfer.device.releases.disk import check_space, make_folder, remove_tree
from edgeinfer.device.releases.install.spec import ReleaseSpec
from edgeinfer.device.releases.paths import Layout

_COMPLETE = "complete"
"""The file that is written last."""
_BUILD_S = 3600.0
"""A Pi Zero unpacks 75 MB of wheels in minutes; this only ends what hangs."""
_BYTECODE = 1.35
"""How much larger an environment is with its bytecode than its wheels' content.

Measured with the wheels of 64-bit ARM: numpy, OpenCV, tflite-runtime, click and edgeinfer.
"""

_PIP = """\
import runpy, sys
environment = sys.prefix + "/"
sys.path = [sys.argv.pop(1), *(path for path in sys.path if not path.startswith(environment))]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""Runs pip out of its wheel, the first argument, with nothing of the environment to be imported."""


def environment_key(layout: Layout, spec: ReleaseSpec) -> str:
    """Return the name of the environment that a release needs.

    Its wheels' hashes, the Python's binary interface and whether the system's packages are seen
    decide it. So a board whose system brought a new Python gets a new environment.

    Raises:
        ReleaseError: the Python does not run.
    """
    interface = _run(
        [
            spec.python,
            "-I",
            "-S",
            "-c",
            "import sys, sysconfig; print(sys.version_info[:2], sysconfig.get_config_var('SOABI'))",
        ],
        subject=f"the board's {spec.python}",
    ).strip()
    parts = [*sorted({wheel.sha256 for wheel in spec.wheels}), interface, str(spec.python)]
    parts.append(str(spec.system_site_packages))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def is_complete(layout: Layout, key: str) -> bool:
    """Return whether an environment is complete."""
    return (layout.packages / key / _COMPLETE).is_file()


def build_environment(layout: Layout, spec: ReleaseSpec, key: str, lock: int) -> bool:
    """Make the environment where it will be used; False when it is there already.

    pip runs from its wheel, so pip and ensurepip need not be installed. Bytecode is made
    now: the service writes none.

    Args:
        layout: where.
        spec: whose wheels.
        key: what `environment_key` gave.
        lock: the lock's descriptor, which the programs inherit: when this process is killed, the
            next one waits for them.

    Raises:
        ReleaseError: a wheel does not suit this Python, or is broken; nothing of it remains.
        StorageError: there is no room; nothing of it remains.
    """
    folder = layout.packages / key
    if is_complete(layout, key):
        return False
    remove_tree(folder)
    subject = f"the environment of {spec.name}"
    check_space(layout.packages, _unpacked_bytes(layout, spec), subject=subject)
    try:
        _build(layout, spec, folder, lock)
    except BaseException:
        remove_tree(folder)
        raise
    return True


def _build(layout: Layout, spec: ReleaseSpec, folder: Path, lock: int) -> None:
    system = ["--system-site-packages"] if spec.system_site_packages else []
    subject = f"the environment of {spec.name}"
    _run(
        [spec.python, "-I", "-m", "venv", "--without-pip", *system, str(folder)],
        subject=subject,
        lock=lock,
    )
    # Outside the environment: what a wheel unpacks cannot replace another wheel.
    wheels = folder.with_name(f".{folder.name}.wheels")
    try:
        # pip reads from a wheel's name what it is; the store knows files by their hash.
        remove_tree(wheels)
        make_folder(wheels)
        for wheel in spec.wheels:
            os.symlink(layout.store / wheel.sha256, wheels / wheel.name)
        if spec.wheels:
            _run(
                [
                    str(folder / "bin" / "python"),
                    "-I",
                    "-c",
                    _PIP,
                    str(layout.store / spec.pip.sha256),
                    "install",
                    "--isolated",
                    "--no-index",
                    "--no-deps",
                    "--no-cache-dir",
                    "--no-compile",
                    "--no-input",
                    "--disable-pip-version-check",
                    *(str(wheels / wheel.name) for wheel in spec.wheels),
                ],
                subject=subject,
                lock=lock,
            )
        # Unchecked: a clock that is years off, or a copied tree, cannot make it look outdated. Some
        # packages carry files of other Pythons, which do not compile: no reason to stop. Packages'
        # tests, a third of numpy, are imported by nothing here.
        compile_all = ["-m", "compileall", "-q", "-x", "/tests/"]
        compile_all += ["--invalidation-mode", "unchecked-hash"]
        _run(
            [spec.python, "-I", "-S", *compile_all, str(folder / "lib")],
            subject=subject,
            lock=lock,
            check=False,
        )
    except OSError as error:
        raise storage_error(folder, error) from error
    finally:
        remove_tree(wheels)
    os.sync()  # thousands of files that other programs wrote
    write_atomically(folder / _COMPLETE, "")


def _unpacked_bytes(layout: Layout, spec: ReleaseSpec) -> int:
    """Return about how large the environment will be."""
    size = 0
    for wheel in spec.wheels:
        try:
            with zipfile.ZipFile(layout.store / wheel.sha256) as archive:
                size += sum(member.file_size for member in archive.infolist())
        except (OSError, zipfile.BadZipFile) as error:
            raise ReleaseError(
                wheel.name, got=f"is not a wheel ({error})", next_step="send it again"
            ) from error
    return round(size * _BYTECODE)


def _run(
    command: Sequence[str], *, subject: str, lock: int | None = None, check: bool = True
) -> str:
    """Run a program and return what it prints.

    Raises:
        ReleaseError: it failed; its last words are in the error.
        StorageError: it failed because the disk is full.
    """
    try:
        done = run_to_end(
            command,
            limit_s=_BUILD_S,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "LC_ALL": "C.UTF-8",
                "HOME": "/nonexistent",
            },
            pass_fds=() if lock is None else (lock,),
        )
    except OSError as error:
        raise ReleaseError(subject, got=f"{command[0]} does not run ({error})") from error
    if done.end.code != 0 and check:
        said = (done.stderr or done.stdout).strip().splitlines()
        if any("No space left on device" in line for line in said):
            raise StorageError(
                subject,
                got="the disk is full",
                next_step="free some space, or remove old releases with `releases.pyz collect`",
            )
        errors = [line for line in said if line.startswith("ERROR: ")] or said
        reason = errors[-1] if errors else done.end.text
        raise ReleaseError(subject, got=f"cannot be made: {reason.removeprefix('ERROR: ')}")
    return done.stdout
