"""Removing what no release needs any more."""

from __future__ import annotations

from edgeinfer.device.core.errors import storage_error
from edgeinfer.device.releases.disk import remove_tree
from edgeinfer.device.releases.install.release import read_releases
from edgeinfer.device.releases.install.store import stored_sizes
from edgeinfer.device.releases.paths import Layout
from edgeinfer.device.releases.trial_file import read_trial


def collect(layout: Layout) -> list[str]:
    """Remove all but the current and the previous release and what they need, under the lock.

    Their wheels stay in the store, so that the next release need bring only what is new.

    Returns:
        What was removed.

    Raises:
        StorageError: the disk fails.
    """
    keep = {layout.linked(layout.current), layout.linked(layout.previous)}
    trial = read_trial(layout)
    if trial is not None:
        keep |= {trial.release, trial.previous}
    releases = read_releases(layout)
    kept = [release for number, release in releases.items() if number in keep]
    packages = {release.package for release in kept}
    files = {sha256 for release in kept for sha256 in release.spec.files()}
    removed = []
    try:
        for path in sorted(layout.releases.iterdir()):
            if not (path.name.isdigit() and int(path.name) in keep) and remove_tree(path):
                removed.append(f"release {path.name}")
        for path in sorted(layout.packages.iterdir()):
            if path.name not in packages and remove_tree(path):
                removed.append(f"environment {path.name}")
        for sha256 in stored_sizes(layout):
            if sha256 not in files and remove_tree(layout.store / sha256):
                removed.append(f"file {sha256[:12]}")
    except OSError as error:
        raise storage_error(layout.prefix, error) from error
    return removed
