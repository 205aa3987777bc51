"""Cameras of the Linux kernel, by V4L2."""
