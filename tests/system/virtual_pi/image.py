"""The virtual board's parts as files: kernel, initrd, disk and keys, made once and kept."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.host.emulation.cached_folder import kept_folder
from tests.support.own_folders import kept_cache
from tests.system.emulated.debian import UserlandError, run_tool
from tests.system.virtual_pi.kernel import (
    CROSS_COMPILE,
    install_modules,
    unpack_kernel,
    write_initrd,
)
from tests.system.virtual_pi.packages import PackageSource
from tests.system.virtual_pi.root import build_root

DISK_SIZE = "3G"
"""The file is sparse: about 350 MB are written."""
TOOLS = (
    *("qemu-system-aarch64", "qemu-img", "apt-get", "dpkg-deb", "mke2fs", "e2fsck", "ssh"),
    *("ssh-keygen", "cpio", "depmod", "modprobe", "make", f"{CROSS_COMPILE}gcc"),
)
_SYSTEM_PROGRAMS = "/usr/sbin:/sbin"


@dataclass(frozen=True, kw_only=True)
class BoardImage:
    """What a virtual board is started from; `folder` has its parts and is never changed."""

    folder: Path

    @property
    def kernel(self) -> Path:
        """Debian's kernel."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """What mounts the disk."""
        return self.folder / "initrd.gz"

    @property
    def disk(self) -> Path:
        """The root, an ext4 file system without partitions."""
        return self.folder / "root.img"

    @property
    def key(self) -> Path:
        """The private key that pi, guest and root let in."""
        return self.folder / "keys" / "id"

    @property
    def host_key(self) -> Path:
        """The board's public host key."""
        return self.folder / "keys" / "host.pub"


def board_image() -> BoardImage:
    """Return the parts, made at the first call and kept.

    They depend on the code that makes them; a newer kernel or package of Debian's comes in when
    their folder is removed.

    Raises:
        UserlandError: this machine or its package sources cannot make them.
    """
    if platform.machine() != "x86_64":
        raise UserlandError(f"this machine is {platform.machine()}: the tools are x86-64 programs")
    path = f"{os.environ.get('PATH', '')}:{_SYSTEM_PROGRAMS}"
    missing = [tool for tool in TOOLS if shutil.which(tool, path=path) is None]
    if missing:
        raise UserlandError(f"not installed: {', '.join(missing)}")
    if os.geteuid() != 0:
        raise UserlandError("the files of the board's users can only be made by root")
    here = Path(__file__).parent
    parts = ("packages.py", "kernel.py", "root.py", "feeder.py", "image.py")
    code = [(here / name).read_text() for name in parts]
    folder = kept_folder(kept_cache() / "edgeinfer" / "emulation", "virtual-pi", code, _build)
    return BoardImage(folder=folder)


def _build(folder: Path) -> None:
    (folder / "keys").mkdir()
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        scratch = Path(temporary)
        root = scratch / "root"
        root.mkdir()
        root.chmod(0o755)
        build_root(PackageSource(scratch / "packages", "arm64"), root, folder / "keys")
        source = PackageSource(scratch / "kernel-packages", "arm64")
        kernel = unpack_kernel(source, scratch)
        install_modules(kernel, root)
        shutil.copy(kernel.image, folder / "vmlinuz")
        write_initrd(kernel, source, folder / "initrd.gz", scratch)
        options = ("-q", "-t", "ext4", "-L", "root", "-m", "1", "-E", "root_owner=0:0")
        run_tool("mke2fs", *options, "-d", root, folder / "root.img", DISK_SIZE)
