"""The process that measures a cold start: opens a model, answers once, tells the time.

    python -m edgeinfer.device.diagnose.benchmark.cold_start_process MODEL OPTIONS

OPTIONS is what `OpenOptions.to_json` gives. Prints one line of JSON: `monotonic_ns` of
`time.monotonic_ns()`, whose clock all processes of a machine share, right after the first
prediction; `peak_rss_mib`, or null.
"""

from __future__ import annotations

import json
import sys
import time

from edgeinfer.device.core.errors import EdgeinferError


def main(arguments: list[str]) -> int:
    """Answer once for a made-up picture of 640x480; errors are one line on stderr."""
    import numpy as np

    from edgeinfer.device.models.model import Model
    from edgeinfer.device.runtime.open_options import OpenOptions

    path, options = arguments
    picture = (np.arange(480 * 640 * 3) % 251).astype(np.uint8).reshape(480, 640, 3)
    try:
        with Model.open(path, OpenOptions.from_json(options)) as model:
            model.predict(picture)
            now_ns = time.monotonic_ns()
    except EdgeinferError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    from edgeinfer.device.diagnose.benchmark.machine import peak_resident_mib

    print(json.dumps({"monotonic_ns": now_ns, "peak_rss_mib": peak_resident_mib()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
