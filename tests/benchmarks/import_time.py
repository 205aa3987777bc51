"""How long `import edgeinfer` takes in a fresh process, compared with `import numpy`.

The clock runs in the process itself, from the begin of the statement to its end: the start of the
interpreter is in neither figure.
"""

from __future__ import annotations

import functools
import statistics
import subprocess
import sys

from tests.benchmarks.cold_start import installed_environ
from tests.benchmarks.measure import Row, interleaved, ratio

TIMED = """
import time
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""
NUMPY = "import numpy"
OURS = {
    "edgeinfer": "import edgeinfer",
    "edgeinfer and its errors": "from edgeinfer import EdgeinferError",
    "edgeinfer and Model": "from edgeinfer import Model",
    "edgeinfer and all its names": "from edgeinfer import *",
}
WANTED = {"edgeinfer": "0.25 or less"}


def import_s(statement: str) -> float:
    """Return how long a statement takes in a new process."""
    command = [sys.executable, "-c", TIMED.format(statement=statement)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=installed_environ()
    )
    return float(done.stdout)


def rows(repeats: int = 21) -> list[Row]:
    """Return this benchmark's part of the table."""
    statements = {"numpy": NUMPY, **OURS}
    contenders = {name: functools.partial(import_s, code) for name, code in statements.items()}
    for measure in contenders.values():
        measure()  # once before: files come into the cache, sources are compiled
    times = interleaved(contenders, repeats)
    numpys = f"numpy {1e3 * statistics.median(times['numpy']):.1f} ms"
    return [
        Row(
            what=f"import: {name}",
            figure=f"{1e3 * statistics.median(times[name]):.1f} ms",
            compared_with=numpys,
            ratio=ratio(times[name], times["numpy"]),
            wanted=WANTED.get(name, ""),
        )
        for name in OURS
    ]
