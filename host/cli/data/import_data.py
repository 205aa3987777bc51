"""`edgeinfer data import`: brings other layouts into the one that edgeinfer trains from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeinfer.device.cli.help.names import choice
from edgeinfer.device.cli.help.pages import Command, option_group
from edgeinfer.device.cli.kept import tell_kept
from edgeinfer.device.cli.options.common import json_option
from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import DataError, printable
from edgeinfer.device.core.model_file import command_line

if TYPE_CHECKING:
    from edgeinfer.host.data.importing.import_data import Imported

_read = option_group("What is read")
_write = option_group("What is written")


@click.command("import", cls=Command)
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@_read(
    "--layout",
    type=choice("voc", "yolo", "coco", "table", "teachable", "classes"),
    show_default="recognized by its files",
    help="The layout of SOURCE.",
)
@_read(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    show_default="where the labels are",
    help="The folder of the pictures of a table or COCO file.",
)
@_read("--no-splits", is_flag=True, help="Leave out the splits of SOURCE: `train` splits again.")
@_write(
    "--crops",
    is_flag=True,
    help="Make a picture of each box, in a folder of its class, to train a classifier.",
)
@_write(
    "--margin",
    type=click.FloatRange(0, 5),
    default=0.0,
    metavar="SHARE",
    help="How much more of the picture is around each crop, as a share of the box's sides.",
)
@_write("--link", is_flag=True, help="Make hard links to the pictures instead of copies.")
@json_option
def import_data(
    source: Path,
    out: Path,
    layout: str | None,
    pictures: Path | None,
    no_splits: bool,
    crops: bool,
    margin: float,
    link: bool,
    as_json: bool,
) -> None:
    """Bring labelled pictures in other layouts into the one for training.

    SOURCE is a folder or ZIP in the layout of Pascal VOC, YOLO or COCO, a CSV or JSON table of
    labels, a ZIP or .tm file of Teachable Machine, or a ZIP of class folders. OUT is a new folder
    with a sub-folder per class; or of boxes, without --crops, the pictures and boxes.json. What is
    left out or corrected is said, and is in OUT/import.json.
    """
    from edgeinfer.converters.common.progress import show_progress
    from edgeinfer.host.data.importing.import_data import ImportSettings
    from edgeinfer.host.data.importing.import_data import import_data as run

    settings = ImportSettings(
        layout=layout,  # type: ignore[arg-type]
        pictures=pictures,
        crops=crops,
        margin=margin,
        link=link,
        splits=not no_splits,
    )
    with tell_kept(out), show_progress() as progress:
        imported = run(source, out, settings, progress)
    if as_json:
        click.echo(_to_json(imported))
        return
    _print_counts(imported)
    _print_corrections(imported)
    _print_next(imported)


def _to_json(imported: Imported) -> str:
    return json.dumps(
        {
            "out": str(imported.out),
            "layout": imported.layout,
            "boxes": imported.boxes,
            "pictures": imported.pictures,
            "counts": [
                {"split": split, "label": label, "count": count}
                for (split, label), count in imported.counts.items()
            ],
            "corrections": [
                {"kind": kind, "what": what, "count": count}
                for (kind, what), count in imported.record.counts.items()
            ],
        }
    )


def _print_counts(imported: Imported) -> None:
    splits = sorted(
        {split for split, _ in imported.counts},
        key=lambda split: ("train", "validation", "test").index(split) if split else -1,
    )
    unit = "boxes" if imported.boxes else "pictures"
    click.echo("\t".join(("class", *(split or unit for split in splits))))
    for label in sorted({label for _, label in imported.counts}):
        cells = [str(imported.counts.get((split, label), 0)) for split in splits]
        click.echo("\t".join((printable(label), *cells)))
    say(f"{imported.layout}: {imported.pictures:,} pictures in {printable(str(imported.out))}")


def _print_corrections(imported: Imported) -> None:
    """Say each kind once, with its count and the first place."""
    for (kind, what), count in imported.record.counts.items():
        first = imported.record.first(kind, what)
        where = "" if first is None else printable(first.place)
        detail = f" ({printable(first.detail)})" if first and first.detail else ""
        times = f"{count:,} times, first " if count > 1 else ""
        say(f"{kind.replace('-', ' ')}: {printable(what)}: {times}{where}{detail}")


def _print_next(imported: Imported) -> None:
    out = imported.out
    if imported.boxes:
        say(f"next: {command_line('train', out, '--task', 'detection')}")
        return
    from edgeinfer.host.data.folders.folder import find_layout

    try:
        find_layout(out)
    except DataError as error:
        say(f"warning: it cannot be trained from yet: {error}")
        return
    say(f"next: {command_line('train', out)}")
