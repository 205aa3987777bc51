"""The environments that `edgeinfer convert` made for importers, on a workstation."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from edgeinfer.device.core.files import cache_home
from edgeinfer.device.core.installation.stamps import IMPORTERS_FOLDER, read_stamps
from edgeinfer.device.diagnose.doctor.finding import Finding, note, ok
from edgeinfer.device.diagnose.doctor.system import System


class ImportersCheck:
    """Which importers are installed, and how much of the disk they take; none on a board."""

    title = "Importers"

    def run(self, system: System) -> Sequence[Finding]:
        """Read the environments' stamps."""
        findings = []
        for folder, stamp in read_stamps(cache_home() / IMPORTERS_FOLDER):
            if stamp is None:
                findings.append(
                    note(
                        folder.name,
                        f"{folder} has a damaged stamp",
                        fix=f"run `rm -r {shlex.quote(str(folder))}`; it is made again when needed",
                    )
                )
            else:
                got = f"{stamp.purpose}: {stamp.size_mb:,} MB in {folder}, complete and offline"
                findings.append(ok(stamp.name, got))
        return findings
