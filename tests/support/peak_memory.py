"""The most memory that this process has had.

`resource`'s figure begins with that of the process which started this one.
"""

from __future__ import annotations

import re
from pathlib import Path


def peak_mib() -> int:
    """Return the peak of the resident memory, in MiB."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) >> 10
