"""What a page says of the answers of a model of several labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edgeinfer.converters.common.page.parts import Part, Pictures, Shown, Text
from edgeinfer.converters.common.page.texts import isolated
from edgeinfer.converters.tasks.multilabel.evaluation import MultiLabelEvaluation
from edgeinfer.converters.tasks.page_parts import (
    NO_PICTURES,
    PICTURES_SHOWN,
    long_table,
    percent,
    score_figure,
    score_text,
    share_text,
    worst_pictures,
)
from edgeinfer.device.tasks.classification.multi_label import NOTHING


def label_parts(evaluation: MultiLabelEvaluation) -> tuple[Part, ...]:
    """Return the parts about the labels of pictures."""
    if not evaluation.samples:
        return (NO_PICTURES,)
    answers = evaluation.probabilities >= evaluation.min_scores
    both = (evaluation.truths & answers).sum(axis=0)
    true, said = evaluation.truths.sum(axis=0), answers.sum(axis=0)
    rows = [
        (
            one.label,
            f"{one.pictures:,}",
            share_text(int(both[place]), int(said[place])),
            share_text(int(both[place]), int(true[place])),
            percent(one.f1),
            f"{one.min_score:.3g}",
        )
        for place, one in enumerate(evaluation.by_label())
    ]
    mean = Text(paragraphs=(f"Mean F1 of the labels: {percent(evaluation.macro_f1)}.",))
    table = long_table(
        "Each label",
        ("label", "pictures", "precision", "recall", "F1", "named from"),
        rows,
        note="Precision: the share of the pictures said to have a label that have it. Recall: the "
        "share of those that have it that are said to. 95 % intervals in brackets. Named from: "
        "the probability from which on the label is named.",
    )
    return (
        *(score_text(evaluation), mean, table, score_figure(evaluation)),
        *worst_pictures(evaluation, lambda place: _lines(evaluation, place)),
        *_least_certain(evaluation),
    )


def label_counts(
    targets: Mapping[str, Sequence[frozenset[int]]], labels: Sequence[str]
) -> tuple[Part, ...]:
    """Return how many pictures have each label in each split."""
    splits = [split for split, found in targets.items() if found]
    rows = [
        (
            label,
            *(f"{sum(index in target for target in targets[split]):,}" for split in splits),
            f"{sum(index in target for split in splits for target in targets[split]):,}",
        )
        for index, label in enumerate(labels)
    ]
    whole = [len(targets[split]) for split in splits]
    rows.append(("all pictures", *(f"{count:,}" for count in whole), f"{sum(whole):,}"))
    return (
        long_table(
            "Pictures with each label", ("label", *splits, "all"), rows,
            note="A picture may have several labels.",
        ),
    )  # fmt: skip


def _least_certain(evaluation: MultiLabelEvaluation) -> tuple[Part, ...]:
    if evaluation.certainty is None:
        return ()
    places = np.argsort(evaluation.certainty, kind="stable")[:PICTURES_SHOWN]
    return (
        Pictures(
            title="The least certain answers",
            note="Right or wrong, those with a probability nearest to its threshold first.",
            pictures=tuple(
                Shown(place=int(place), lines=_lines(evaluation, int(place))) for place in places
            ),
        ),
    )


def _lines(evaluation: MultiLabelEvaluation, place: int) -> tuple[str, ...]:
    shares = evaluation.probabilities[place]
    named = [
        f"{isolated(evaluation.labels[index])} {100 * shares[index]:.0f} %"
        for index in np.flatnonzero(shares >= evaluation.min_scores)
    ]
    true = [isolated(evaluation.labels[i]) for i in np.flatnonzero(evaluation.truths[place])]
    said = ", ".join(named) or NOTHING
    if evaluation.scores[place] == 1.0:
        return (f"{said}, right",)
    return (said, f"truth: {', '.join(true) or NOTHING}")
