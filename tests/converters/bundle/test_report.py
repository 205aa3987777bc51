from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from edgeinfer.converters.bundle.report import write_report_next_to


def test_the_report_is_written_next_to_the_bundle(tmp_path: Path, sample_bundle: Path) -> None:
    bundle = tmp_path / "my clothes.edgebundle"
    shutil.copy(sample_bundle, bundle)
    report = write_report_next_to(bundle)
    assert report is not None
    assert report.folder == tmp_path / "my clothes-report"
    assert sorted(path.name for path in report.folder.iterdir()) == list(report.names)
    assert report.text() == f"report in {report.folder}: confusion.test.int8.png"
    with zipfile.ZipFile(bundle) as archive:
        for name in report.names:
            assert (report.folder / name).read_bytes() == archive.read(f"report/{name}")


def test_a_bundle_without_a_report_leaves_no_folder(tmp_path: Path) -> None:
    bundle = tmp_path / "a.edgebundle"
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("manifest.json", "{}")
        archive.writestr("variants/report.txt", "")
    assert write_report_next_to(bundle) is None
    assert list(tmp_path.iterdir()) == [bundle]
