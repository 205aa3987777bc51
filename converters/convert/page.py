"""The page and the model card of a bundle, and its report next to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain

from edgeinfer.converters.bundle.page.card import Card, bundle_start
from edgeinfer.converters.bundle.page.sections import (
    answers_section,
    comparison_table,
    data_section,
    precision_name,
    settings_section,
)
from edgeinfer.converters.bundle.page.thumbnails import Thumbnails
from edgeinfer.converters.bundle.page.variants import tensors_text, variants_table
from edgeinfer.converters.bundle.page.write import CARD_FILE, write_page
from edgeinfer.converters.bundle.report import ReportFiles, write_report_next_to
from edgeinfer.converters.common.page.axis import axis_of
from edgeinfer.converters.common.page.parts import Figure, Key, Page, Part, Section, Text
from edgeinfer.converters.common.page.plot import Bars, Line, Plot, draw
from edgeinfer.converters.convert.pipeline import ConvertResult
from edgeinfer.converters.quantize.layer_errors import LayerError
from edgeinfer.converters.quantize.layer_report import worst_layer_text
from edgeinfer.converters.quantize.repair_report import repair_json
from edgeinfer.converters.targets.targets import target_lines
from edgeinfer.converters.tasks.page_parts import long_table, percent, with_interval
from edgeinfer.device.models.bundle.manifest import CPU


def write_report(result: ConvertResult, say: Callable[[str], None]) -> ReportFiles | None:
    """Write a new bundle's report, page and model card into NAME-report next to it.

    Args:
        result: the conversion.
        say: reports what went wrong with the page.

    Returns:
        The files; None for a bundle without a report.

    Raises:
        StorageError: the folder cannot be written.
    """
    report = write_report_next_to(result.bundle)
    if report is None:
        return None
    page = write_page(report.folder, lambda: bundle_page(result), say)
    if page is None:
        return report
    return replace(report, names=tuple(sorted((*report.names, CARD_FILE, page.name))), page=page)


def bundle_page(result: ConvertResult) -> tuple[Page, Card]:
    """Return the page of a bundle, and its model card."""
    model, manifest = result.opened, result.manifest
    precision = manifest.variants[CPU].precision
    name, made = precision_name(precision), Thumbnails()
    pictures, last = list(result.evaluations.items())[-1]
    small, real = last[precision], last["float32"]
    known = model.gate.truth is None
    splits = {**model.measured, "calibration": model.calibration}
    sizes = manifest.metrics
    score, figure = small.headline()
    if not known:
        score, figure = "agreement with float32", percent(small.score)
    facts = [
        (f"{score}, {name}, {pictures}", figure if small.samples else "not known"),
        *([(f"{score}, float32, {pictures}", real.headline()[1])] if known else []),
        ("pictures", f"{small.samples:,}"),
        (f"{name} model", f"{sizes[f'size.{precision}.bytes'] / 1000:,.1f} kB"),
        ("float32 model", f"{sizes['size.float32.bytes'] / 1000:,.1f} kB"),
    ]
    warnings: tuple[Part, ...] = ()
    if result.warnings:
        warnings = (Text(paragraphs=result.warnings, warning=True),)
    compared: tuple[Part, ...] = (
        Text(paragraphs=tuple(result.gate.lines(result.evaluations, precision))),
    )
    if known:
        compared = (comparison_table(result.evaluations, precision),)
    page = Page(
        title=f"{manifest.name}: bundle",
        lead=f"{name} for {manifest.task}, made by edgeinfer convert and verified: "
        f"{result.verified.frames} frames are answered here as the bundle says.",
        facts=tuple(facts),
        sections=(
            Section(title=f"float32 and {name}", parts=(*warnings, *compared, *_repairs(result))),
            answers_section(
                f"Answers of {name} on {pictures}" + ("" if known else ", compared with float32"),
                *(small, model.measured[pictures], model.task, model.said, made),
            ),
            data_section(splits, model.task, model.said, made, known=known),
            Section(title="Layer errors", parts=_layers(result.layers, name)),
            Section(title="Sizes and times", parts=_sizes(result)),
            settings_section(manifest.provenance, manifest.metrics),
        ),
    )
    return page, _card(result, facts)


def _repairs(result: ConvertResult) -> tuple[Part, ...]:
    if len(result.attempts) < 2:
        return ()
    rows = [
        (
            str(row["stage"]) + (" (taken)" if row["taken"] else ""),
            with_interval(attempt.score, attempt.evaluation.interval),
            f"{len(attempt.models.small):,}",
        )
        for row, attempt in zip(repair_json(result.attempts), result.attempts, strict=True)
    ]
    return (long_table("Attempts of the repair", ("attempt", "score", "bytes"), rows),)


def _layers(layers: Sequence[LayerError], name: str) -> tuple[Part, ...]:
    if not layers:
        return ()
    places = [float(error.index) for error in layers]
    losses = [max(0.0, error.loss_db) for error in layers]
    left = [error.sqnr_db for error in layers]
    title = f"Signal against noise of {name}, operator by operator"
    worst = worst_layer_text(layers)
    said = f"{len(layers)} operators" + (f"; the largest loss: {worst}" if worst else "")
    plot = Plot(
        x=axis_of(places, "operator"),
        y=axis_of([0.0, *losses, *left], "dB", zero=True),
        layers=(
            Bars(
                left=[place - 0.4 for place in places],
                right=[place + 0.4 for place in places],
                low=[0.0] * len(places),
                high=losses,
                colour=1,
            ),
            Line(x=places, y=left, dots=True),
        ),
    )
    rows = [
        (
            f"{error.index} {error.op}",
            error.tensor.split(";")[0],
            "x".join(map(str, error.shape)),
            f"{error.sqnr_db:.1f}",
            f"{error.loss_db:.1f}",
            "" if error.weight_sqnr_db is None else f"{error.weight_sqnr_db:.1f}",
            percent(error.clipped),
        )
        for error in layers
    ]
    header = ("operator", "result", "shape", "left, dB", "lost, dB", "weights, dB", "clipped")
    return (
        Figure(
            title=title,
            svg=draw(plot, title, said),
            description=said,
            legend=(
                Key(colour=0, text="signal against noise of the result"),
                Key(colour=1, text="lost by the operator"),
            ),
            note=said + ".",
        ),
        long_table("Each operator", header, rows, texts=2),
    )


def _sizes(result: ConvertResult) -> tuple[Part, ...]:
    manifest, sizes = result.manifest, result.manifest.metrics
    rows = [("bundle", f"{result.bundle.stat().st_size:,}")]
    rows += [
        (f"{key.split('.')[1]} model", f"{value:,.0f}")
        for key, value in sorted(sizes.items())
        if key.startswith("size.")
    ]
    lines = tuple(target_lines(result.bundle, manifest))
    seconds = manifest.provenance.get("seconds")
    times = (*([f"The training took {seconds} s."] if seconds else []),)
    return (
        long_table("Bytes", ("", "bytes"), rows),
        variants_table(manifest),
        *([Text(paragraphs=lines)] if lines else []),
        Text(
            paragraphs=(
                *times,
                "How fast the model answers was not measured here: `edgeinfer benchmark` does so "
                "on the board.",
            )
        ),
    )


def _card(result: ConvertResult, facts: Sequence[tuple[str, str]]) -> Card:
    model, manifest = result.opened, result.manifest
    made = manifest.provenance
    variant = manifest.variants[CPU]
    results = [
        (f"{pictures}, {form}", f"{with_interval(one.score, one.interval)} of {one.samples:,}")
        for pictures, forms in result.evaluations.items()
        for form, one in forms.items()
        if one.samples
    ]
    counted = chain(model.measured.items(), [("calibration", model.calibration)])
    return Card(
        name=manifest.name,
        library="edgeinfer",
        task=manifest.task,
        pipeline=model.task.pipeline,
        metric_names=model.task.card_metrics,
        labels=manifest.labels,
        summary=f"A model of images for edge boards, {precision_name(variant.precision)}, as a "
        "bundle of edgeinfer.",
        data=[
            *([("data", made["data"])] if "data" in made else []),
            *((f"pictures, {split}", f"{len(part):,}") for split, part in counted),
        ],
        training=sorted(made.items()),
        results=results,
        technical=[
            ("input", tensors_text([variant.input])),
            ("outputs", tensors_text(variant.outputs)),
            *((name, value) for name, value in facts if name.endswith("model")),
        ],
        start=bundle_start(result.bundle.name),
        hardware=[("Training", f"{made['seconds']} s")] if "seconds" in made else [],
    )
