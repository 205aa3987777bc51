"""Debian's arm64 kernel for the virtual board: image, modules, a camera driver, an initrd.

v4l2loopback gives a `/dev/video0` that frames can be fed into. Debian has it as sources, for the
board to compile; here this machine's cross compiler does, with Debian's own kernel headers.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.system.emulated.debian import host_architecture, run_tool, unpack
from tests.system.virtual_pi.packages import PackageSource, needs

CROSS_COMPILE = "aarch64-linux-gnu-"
MODULES = (
    *("arch/arm64/crypto", "crypto", "lib", "net/core", "net/802"),
    *("drivers/block", "drivers/char", "drivers/virtio", "drivers/watchdog"),
    *("drivers/media/mc", "drivers/media/v4l2-core", "drivers/media/common/videobuf2"),
    *("drivers/net/virtio_net.ko", "drivers/net/net_failover.ko", "drivers/net/tun.ko"),
    *(
        "fs/autofs",
        "fs/binfmt_misc.ko",
        "fs/configfs",
        "fs/ext4",
        "fs/fuse",
        "fs/jbd2",
        "fs/mbcache.ko",
        "fs/overlayfs",
    ),
)
"""The parts of the kernel's 350 MB of modules that this machine may want."""
FIRST_MODULES = ("virtio_pci", "virtio_mmio", "virtio_blk", "ext4")
"""What finds and mounts the root."""
_INIT = """\
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
while read -r module; do $b insmod "/modules/$module"; done < /order
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 300 ]; do $b usleep 100000; tries=$((tries + 1)); done
$b mount -t ext4 -o ro /dev/vda /root || { echo "initrd: no root on /dev/vda"; exit 1; }
$b umount /proc /sys
$b mount --move /dev /root/dev
exec $b switch_root /root /sbin/init
"""


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """An unpacked kernel.

    Attributes:
        release: what `uname -r` says.
        image: the file to boot.
        modules: its folder `lib/modules/RELEASE`, v4l2loopback among them.
    """

    release: str
    image: Path
    modules: Path


def unpack_kernel(source: PackageSource, scratch: Path) -> Kernel:
    """Download the newest kernel of the package source and build the camera driver.

    Raises:
        UserlandError: packages or tools are missing, or the driver does not compile.
    """
    package = next(n for n in needs(source.alone("linux-image-arm64")) if n.startswith("linux-"))
    release = package.removeprefix("linux-image-")
    folder = scratch / "kernel"
    folder.mkdir()
    unpack(source.alone(package), folder)
    modules = folder / "lib" / "modules" / release
    driver = _build_loopback(source, release, scratch / "headers")
    (modules / "extra").mkdir()
    shutil.copy(driver, modules / "extra")
    run_tool("depmod", "-b", folder, release)
    return Kernel(release=release, image=folder / "boot" / f"vmlinuz-{release}", modules=modules)


def install_modules(kernel: Kernel, root: Path) -> None:
    """Copy the modules that are wanted into a root."""
    wanted = root / "usr" / "lib" / "modules" / kernel.release
    for part in ("extra", *(f"kernel/{name}" for name in MODULES)):
        source, target = kernel.modules / part, wanted / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():  # a part that this kernel has built in has no file
            shutil.copy(source, target)
    for listing in kernel.modules.glob("modules.*"):
        shutil.copy(listing, wanted)
    run_tool("depmod", "-b", root, kernel.release)


def write_initrd(kernel: Kernel, source: PackageSource, path: Path, scratch: Path) -> None:
    """Write an initrd that loads what the root needs, mounts it and hands over to its init.

    Raises:
        UserlandError: packages or tools are missing.
    """
    folder = scratch / "initrd"
    for name in ("bin", "dev", "modules", "proc", "root", "sys"):
        (folder / name).mkdir(parents=True)
    unpack(source.alone("busybox-static"), folder / "bin", "--strip-components=2", "./bin/busybox")
    (folder / "bin" / "sh").symlink_to("busybox")
    order: list[str] = []
    base = kernel.modules.parents[2]
    for module in FIRST_MODULES:
        told = run_tool("modprobe", "-d", base, "-S", kernel.release, "--show-depends", module)
        for line in told.splitlines():
            kind, _, file = line.partition(" ")
            name = Path(file.strip()).name
            if kind == "insmod" and name not in order:
                shutil.copy(file.strip(), folder / "modules")
                order.append(name)
    (folder / "order").write_text("".join(f"{name}\n" for name in order))
    (folder / "init").write_text(_INIT)
    (folder / "init").chmod(0o755)
    names = "\n".join(str(file.relative_to(folder)) for file in sorted(folder.rglob("*")))
    archive = subprocess.run(
        ["cpio", "--create", "--format=newc", "--quiet"],
        cwd=folder,
        input=names.encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    path.write_bytes(gzip.compress(archive.stdout, 1))


def _build_loopback(source: PackageSource, release: str, folder: Path) -> Path:
    """Cross-compile v4l2loopback and return the module's file."""
    folder.mkdir()
    flavour = f"linux-headers-{release}"
    headers = source.alone(flavour)
    common, kbuild = (
        next(n for n in needs(headers) if n.startswith(start))
        for start in ("linux-headers-", "linux-kbuild-")
    )
    # kbuild's own programs run on this machine.
    tools = PackageSource(folder / "apt", host_architecture()).alone(kbuild)
    for package in (headers, source.alone(common), source.alone("v4l2loopback-dkms"), tools):
        unpack(package, folder)
    sources = folder / "usr" / "src"
    makefile = sources / flavour / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src/", f"{sources}/"))
    for tree, name in ((t, n) for t in (flavour, common) for n in ("scripts", "tools")):
        link = sources / tree / name
        if link.is_symlink():
            link.unlink()
            link.symlink_to(folder / "usr" / "lib" / kbuild / name)
    (driver,) = sources.glob("v4l2loopback-*")
    run_tool(
        *("make", "-C", sources / flavour, f"M={driver}", "ARCH=arm64", f"-j{os.cpu_count()}"),
        *(f"CROSS_COMPILE={CROSS_COMPILE}", f"KERNELRELEASE={release}", "modules"),
    )
    return driver / "v4l2loopback.ko"
