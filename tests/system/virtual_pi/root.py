"""The virtual board's root: Debian 12 for arm64 with the accounts and settings of Raspberry Pi OS.

Packages are unpacked and none of their scripts run, which would need an emulated processor and
minutes; what the scripts would have made and this machine needs is written here.
"""

from __future__ import annotations

import shutil
import sys
import uuid
from pathlib import Path

from tests.system.emulated.debian import run_tool, unpack
from tests.system.virtual_pi.packages import PackageSource

HOST_NAME = "virtual-pi"
PACKAGES = (
    *("base-files", "base-passwd", "bash", "coreutils", "dash", "debianutils", "diffutils"),
    *("dpkg", "e2fsprogs", "findutils", "grep", "gzip", "hostname", "iproute2", "kmod", "login"),
    *("mawk", "mount", "passwd", "procps", "sed", "tar", "util-linux", "v4l-utils"),
    *("dbus", "openssh-server", "python3", "sudo", "systemd", "systemd-sysv", "udev"),
)
"""Without python3-venv, and so without ensurepip, as Raspberry Pi OS Lite may be."""
ADMINISTRATOR = "pi"
VISITOR = "guest"
"""May log in and look at the camera, but not use sudo."""
PEOPLE = {ADMINISTRATOR: 1000, VISITOR: 1001}
SYSTEM_USERS = {"messagebus": 101, "sshd": 102, "systemd-network": 998}
SYSTEM_GROUPS = {
    "input": 105,
    "kvm": 106,
    "render": 107,
    "sgx": 108,
    "_ssh": 110,
    "gpio": 997,
    "systemd-journal": 999,
}
MEMBERS = {
    "adm": (ADMINISTRATOR,),
    "gpio": (ADMINISTRATOR,),
    "plugdev": (ADMINISTRATOR,),
    "render": (ADMINISTRATOR,),
    "sudo": (ADMINISTRATOR,),
    "video": (ADMINISTRATOR, VISITOR),
}
FEEDER = Path("/usr/local/lib/virtual_pi_feeder.py")
FEED = Path("/srv/camera")
"""What the feeder reads; see feeder.py."""
_NOT_WANTED = ("./usr/share/man", "./usr/share/doc", "./usr/share/locale", "./usr/share/perl*")
_NETWORK = """\
[Match]
Name=en* eth*
[Network]
Address=10.0.2.15/24
IPv6AcceptRA=no
LinkLocalAddressing=no
"""
_SSHD = """\
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
PermitRootLogin prohibit-password
MaxStartups 100
"""
_FEEDER_UNIT = f"""\
[Unit]
Description=Frames for the camera /dev/video0
ConditionPathExists={FEED}/feed.json
After=systemd-modules-load.service
StartLimitIntervalSec=0
[Service]
ExecStart=/usr/bin/python3 -I {FEEDER} /dev/video0 {FEED}
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
"""
_PAM = {
    "common-auth": "auth required pam_unix.so",
    "common-account": "account required pam_unix.so",
    "common-password": "password required pam_unix.so",
    "common-session": "session required pam_permit.so",
    "common-session-noninteractive": "session required pam_permit.so",
}
_WANTED = {
    "multi-user.target.wants": ("ssh.service", "systemd-networkd.service"),
    "sockets.target.wants": ("systemd-networkd.socket",),
}
_MASKED = ("serial-getty@ttyAMA0.service", "systemd-networkd-wait-online.service")


