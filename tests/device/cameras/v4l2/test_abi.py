"""The kernel's structures and numbers, against its own header."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from edgeinfer.device.cameras.v4l2 import abi, planes_abi

FIELDS = {
    "v4l2_capability": (abi.Capability, ("card", "bus_info", "device_caps")),
    "v4l2_fmtdesc": (abi.FormatDescription, ("description", "pixelformat")),
    "v4l2_frmsizeenum": (abi.FrameSize, ("pixel_format", "type")),
    "v4l2_frmivalenum": (abi.FrameInterval, ("width", "type")),
    "v4l2_format": (abi.Format, ("fmt",)),
    "v4l2_pix_format": (abi.PixelFormat, ("bytesperline", "sizeimage")),
    "v4l2_streamparm": (abi.StreamParameters, ("parm",)),
    "v4l2_requestbuffers": (abi.RequestBuffers, ("memory",)),
    "v4l2_buffer": (abi.Buffer, ("bytesused", "timestamp", "sequence", "m", "length")),
    "v4l2_queryctrl": (abi.QueryControl, ("name", "default_value", "flags")),
    "v4l2_querymenu": (abi.QueryMenu, ("index", "reserved")),
    "v4l2_control": (abi.ControlValue, ("value",)),
    "v4l2_plane": (planes_abi.Plane, ("length", "m", "data_offset")),
    "v4l2_plane_pix_format": (planes_abi.PlaneFormat, ("bytesperline",)),
    "v4l2_pix_format_mplane": (planes_abi.PlanesFormat, ("plane_fmt", "num_planes", "xfer_func")),
}


def test_layout_and_numbers_are_the_headers(tmp_path: Path) -> None:
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not Path("/usr/include/linux/videodev2.h").exists():
        pytest.skip("there is no C compiler, or no header of the kernel: nothing to compare with")
    requests = sorted(name for name in vars(abi) if name.startswith("VIDIOC_"))
    ours = [int(getattr(abi, name)) for name in requests]
    lines = [f"print({name});" for name in requests]
    for structure, (mirror, fields) in FIELDS.items():
        lines.append(f"print(sizeof(struct {structure}));")
        ours.append(ctypes.sizeof(mirror))
        for field in fields:
            lines.append(f"print(offsetof(struct {structure}, {field}));")
            ours.append(getattr(mirror, field).offset)
    numbers = {
        "V4L2_CAP_VIDEO_CAPTURE_MPLANE": planes_abi.CAP_VIDEO_CAPTURE_MPLANE,
        "V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_VIDEO_OUTPUT_MPLANE | V4L2_CAP_VIDEO_M2M | "
        "V4L2_CAP_VIDEO_M2M_MPLANE": planes_abi.CAP_OUTPUTS,
        "V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE": planes_abi.BUF_TYPE_VIDEO_CAPTURE_MPLANE,
        "VIDEO_MAX_PLANES": planes_abi.MAX_PLANES,
        "V4L2_PIX_FMT_Y16": abi.fourcc_code("Y16"),
        "V4L2_PIX_FMT_Y16_BE": abi.fourcc_code("Y16-BE"),
    }
    lines += [f"print({name});" for name in numbers]
    ours += numbers.values()
    source = tmp_path / "layout.c"
    source.write_text(
        "#include <linux/videodev2.h>\n#include <stddef.h>\n#include <stdio.h>\n"
        'static void print(unsigned long value) { printf("%lu\\n", value); }\n'
        f"int main(void) {{ {' '.join(lines)} return 0; }}\n"
    )
    program = tmp_path / "layout"
    subprocess.run([*compiler.split(), "-o", str(program), str(source)], check=True)
    done = subprocess.run([str(program)], capture_output=True, text=True, check=True)
    assert ours == [int(line) for line in done.stdout.split()]


def test_names_of_formats() -> None:
    assert abi.fourcc_name(abi.fourcc_code("YUYV")) == "YUYV"
    assert abi.fourcc_name(abi.fourcc_code("Y16")) == "Y16"
    assert abi.fourcc_name(abi.fourcc_code("Y16-BE")) == "Y16-BE"
