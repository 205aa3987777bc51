"""`edgeinfer data check`: looks at labelled photos before a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.given import refuse_other_than_photos
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.kept import tell_kept, tell_when_stopped
from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import DataError, UsageError, printable
from edgeinfer.host.cli.labels_option import (
    LABELS_NAMES,
    LABELS_SETTINGS,
    PATTERN_NAMES,
    PATTERN_SETTINGS,
    TARGET_NAMES,
    TARGET_SETTINGS,
)
from edgeinfer.host.cli.training.network_options import TASK

if TYPE_CHECKING:
    from edgeinfer.converters.common.progress import Progress
    from edgeinfer.host.evaluation.dataset.quarantine.move import Result, Stamp
    from edgeinfer.host.evaluation.dataset.report import DataReport


_data = option_group("Data")
_output = option_group("Output")
_repair = option_group("Repair")


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path))
@_data(
    "--task",
    type=TASK,
    default="classification",
    metavar="NAME",
    help="What is to be learned from the pictures, as in train; or detection.",
)
@_data(*LABELS_NAMES, **LABELS_SETTINGS)
@_data(*TARGET_NAMES, **TARGET_SETTINGS)
@_data(*PATTERN_NAMES, **PATTERN_SETTINGS)
@_data("--seed", type=click.IntRange(0), default=0, metavar="N", help="Random seed of the split.")
@_data("--deep", is_flag=True, help="Also find likely wrong labels, by a network; takes minutes.")
@_repair("--fix", is_flag=True, help="Move unreadable files and copies into a quarantine folder.")
@_repair("--fix-labels", is_flag=True, help="With --fix and --deep: likely wrong labels, too.")
@_repair("--undo", is_flag=True, help="Put back all files that --fix moved; checks nothing.")
@_output(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write all findings with their pictures into an HTML file.",
)
@json_option
def check(
    folder: Path,
    task: str,
    labels_csv: Path | None,
    targets: tuple[str, ...],
    name_pattern: str | None,
    seed: int,
    deep: bool,
    page: Path | None,
    fix: bool,
    fix_labels: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """Count the classes of a folder and name files that cannot be used.

    FOLDER has one sub-folder of photos per class, or such folders in train, validation and test;
    with --task value or multilabel a table has the values or labels, as for train; with --task
    detection it has boxes, as Pascal VOC, YOLO, COCO or a table. Every photo is decoded and
    compared with all others. The exit code is 1 if the data cannot be used for training.
    """
    _refuse_contradictions(
        {
            "--labels-csv": labels_csv is not None,
            "--target": bool(targets),
            "--name-pattern": name_pattern is not None,
            "--deep": deep,
            "--page": page is not None,
            "--fix": fix,
            "--fix-labels": fix_labels,
        },
        undo=undo,
    )
    if undo:
        _undo(folder, as_json=as_json)
        return
    refuse_other_than_photos(folder, DataError)
    _require_extras(deep=deep, page=page)
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.host.cli.data.check_output import print_findings as print_all
    from edgeinfer.host.cli.data.check_output import print_report, report_json, unusable_json
    from edgeinfer.host.data.dataset import DataOptions
    from edgeinfer.host.data.folders.findings import LeftOutError
    from edgeinfer.host.evaluation.dataset.fix import stamps_below
    from edgeinfer.host.evaluation.dataset.report import inspect_data
    from edgeinfer.host.tasks.registry import find_data_task

    learned = find_data_task(task)
    options = DataOptions(seed=seed, table=labels_csv, targets=targets, name_pattern=name_pattern)
    learned.require_options(options)
    result: Result | None = None
    with show_progress() as progress:
        stamps = stamps_below(folder) if fix else {}
        try:
            with tell_kept():
                prepared = learned.prepare(folder, options, progress=progress)
        except DataError as error:
            cause = error.__cause__
            findings = cause.findings if isinstance(cause, LeftOutError) else ()
            if as_json:
                click.echo(unusable_json(folder, findings, error))
            else:
                print_all(findings)
            raise
        with tell_kept(page):
            root = prepared.root or folder
            report = inspect_data(root, prepared, deep=deep, progress=progress)
            if page is not None:
                _write_page(report, page, progress)
        if fix:
            result = _fix(report, stamps, progress, labels=fix_labels)
    if as_json:
        click.echo(report_json(folder, report, result))
        return
    print_report(report)
    if result is not None:
        _print_moved(result)
    if page is not None:
        say(f"page: {printable(str(page))}", err=True)
    if not deep and report.contents.each == "class":
        say("likely wrong labels were not looked for: --deep does", err=True)


def _refuse_contradictions(given: dict[str, bool], *, undo: bool) -> None:
    if undo:
        for name, is_given in given.items():
            if is_given:
                raise UsageError(name, got="given with --undo", next_step="leave it out")
    if given["--fix-labels"] and not (given["--fix"] and given["--deep"]):
        raise UsageError(
            "--fix-labels",
            got="given alone",
            expected="--fix and --deep with it",
            next_step="--deep finds the labels, --fix moves files",
        )


def _require_extras(*, deep: bool, page: Path | None) -> None:
    """Refuse what the base install cannot do before minutes are spent."""
    if deep:
        from edgeinfer.host.evaluation.dataset.features.extract import check_available

        check_available("data check --deep")
    if page is not None:
        from edgeinfer.converters.common.require_extra import require_packages

        require_packages("data check --page", "jinja2")


def _write_page(report: DataReport, page: Path, progress: Progress) -> None:
    from edgeinfer.host.evaluation.dataset.page.page import write_page

    write_page(report, page, progress=progress)


def _fix(
    report: DataReport, stamps: dict[str, Stamp | None], progress: Progress, *, labels: bool
) -> Result:
    from edgeinfer.host.evaluation.dataset.fix import files_to_move
    from edgeinfer.host.evaluation.dataset.quarantine.log import quarantine_of
    from edgeinfer.host.evaluation.dataset.quarantine.move import move_out

    wanted = files_to_move(report, stamps, labels=labels)
    progress.start("moving files into quarantine", len(wanted))
    place = quarantine_of(report.root)
    with tell_when_stopped(lambda: f"what moved is in {place}; --undo puts it back"):
        return move_out(report.root, wanted, moved=progress.advance)


def _undo(folder: Path, *, as_json: bool) -> None:
    from edgeinfer.host.cli.data.check_output import moved_json
    from edgeinfer.host.evaluation.dataset.quarantine.move import put_back

    with tell_when_stopped(lambda: "some files are back; --undo again puts back the others"):
        result = put_back(folder)
    if as_json:
        click.echo(moved_json(folder, result))
    else:
        for path, reason in result.left:
            say(f"left in quarantine: {printable(path)}: {printable(reason)}")
        say(f"put back: {len(result.moved):,}")
    if result.left:
        raise DataError(
            result.quarantine,
            got=f"still holds {len(result.left):,} file{'s' * (len(result.left) != 1)} "
            "that could not go back",
            next_step="see the lines above; nothing was overwritten",
        )


def _print_moved(result: Result) -> None:
    for path, reason in result.left:
        say(f"not moved: {printable(path)}: {printable(reason)}")
    if not result.moved:
        say("moved: nothing")
        return
    files = f"{len(result.moved):,} file{'s' * (len(result.moved) != 1)}"
    place = printable(str(result.quarantine))
    say(f"moved: {files} into {place}; --undo puts them back")
