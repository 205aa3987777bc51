"""Run the device package of another architecture on this machine, in Debian's userland of a board.

qemu-user runs one program of another processor at a time, on this machine's kernel: no board's
kernel, camera, accelerator or temperature is there, and its times say nothing.
"""
