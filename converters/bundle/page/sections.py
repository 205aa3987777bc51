"""Chapters that runs and bundles have in common: data, comparison, settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from edgeinfer.converters.bundle.golden import choose_samples
from edgeinfer.converters.bundle.page.thumbnails import Thumbnails, section_with_thumbnails
from edgeinfer.converters.common.page.parts import Part, Pictures, Section, Shown, Table, Text
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.page_parts import long_table, with_interval
from edgeinfer.converters.tasks.task import ComparedTask
from edgeinfer.device.tasks.task import Said

_VERSIONS = frozenset(
    f"convert.{package}"
    for package in (
        *("edgeinfer", "tensorflow", "tensorflow_cpu", "ai_edge_litert", "ai_edge_quantizer"),
    )
)
"""Names of a bundle's provenance that hold versions."""

SAMPLES_SHOWN = 36
"""How many pictures of the data a page shows, the groups in turn."""


def data_section(
    splits: Mapping[str, Sequence[Sample]],
    task: ComparedTask,
    said: Said,
    made: Thumbnails,
    *,
    name: str = "",
    known: bool = True,
    more: tuple[Part, ...] = (),
) -> Section:
    """Return what the pictures are: their numbers in each split, and some of them.

    Args:
        splits: the pictures; the first split's are shown.
        task: what their targets are of.
        said: the description of the outputs.
        made: makes the thumbnails.
        name: the data's name; empty if it has none.
        known: whether the targets are known.
        more: further parts.
    """
    parts: list[Part] = [Text(paragraphs=(f"The data: {name}.",))] if name else []
    if known:
        targets = {split: [one.target for one in part] for split, part in splits.items()}
        parts += task.data_parts(targets, said)
    else:
        rows = [(split, f"{len(part):,}") for split, part in splits.items()]
        parts.append(long_table("Pictures", ("", "pictures"), rows))
    split, first = next(((name, part) for name, part in splits.items() if part), ("", ()))
    chosen = choose_samples(first, SAMPLES_SHOWN, task if known else None)
    names = [task.truth(sample.target, said) if known else None for sample in chosen]
    drawn = known and task.draws
    parts.append(
        Pictures(
            title=f"Some of the pictures ({split})",
            pictures=tuple(
                Shown(
                    place=place,
                    lines=(name,) if name else (),
                    draw=partial(task.draw_truth, chosen[place].target) if drawn else None,
                )
                for place, name in enumerate(names)
            ),
        )
    )
    section = Section(title="Data", parts=(*parts, *more))
    return section_with_thumbnails(section, chosen, made)


def answers_section(
    title: str,
    evaluation: Evaluation,
    samples: Sequence[Sample],
    task: ComparedTask,
    said: Said,
    made: Thumbnails,
) -> Section:
    """Return how a model answered pictures, as its task shows it."""
    parts = task.page_parts(evaluation, said)
    # Answers that say nothing may be left out; then places no longer count the pictures.
    counted = samples if evaluation.samples == len(samples) else ()
    return section_with_thumbnails(Section(title=title, parts=parts), counted, made)


def comparison_table(evaluations: Mapping[str, Mapping[str, Evaluation]], precision: str) -> Table:
    """Return float32 compared with a smaller model on the same pictures.

    Args:
        evaluations: by the name of the pictures, then by precision.
        precision: the smaller model's.
    """
    rows = []
    for pictures, results in evaluations.items():
        real, small = results["float32"], results[precision]
        if not small.samples:
            continue
        found = real.compared(small)
        ends = f"{100 * found.low:+.2f} to {100 * found.high:+.2f}"
        rows.append(
            (
                pictures,
                f"{small.samples:,}",
                with_interval(real.score, real.interval),
                with_interval(small.score, small.interval),
                f"{100 * found.difference:+.2f} ({ends})",
                f"{found.better:,} / {found.worse:,}",
                f"{found.p_value:.3f}",
            )
        )
    name = precision_name(precision)
    return Table(
        title=f"float32 and {name} on the same pictures",
        note="95 % intervals in brackets; those of the difference are of pairs. Chance: how often "
        "chance alone gives so large a difference.",
        header=(
            "pictures",
            "number",
            "float32",
            name,
            "difference, points",
            "better / worse",
            "chance",
        ),
        rows=tuple(rows),
    )


def settings_section(provenance: Mapping[str, str], metrics: Mapping[str, float]) -> Section:
    """Return settings, versions and figures, as they are recorded."""
    rows = sorted(provenance.items())
    versions = [(name, value) for name, value in rows if _is_version(name)]
    settings = [(name, value) for name, value in rows if not _is_version(name)]
    figures = [(name, f"{value:,.6g}") for name, value in sorted(metrics.items())]
    header = ("name", "value")
    return Section(
        title="Settings and versions",
        parts=(
            long_table("Versions", header, versions, texts=2),
            long_table("Settings", header, settings, texts=2),
            long_table("Figures", header, figures),
        ),
    )


def precision_name(precision: str) -> str:
    """Return what people call a precision."""
    return precision.upper() if precision.startswith(("int", "uint")) else precision


def _is_version(name: str) -> bool:
    return name.startswith("version.") or name in _VERSIONS
