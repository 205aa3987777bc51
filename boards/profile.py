"""Board profiles: one TOML file a board, read strictly.

A file that says something that no `BoardProfile` has, or something impossible, is refused: a
misspelt key would otherwise be a setting that silently does nothing.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROFILES = Path(__file__).resolve().parent / "profiles"
"""The folder of the profiles that come with edgeinfer."""

ACCELERATORS = ("", "edgetpu", "ethos-u", "vx")
"""What a profile may name as its accelerator; empty for none."""

COMPILED = ("edgetpu", "ethos-u")
"""Those that models are compiled for on a workstation; others compile as they load a model."""

CONFIGURED = ("ethos-u",)
"""Those that come in several configurations, of which a profile names one."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FILE = re.compile(r"[\w.-]+", re.ASCII)
_MOST_CORES = 1024
_MOST_MEMORY_MIB = 2**24


class ProfileError(ValueError):
    """A profile is absent, is no TOML, or says something unknown or impossible."""


@dataclass(frozen=True, kw_only=True)
class BoardProfile:
    """A board.

    The thread counts follow one rule and have not been measured on the boards; `edgeinfer
    benchmark` compares them with others on the machine where it runs.

    Attributes:
        name: the file's name without its suffix: small letters, digits and hyphens.
        title: what people call the board.
        architecture: as `platform.machine()` names it under a 64-bit system: `aarch64`, ...
        cores: processor cores; 0 for a generic profile, where the system is asked.
        memory_mib: main memory, MiB, of the smallest model sold; 0 for a generic profile.
        threads: interpreter threads; 0 means by the rule, see `thread_count`.
        device_tree: how the board is recognised: texts with which `/proc/device-tree/model` may
            begin; none for a generic profile.
        accelerator: what computes beside the processor, which decides the rules for operators:
            a name of `ACCELERATORS`; empty where there is none.
        delegate: the library through which a runtime uses it.
        compiler: the program that prepares models for it; empty where none does.
        npu: its configuration, such as `ethos-u65-256`, as its compiler names it; empty where
            there is only one.
    """

    name: str
    title: str
    architecture: str
    cores: int = 0
    memory_mib: int = 0
    threads: int = 0
    device_tree: tuple[str, ...] = ()
    accelerator: str = ""
    delegate: str = ""
    compiler: str = ""
    npu: str = ""

    def __post_init__(self) -> None:
        """Refuse impossible values."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name is {self.name!r}, expected small letters, digits and hyphens")
        for field, text in (("title", self.title), ("architecture", self.architecture)):
            if not text.strip() or not text.isprintable():
                raise ValueError(f"{field} is {text!r}, expected text")
        for field, value, most in (
            ("cores", self.cores, _MOST_CORES),
            ("memory_mib", self.memory_mib, _MOST_MEMORY_MIB),
            ("threads", self.threads, self.cores or _MOST_CORES),
        ):
            if not 0 <= value <= most:
                raise ValueError(f"{field} is {value}, expected 0 to {most}")
        if any(not text.strip() for text in self.device_tree):
            raise ValueError("device_tree holds an empty text, which every board begins with")
        if self.accelerator not in ACCELERATORS:
            raise ValueError(f"accelerator is {self.accelerator!r}, expected one of {ACCELERATORS}")
        for field, text, needed, what in (
            ("delegate", self.delegate, bool(self.accelerator), "a file name"),
            ("compiler", self.compiler, self.accelerator in COMPILED, "a file name"),
            ("npu", self.npu, self.accelerator in CONFIGURED, "a configuration's name"),
        ):
            if needed and not _FILE.fullmatch(text):
                raise ValueError(f"{field} is {text!r}, expected {what}")
            if text and not needed:
                raise ValueError(f"{field} is {text!r}, expected none for this accelerator")

    def thread_count(self) -> int:
        """Return the interpreter threads to use, 1 or more.

        The rule, where the profile states no number: the cores less one, which capture and
        preprocessing take, and at least 1. The cores are the profile's, else those that the
        system has.
        """
        return self.threads or max(1, (self.cores or os.cpu_count() or 1) - 1)


def profile_names(folder: Path = PROFILES) -> tuple[str, ...]:
    """Return the names of all profiles, in alphabetical order."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def load_profile(name: str, folder: Path = PROFILES) -> BoardProfile:
    """Read a profile.

    Args:
        name: the file's name without `.toml`.
        folder: where it lies; by default those that come with edgeinfer.

    Raises:
        ProfileError: it is absent, is no TOML, has a key that is not known, lacks one that is
            needed, or states an impossible value.
    """
    path = folder / f"{name}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"{path}: cannot be read ({error}), expected a profile") from error
    try:
        return parse_profile(name, content)
    except ValueError as error:
        raise ProfileError(f"{path}: {error}") from error


def parse_profile(name: str, content: dict[str, Any]) -> BoardProfile:
    """Build a profile from its name and a TOML document.

    Raises:
        ValueError: a key is not known or missing, or a value is of another type or impossible.
    """
    fields = {field.name: field for field in dataclasses.fields(BoardProfile)}
    del fields["name"]  # the file's name says it already
    unknown = sorted(set(content) - set(fields))
    if unknown:
        raise ValueError(f"unknown key {unknown[0]!r}, expected only {sorted(fields)}")
    for key, field in fields.items():
        if key not in content and field.default is dataclasses.MISSING:
            raise ValueError(f"no key {key!r}, expected {sorted(fields)}")
    return BoardProfile(name=name, **{key: _value(key, item) for key, item in content.items()})


def _value(key: str, value: object) -> Any:
    """Return the value as the attribute's type; a bool is no number."""
    if key == "device_tree":
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{key} is {value!r}, expected a list of texts")
        return tuple(value)
    kind = int if key in ("cores", "memory_mib", "threads") else str
    if not isinstance(value, kind) or isinstance(value, bool):
        expected = "a whole number" if kind is int else "text"
        raise ValueError(f"{key} is {value!r}, expected {expected}")
    return value
