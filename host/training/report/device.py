"""Which part of this machine trains: its GPU, or its processor."""

from __future__ import annotations

import os
import platform


def training_device() -> str:
    """Return the name of what TensorFlow computes on, such as "NVIDIA L4" or "CPU (4 cores)".

    TensorFlow takes a GPU that it sees by itself, so nothing has to be chosen. Of several GPUs it
    takes the first one.
    """
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        return str(details.get("device_name", "GPU"))
    return f"CPU ({os.cpu_count() or 1} cores, {platform.machine()})"


def has_gpu() -> bool:
    """Return whether the machine has an NVIDIA GPU whose driver is loaded."""
    return os.path.exists("/proc/driver/nvidia/version")


def device_note(device: str) -> str:
    """Return what a user should know of the device, or "".

    Args:
        device: what `training_device` returned.
    """
    if not device.startswith("CPU"):
        return f"training on {device}"
    if has_gpu():
        return (
            "this machine has an NVIDIA GPU, and TensorFlow does not see it: install "
            "edgeinfer[host-gpu] instead of edgeinfer[host]"
        )
    return ""
