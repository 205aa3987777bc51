"""A self-contained page of what the check of a data set found, with small pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgeinfer.converters.common.page.render import environment
from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.tasks.registry import find_measured
from edgeinfer.device.core.files import write_atomically
from edgeinfer.device.tasks.prediction import Canvas
from edgeinfer.device.tasks.registry import find_task
from edgeinfer.host.data.folders.findings import Finding
from edgeinfer.host.evaluation.dataset.page.thumbnails import Thumbnails
from edgeinfer.host.evaluation.dataset.report import DataReport

_TEMPLATE = "check.html"

_MOST_CARDS = 120
"""Findings of one kind that are shown; the command's `--json` names all."""

_TITLES = {
    "near-conflict": "Nearly the same picture under two labels",
    "conflict": "The same picture under two labels",
    "near-duplicate": "Near-duplicates",
    "duplicate": "Exact duplicates",
    "wrong-label": "Likely wrong labels",
    "uniform": "Pictures of one colour",
    "odd-size": "Odd sizes and shapes",
    "imbalance": "Rare classes",
    "drift": "Splits that differ",
    "corrupt": "Damaged files",
    "empty": "Empty files",
    "not-an-image": "Files that are not pictures",
    "ignored": "Files and folders that are not read",
    "warning": "Warnings",
    "note": "Notes",
}
_MOST_SHOWN = 24
"""Pictures that show what is said to be where in them."""

_WITH_PICTURES = frozenset(
    {"near-conflict", "conflict", "near-duplicate", "duplicate", "wrong-label"}
    | {"uniform", "odd-size"}
)


@dataclass(frozen=True, kw_only=True)
class Card:
    """One finding on the page.

    Attributes:
        path: what it is about.
        detail: the reason in words.
        pictures: `data:` addresses of the picture, and of the other one if there is one.
    """

    path: str
    detail: str
    pictures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """All findings of one kind.

    Attributes:
        kind: the kind.
        title: the same for people.
        count: how many there are.
        cards: those that are shown.
    """

    kind: str
    title: str
    count: int
    cards: tuple[Card, ...]


def write_page(report: DataReport, out: Path, *, progress: Progress) -> None:
    """Write the page.

    Raises:
        StorageError: it cannot be written.
    """
    thumbnails = Thumbnails()
    sections = _sections(report, thumbnails, progress)
    prepared = report.prepared
    contents = report.contents
    counts = {label: list(row.values()) for label, row in contents.counts.items()}
    page = (
        environment(__package__)
        .get_template(_TEMPLATE)
        .render(
            name=prepared.name,
            splits=list(prepared.splits),
            each=contents.each,
            counts=counts,
            ranges=contents.ranges,
            largest=max((sum(row) for row in counts.values()), default=1),
            totals=[len(samples) for samples in prepared.splits.values()],
            sections=sections,
            drifts=report.drifts,
            deep=report.deep,
            left_out=thumbnails.left_out,
        )
    )
    write_atomically(out, page)


def _sections(report: DataReport, thumbnails: Thumbnails, progress: Progress) -> list[Section]:
    found: dict[str, list[tuple[Finding, str]]] = {kind: [] for kind in _TITLES}
    own = report.findings()
    # The copies come first, in the same order.
    others = [copy.kept for copy in report.copies] + [""] * (len(own) - len(report.copies))
    for finding, other in zip(own, others, strict=True):
        found[finding.kind].append((finding, other))
    for finding in report.prepared.findings:
        other = os.path.join(report.root, finding.other) if finding.other else ""
        found[finding.kind].append((finding, other))
    progress.start("making the page", sum(map(len, found.values())))
    measured = find_measured(report.prepared.task)
    draws = {
        sample.source: partial(measured.draw_truth, sample.target)
        for samples in report.prepared.splits.values()
        for sample in samples
    }
    sections = []
    for kind, findings in found.items():
        if findings:
            cards = _cards(report, kind, findings[:_MOST_CARDS], thumbnails, draws)
            sections.append(
                Section(kind=kind, title=_TITLES[kind], count=len(findings), cards=cards)
            )
        progress.advance(len(findings))
    if find_task(report.prepared.task).has_places:
        sections.append(_places(report, thumbnails))
    return sections


def _places(report: DataReport, thumbnails: Thumbnails) -> Section:
    """Return some pictures of each split with what is said to be where in them."""
    prepared, measured = report.prepared, find_measured(report.prepared.task)
    cards = []
    for split, samples in prepared.splits.items():
        most = _MOST_SHOWN // len(prepared.splits)
        for sample in samples[:: max(1, len(samples) // most)][:most]:
            draw = partial(measured.draw_truth, sample.target)
            picture = thumbnails.make(sample.source, draw)
            name = os.path.relpath(sample.source, report.root)
            shown = measured.truth(sample.target, prepared.said)
            pictures = (picture,) if picture else ()
            cards.append(Card(path=name, detail=f"{split}: {shown}", pictures=pictures))
    title = "What is where, in some of the pictures"
    return Section(kind="places", title=title, count=len(cards), cards=tuple(cards))


def _cards(
    report: DataReport,
    kind: str,
    findings: Sequence[tuple[Finding, str]],
    thumbnails: Thumbnails,
    draws: Mapping[str, Callable[[Canvas], None]],
) -> tuple[Card, ...]:
    cards = []
    for finding, other in findings:
        pictures: tuple[str, ...] = ()
        if kind in _WITH_PICTURES:
            shown = [os.path.join(report.root, finding.path), *([other] if other else [])]
            made = (thumbnails.make(path, draws.get(path)) for path in shown)
            pictures = tuple(filter(None, made))
        cards.append(Card(path=finding.path, detail=finding.detail, pictures=pictures))
    return tuple(cards)
