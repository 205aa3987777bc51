"""What is wrong with this machine, and the command that mends it.

Each check looks at one subject and returns findings. Nothing here imports numpy, OpenCV or a
runtime: those are among what may be broken. Whatever is native runs in a child process, see
`child` and `probe`.
"""
