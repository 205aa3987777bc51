"""What must not be in a report: names, addresses, serial numbers, passwords.

Two nets, one behind the other: words that this machine knows as private, such as its host name and
the serial numbers of its parts, and patterns such as e-mail and IP addresses.
"""

from __future__ import annotations

import os
import re
import socket
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from edgeinfer.device.core.camera_url import is_private
from edgeinfer.device.diagnose.doctor.device_access import user_name
from edgeinfer.device.diagnose.doctor.system import System, read_text

USER, HOST, SERIAL, ADDRESS, HIDDEN = "<user>", "<host>", "<serial>", "<address>", "<hidden>"

_COMMON = frozenset(
    (
        *("root", "pi", "user", "debian", "ubuntu", "raspbian", "raspberrypi", "localhost"),
        *("mendel", "orangepi", "radxa", "rock", "linux", "edgeinfer", "python", "board"),
        *("camera", "host", "serial", "address", "hidden", "default", "none", "null"),
    )
)
"""Names that say nothing about their owner; hiding them would hide the system's name too."""

_SHORTEST_WORD = 3
"""Shorter names are hidden in paths only: elsewhere they would hide parts of usual words."""
_SHORTEST_SERIAL = 4

_SERIALS = (
    "/proc/device-tree/serial-number",
    "/sys/firmware/devicetree/base/serial-number",
    "/sys/bus/usb/devices/[0-9]*/serial",
    "/sys/block/*/device/serial",
    "/sys/block/*/device/cid",
    "/sys/block/*/device/wwid",
    "/sys/class/nvme/*/serial",
    "/sys/class/net/*/address",
    "/sys/class/dmi/id/*_serial",
    "/sys/class/dmi/id/product_uuid",
    "/etc/machine-id",
    "/var/lib/dbus/machine-id",
)
"""Files that hold a number of this one machine, or of one of its parts."""


def private_words(
    system: System, *, camera: str | None = None, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the words that this machine knows as private, and what stands for each in a report.

    Args:
        system: the machine.
        camera: the source that was tried, which may hold a password.
        environment: the variables of this process.
    """
    words: dict[str, str] = {}

    def add(found: Iterable[str], replacement: str, shortest: int = _SHORTEST_WORD) -> None:
        for word in map(str.strip, found):
            if len(word) >= shortest and word.lower() not in _COMMON:
                words.setdefault(word, replacement)

    add(_camera_words(camera or ""), HIDDEN)
    add(_serials(system), SERIAL, _SHORTEST_SERIAL)
    variables = (environment.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER"))
    add((user_name(), *variables), USER)
    add((folder.name for folder in system.glob("/home/*")), USER)
    names = {system.text("/etc/hostname"), socket.gethostname(), environment.get("HOSTNAME", "")}
    add((part for name in names for part in (name, name.partition(".")[0])), HOST)
    return words


def _serials(system: System) -> Iterator[str]:
    for pattern in _SERIALS:
        for path in system.glob(pattern):
            yield read_text(path)
    for line in system.text("/proc/cpuinfo").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "Serial":
            yield value


def _camera_words(source: str) -> Iterator[str]:
    """Give the parts of a camera's URL or pipeline that may be secret, as typed and decoded."""
    if not is_private(source):
        return
    if "://" not in source:
        # A pipeline: its values, but not the names of its elements.
        values = re.findall(r"=\s*(\"[^\"]*\"|'[^']*'|\S+)", source)
        yield from (value.strip("\"'") for value in values)
    for place in re.findall(r"://([^\s\"']+(?:[^\"']*@[^\s\"']*)?)", source):
        for text in (place, urllib.parse.unquote(place)):
            yield text
            login, _, rest = text.rpartition("@")
            yield from (login, *login.split(":", 1), *login.split())
            yield from re.split(r"[/?#&=:;@\s]+", rest)


class Redactor:
    """Removes private words and patterns from texts.

    Args:
        words: the private words, and what stands for each.
        home: the user's folder, which becomes `~`.

    >>> Redactor({"anna": "<user>"}).text("/home/anna/a.jpg from anna@10.0.0.7, rtsp://a:b@cam/1")
    '/home/<user>/a.jpg from <address>, rtsp://<address>'
    """

    def __init__(self, words: Mapping[str, str], *, home: Path | None = None) -> None:
        self._words = {word.lower(): replacement for word, replacement in words.items()}
        # Longer words first, since one may be a part of another.
        spelled = sorted(map(re.escape, self._words), key=len, reverse=True)
        self._pattern = re.compile(
            rf"(?<![^\W_])(?:{'|'.join(spelled) or '(?!)'})(?![^\W_])", re.IGNORECASE
        )
        self._home = "" if home is None or len(home.parts) < 2 else str(home)

    def words(self, text: str) -> str:
        """Return a text without the private words."""
        return self._pattern.sub(lambda found: self._words[found[0].lower()], text)

    def text(self, text: str) -> str:
        """Return a text without private words and without anything that looks like an address."""
        if self._home:
            text = re.sub(rf"{re.escape(self._home)}(?=[/\s:;,'\")]|$)", "~", text)
        for pattern, replacement in _PATTERNS[:_BEFORE_WORDS]:
            text = pattern.sub(replacement, text)
        text = self.words(text)
        for pattern, replacement in _PATTERNS[_BEFORE_WORDS:]:
            text = pattern.sub(replacement, text)
        return _POSSIBLE_IP.sub(_hide_ip, text)

    def document(self, value: object) -> object:
        """Return the same JSON value with every text in it redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.document(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.document(each) for each in value]
        return value


_BEFORE_WORDS = 2
_PATTERNS = (
    # All up to a space: a password may contain any sign.
    (re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*://)\S+"), rf"\1{ADDRESS}"),
    (re.compile(r"(/(?:home|Users|media|run/media|run/user)/)[^/\s:;,'\")]+"), rf"\1{USER}"),
    # A camera's link has its serial number as a part of a longer name.
    (re.compile(r"(/by-(?:id|uuid|path|partuuid|label)/)[^\s:;,'\")]+"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)(?<![^\W_])((?:user|username|user-id|user-pw|pass|password|passwd|pw|token|secret"
            r"|api-?key|key|auth|authorization)\s*[=:]\s*)(?:(?:Basic|Bearer|Digest)\s+)?[^\s,;]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"[\w.+-]*[\w+-]@[\w-][\w.:-]*"), ADDRESS),
    (re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])"), ADDRESS),
    (re.compile(r"(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.(?:local|lan|home|internal|intranet|localdomain"
                r"|box)(?![\w-])"), HOST),
    # NFS and CIFS: server:/folder and //server/folder.
    (re.compile(r"(?<!\S)(?:[\w.-]+:/(?!/)|//[\w.-]+/)\S*"), ADDRESS),
    (re.compile(r"(?i)(?<![\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])"), SERIAL),
    (re.compile(r"(?i)(?<![^\W_])(?=[a-f]*\d)[0-9a-f]{12,}(?![^\W_])"), SERIAL),
)  # fmt: skip

_POSSIBLE_IP = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]*[:.][0-9A-Fa-f:.]*[0-9A-Fa-f:](?:%\w+)?")


def _hide_ip(found: re.Match[str]) -> str:
    import ipaddress

    # With one colon it is an IPv4 address with a port.
    text = found[0].partition(":")[0] if found[0].count(":") == 1 else found[0]
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return found[0]
    return ADDRESS if text != "::" else found[0]
