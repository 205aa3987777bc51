"""The page and the model card of an adopted model: what was found out about it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

from edgeinfer.converters.bundle.page.card import Card, bundle_start
from edgeinfer.converters.bundle.page.sections import SAMPLES_SHOWN, settings_section
from edgeinfer.converters.bundle.page.thumbnails import Thumbnails, section_with_thumbnails
from edgeinfer.converters.bundle.page.variants import tensors_text, variants_table
from edgeinfer.converters.bundle.page.write import CARD_FILE, write_page
from edgeinfer.converters.bundle.report import ReportFiles, report_folder
from edgeinfer.converters.common.page.parts import Page, Part, Pictures, Section, Shown, Text
from edgeinfer.converters.convert.adopt.adopt import AdoptResult
from edgeinfer.converters.convert.adopt.ranges import RangeTrial
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.tasks.intervals import wilson
from edgeinfer.converters.tasks.page_parts import long_table, with_interval
from edgeinfer.converters.tasks.registry import find_compared
from edgeinfer.device.models.model import Model


def write_adopted_page(result: AdoptResult, say: Callable[[str], None]) -> ReportFiles | None:
    """Write the page and the model card of an adopted model into NAME-report next to the bundle.

    Args:
        result: the bundle, and what was found out.
        say: reports what went wrong.

    Returns:
        The files; None if they could not be written, or the base install has no library of page
        templates.
    """
    if importlib.util.find_spec("jinja2") is None:
        return None
    folder = report_folder(result.bundle)
    page = write_page(folder, lambda: adopted_page(result), say)
    if page is None:
        return None
    return ReportFiles(folder=folder, names=tuple(sorted((CARD_FILE, page.name))), page=page)


def adopted_page(result: AdoptResult) -> tuple[Page, Card]:
    """Return the page of an adopted model, and its model card."""
    manifest, variant = result.manifest, result.manifest.main_variant
    source = manifest.provenance["adopt.source"]
    facts = [
        ("task", manifest.task),
        *([("classes", f"{len(manifest.labels):,}")] if manifest.labels else []),
        ("precision", variant.precision),
        ("model", f"{manifest.metrics['size.bytes'] / 1000:,.1f} kB"),
        *([("accuracy", _score(result.trials[0]))] if result.trials else []),
    ]
    sections = [
        Section(title="What was found out", parts=_found_out(result)),
        *([Section(title="The input's range", parts=_ranges(result))] if result.trials else []),
        *([_answers(result)] if result.pictures and result.verified is not None else []),
        Section(title="Inputs and outputs", parts=(variants_table(manifest),)),
        settings_section(manifest.provenance, manifest.metrics),
    ]
    page = Page(
        title=f"{manifest.name}: adopted model",
        lead=f"A bundle of {source} as it is: edgeinfer adopt changes nothing in a model.",
        facts=tuple(facts),
        sections=tuple(sections),
    )
    return page, _card(result)


def _found_out(result: AdoptResult) -> tuple[Part, ...]:
    variant, verified = result.manifest.main_variant, result.verified
    if verified is None:
        checked = (
            f"The answers of its test pictures are not known: only {variant.delegate} runs it. "
            f"Record them on the board: edgeinfer verify {result.bundle.name} --record FILE."
        )
    else:
        checked = f"{verified.frames} test pictures are answered here as the bundle says."
    return (
        Text(paragraphs=(*map(_sentence, result.notes), checked)),
        Text(paragraphs=("How fast it answers was not measured here: see edgeinfer benchmark.",)),
    )


def _sentence(note: str) -> str:
    whole = note[:1].upper() + note[1:]
    return whole if whole.endswith(".") else f"{whole}."


def _ranges(result: AdoptResult) -> tuple[Part, ...]:
    rows = [
        (trial.name, _score(trial), f"{int(trial.right.sum()):,} of {len(trial.right):,}")
        for trial in result.trials
    ]
    table = long_table("Answers to labelled pictures", ("input", "accuracy", "right"), rows)
    return (table, Text(paragraphs=("The first one is taken. Intervals are of 95 %.",)))


def _score(trial: RangeTrial) -> str:
    right, count = int(trial.right.sum()), len(trial.right)
    return with_interval(right / count, wilson(right, count))


def _answers(result: AdoptResult) -> Section:
    """Return what the bundle says of some of the user's pictures."""
    samples = [Sample(source=str(path)) for path in result.pictures[:SAMPLES_SHOWN]]
    with Model.open(result.bundle) as model:
        lines = [model.predict(Path(sample.source)).text() for sample in samples]
    shown = tuple(Shown(place=place, lines=(line,)) for place, line in enumerate(lines))
    title = "Some of the pictures, and its answers"
    section = Section(title="Answers", parts=(Pictures(title=title, pictures=shown),))
    return section_with_thumbnails(section, samples, Thumbnails())


def _card(result: AdoptResult) -> Card:
    manifest, variant = result.manifest, result.manifest.main_variant
    task = find_compared(manifest.task)
    return Card(
        name=manifest.name,
        library="edgeinfer",
        task=manifest.task,
        pipeline=task.pipeline,
        metric_names=task.card_metrics if result.trials else (),
        labels=manifest.labels,
        summary="A model of images that was trained and quantized elsewhere, as a bundle of "
        "edgeinfer.",
        training=sorted(manifest.provenance.items()),
        results=[(f"accuracy, input {trial.name}", _score(trial)) for trial in result.trials[:1]],
        technical=[
            ("input", tensors_text([variant.input])),
            ("outputs", tensors_text(variant.outputs)),
            ("model", f"{manifest.metrics['size.bytes'] / 1000:,.1f} kB"),
        ],
        start=bundle_start(result.bundle.name),
    )
