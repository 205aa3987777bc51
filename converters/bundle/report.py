"""The numbers behind a bundle's metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping

REPORT_FOLDER = "report"
METRICS_MEMBER = f"{REPORT_FOLDER}/metrics.json"


def report_members(metrics: Mapping[str, float], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the report's files by member name.

    Args:
        metrics: figures by name.
        files: other files, by their names in the report.
    """
    return {
        METRICS_MEMBER: metrics_file(metrics),
        **{f"{REPORT_FOLDER}/{name}": content for name, content in files.items()},
    }


def metrics_file(metrics: Mapping[str, float]) -> bytes:
    """Return the metrics as a JSON file; equal ones give equal bytes."""
    return (json.dumps(dict(metrics), indent=1, sort_keys=True) + "\n").encode()