def build_root(source: PackageSource, root: Path, keys: Path) -> None:
    """Fill an empty folder with the board's files, all but the kernel's.

    Args:
        source: packages for arm64.
        root: the folder; it must be where root may make any file.
        keys: a folder for the key that the people log in with, `id`, and the board's host key.

    Raises:
        UserlandError: packages or tools are missing.
    """
    for name in ("bin", "sbin", "lib"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    left_out = [f"--exclude={pattern}" for pattern in _NOT_WANTED]
    for package in source.with_needs(PACKAGES):
        unpack(package, root, "--keep-directory-symlink", "--numeric-owner", *left_out)
    (root / "usr/bin/awk").symlink_to("mawk")
    (root / "usr/bin/sh").unlink(missing_ok=True)
    (root / "usr/bin/sh").symlink_to("dash")
    _write_accounts(root)
    _write_configuration(root)
    _write_units(root)
    _write_keys(root, keys)
    if sys.version_info[:2] == (3, 11):  # the board's own: its packages' scripts would compile
        library = root / "usr/lib/python3.11"
        run_tool(sys.executable, "-m", "compileall", "-q", "-j0", "-s", root, "-p", "/", library)


def _write_accounts(root: Path) -> None:
    masters = root / "usr/share/base-passwd"
    users = (masters / "passwd.master").read_text().replace(":*:", ":x:").splitlines()
    groups = (masters / "group.master").read_text().splitlines()
    for name, number in SYSTEM_USERS.items():
        users.append(f"{name}:x:{number}:{number}::/run:/usr/sbin/nologin")
        groups.append(f"{name}:x:{number}:")
    groups += [f"{name}:x:{number}:" for name, number in SYSTEM_GROUPS.items()]
    for name, number in PEOPLE.items():
        users.append(f"{name}:x:{number}:{number}::/home/{name}:/bin/bash")
        groups.append(f"{name}:x:{number}:")
    groups = [line + ",".join(MEMBERS.get(line.split(":")[0], ())) for line in groups]
    etc = root / "etc"
    (etc / "passwd").write_text("".join(f"{line}\n" for line in users))
    (etc / "group").write_text("".join(f"{line}\n" for line in groups))
    for file, mode, rest, lines in (
        ("shadow", 0o640, ":*:19000:0:99999:7:::", users),
        ("gshadow", 0o640, ":*::", groups),
    ):
        path = etc / file
        path.write_text("".join(f"{line.split(':')[0]}{rest}\n" for line in lines))
        path.chmod(mode)
        shutil.chown(path, group=42)  # the group `shadow` of every Debian


def _write_configuration(root: Path) -> None:
    texts = {
        "etc/hostname": HOST_NAME,
        "etc/hosts": f"127.0.0.1 localhost {HOST_NAME}",
        "etc/fstab": "/dev/vda / ext4 defaults,noatime 0 1",
        "etc/machine-id": uuid.uuid4().hex,
        "etc/locale.conf": "LANG=C.UTF-8",
        "etc/systemd/network/20-wired.network": _NETWORK,
        "etc/ssh/sshd_config.d/virtual-pi.conf": _SSHD,
        "etc/modules-load.d/virtual-pi.conf": "v4l2loopback",
        "etc/modprobe.d/virtual-pi.conf": (
            'options v4l2loopback video_nr=0 exclusive_caps=1 card_label="Fed camera"'
        ),
        "etc/sudoers.d/010_pi-nopasswd": f"{ADMINISTRATOR} ALL=(ALL) NOPASSWD: ALL",
        **{f"etc/pam.d/{name}": line for name, line in _PAM.items()},
    }
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.rstrip("\n") + "\n")
    (root / "etc/sudoers.d/010_pi-nopasswd").chmod(0o440)
    shutil.copy(root / "usr/share/openssh/sshd_config", root / "etc/ssh/sshd_config")
    for name in ("dev", "mnt", "proc", "run", "sys", "tmp", "var/log/journal", "var/lib/dbus"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    shutil.chown(root / "var/log/journal", group=SYSTEM_GROUPS["systemd-journal"])
    (root / "var/log/journal").chmod(0o2755)
    for name, target in (("var/lock", "/run/lock"), ("var/run", "/run")):
        if (root / name).is_dir() and not (root / name).is_symlink():
            (root / name).rmdir()
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to(target)


def _write_units(root: Path) -> None:
    units = root / "etc/systemd/system"
    units.mkdir(parents=True, exist_ok=True)
    (units / "camera-feeder.service").write_text(_FEEDER_UNIT)
    for target, names in _WANTED.items():
        (units / target).mkdir(exist_ok=True)
        for name in names:
            (units / target / name).unlink(missing_ok=True)
            (units / target / name).symlink_to(f"/lib/systemd/system/{name}")
    wanted = units / "multi-user.target.wants" / "camera-feeder.service"
    wanted.symlink_to("/etc/systemd/system/camera-feeder.service")
    for name in _MASKED:
        (units / name).symlink_to("/dev/null")
    feeder = root / FEEDER.relative_to("/")
    feeder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("feeder.py"), feeder)
    (root / FEED.relative_to("/")).mkdir(parents=True, exist_ok=True)


def _write_keys(root: Path, keys: Path) -> None:
    for name in ("id", "host"):
        run_tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", keys / name)
    shutil.copy(keys / "host", root / "etc/ssh/ssh_host_ed25519_key")
    shutil.copy(keys / "host.pub", root / "etc/ssh/ssh_host_ed25519_key.pub")
    homes = {root / "root": 0, **{root / "home" / name: n for name, n in PEOPLE.items()}}
    for home, number in homes.items():
        (home / ".ssh").mkdir(parents=True, exist_ok=True)
        (home / ".ssh").chmod(0o700)
        shutil.copy(keys / "id.pub", home / ".ssh" / "authorized_keys")
        for path in (home, *home.rglob("*")):
            shutil.chown(path, number, number)
