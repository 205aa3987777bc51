"""Run the device package of another architecture on this machine, in Debian's userland of a board.

qemu-user runs single programs of another processor on this machine's kernel: there is no kernel,
camera, accelerator or temperature of a board, and its times mean nothing.
"""
