"""What a page says of any task's answers: scores with intervals, groups, and the worst pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from edgeinfer.converters.common.page.axis import Axis, axis_of
from edgeinfer.converters.common.page.parts import Figure, Part, Pictures, Shown, Table, Text
from edgeinfer.converters.common.page.plot import Bars, Plot, draw
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.intervals import mean_interval, wilson

PICTURES_SHOWN = 24
"""How many pictures a page shows of one kind."""

MOST_ROWS = 200
"""Longer tables show only their first rows, and say so."""

FOLDED_FROM = 30
"""Longer tables are closed until a reader opens them."""

_BINS = 20
NO_PICTURES = Text(paragraphs=("No picture was answered.",))


def percent(share: float) -> str:
    """Return a share in percent; a dash for one that is not known."""
    return f"{100 * share:.2f} %" if np.isfinite(share) else "-"


def with_interval(share: float, interval: tuple[float, float]) -> str:
    """Return a share with its 95 % interval, in percent."""
    low, high = interval
    return f"{100 * share:.2f} % ({100 * low:.1f} to {100 * high:.1f})"


def share_text(part: int, total: int) -> str:
    """Return how much a part is of a number of pictures, with its interval."""
    return with_interval(part / total, wilson(part, total)) if total else "-"


def evaluation_parts(evaluation: Evaluation) -> tuple[Part, ...]:
    """Return the parts that fit any evaluation."""
    if not evaluation.samples:
        return (NO_PICTURES,)
    parts: list[Part] = [score_text(evaluation)]
    if len(evaluation.group_names) > 1:
        parts.append(group_table(evaluation))
    if not np.isin(evaluation.scores, (0.0, 1.0)).all():
        parts.append(score_figure(evaluation))
    lines = [(f"{evaluation.score_name} {score:.2f}",) for score in evaluation.scores.tolist()]
    return (*parts, *worst_pictures(evaluation, lines.__getitem__))


def score_text(evaluation: Evaluation) -> Text:
    """Return the mean score in a sentence."""
    return Text(
        paragraphs=(
            f"{evaluation.score_name}: {with_interval(evaluation.score, evaluation.interval)} of "
            f"{evaluation.samples:,} pictures, the 95 % interval in brackets.",
        )
    )


def group_table(evaluation: Evaluation) -> Table:
    """Return the mean score of each group with its interval, the lowest first."""
    rows = []
    for group in lowest_first(evaluation.group_scores()):
        scores = evaluation.scores[evaluation.groups == group]
        score = with_interval(float(scores.mean()), mean_interval(scores)) if len(scores) else "-"
        rows.append((evaluation.group_names[group], f"{len(scores):,}", score))
    return long_table("Each group", ("group", "pictures", evaluation.score_name), rows)


def score_figure(evaluation: Evaluation) -> Figure:
    """Return how often each score was given."""
    counts, edges = np.histogram(evaluation.scores, bins=_BINS, range=(0.0, 1.0))
    title = f"How the scores are spread ({evaluation.score_name})"
    plot = Plot(
        x=Axis(low=0.0, high=1.0, title=evaluation.score_name),
        y=axis_of([0.0, *counts.tolist()], "pictures", zero=True),
        layers=(
            Bars(
                left=edges[:-1].tolist(),
                right=edges[1:].tolist(),
                low=[0.0] * _BINS,
                high=counts.tolist(),
            ),
        ),
    )
    said = f"{evaluation.samples:,} pictures in {_BINS} ranges of the score."
    rows = tuple(
        (f"{low:.2f} to {high:.2f}", str(count))
        for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
    )
    table = Table(title="The numbers", header=("score", "pictures"), rows=rows, folded=True)
    return Figure(title=title, svg=draw(plot, title, said), description=said, table=table)


def worst_pictures(
    evaluation: Evaluation, lines: Callable[[int], tuple[str, ...]]
) -> tuple[Part, ...]:
    """Return the pictures with the lowest scores.

    Args:
        evaluation: the answers.
        lines: what is said below the picture at a place.
    """
    places = evaluation.worst(PICTURES_SHOWN)
    if not places:
        return ()
    wrong = int((evaluation.scores < 1.0).sum())
    return (
        Pictures(
            title="The worst answers",
            note=f"{len(places)} of {wrong:,} pictures with a score below 1, the worst first.",
            pictures=tuple(Shown(place=place, lines=lines(place)) for place in places),
        ),
    )


def target_parts(
    targets: Mapping[str, Sequence[Any]],
    group: Callable[[Any], Hashable],
    name: Callable[[Any], str | None],
) -> tuple[Part, ...]:
    """Return how many pictures each group has in each split.

    Args:
        targets: the targets of each split's samples.
        group: returns the group of a target.
        name: returns a target as a word, or None.
    """
    counts: dict[Hashable, Counter[str]] = {}
    names: dict[Hashable, str] = {}
    for split, found in targets.items():
        for target in found:
            key = group(target)
            counts.setdefault(key, Counter())[split] += 1
            if key not in names:
                names[key] = name(target) or str(key)
    splits = [split for split, found in targets.items() if found]
    header = ("", *splits, "all")
    rows = []
    if len(counts) > 1:
        header = ("group", *splits, "all")
        rows = [
            (names[key], *(f"{count[split]:,}" for split in splits), f"{count.total():,}")
            for key, count in sorted(counts.items(), key=lambda item: (-item[1].total(), str(item)))
        ]
    whole = [len(targets[split]) for split in splits]
    rows.append(("all", *(f"{count:,}" for count in whole), f"{sum(whole):,}"))
    return (long_table("Pictures in each split", header, rows),)


def lowest_first(scores: Any) -> list[int]:
    """Return the places of (n,) scores, the lowest first; those that are not known are last."""
    return [int(place) for place in np.argsort(scores, kind="stable")]


def long_table(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    texts: int = 1,
    note: str = "",
) -> Table:
    """Return a table of at most `MOST_ROWS` rows, folded where it is long."""
    if len(rows) > MOST_ROWS:
        note = " ".join(filter(None, [note, f"The first {MOST_ROWS} of {len(rows):,} rows."]))
    return Table(
        title=title,
        header=tuple(header),
        rows=tuple(tuple(row) for row in rows[:MOST_ROWS]),
        texts=texts,
        note=note,
        folded=len(rows) > FOLDED_FROM,
    )
