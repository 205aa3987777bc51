"""Accelerators through TFLite's external delegates, each in a separate process.

A delegate is a vendor's library in the program's own memory: it may crash while it loads, hang in a
transfer, or take the process along. So it runs in a worker process, with tensors in shared memory;
a worker that dies or hangs is restarted, and in the end replaced by the CPU.
"""
