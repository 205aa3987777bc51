"""What is wrong with this machine, and the command that fixes it.

Each check looks at one subject and returns findings. Nothing here imports numpy, OpenCV or a
runtime, because they may be broken. Native code runs in a child process, see `child` and `probe`.
"""
