"""The page and the model card of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgeinfer.converters.bundle.page.card import Card
from edgeinfer.converters.bundle.page.sections import (
    answers_section,
    data_section,
    settings_section,
)
from edgeinfer.converters.bundle.page.thumbnails import Thumbnails
from edgeinfer.converters.bundle.page.write import write_page
from edgeinfer.converters.common.page.parts import Page, Part, Section, Text
from edgeinfer.converters.common.progress import Progress
from edgeinfer.converters.run_folder.samples import Sample
from edgeinfer.converters.run_folder.trained_run import Split, TrainedModel
from edgeinfer.converters.tasks.evaluation import Evaluation
from edgeinfer.converters.tasks.page_parts import long_table, with_interval
from edgeinfer.host.data.folders.findings import Finding
from edgeinfer.host.tasks.registry import find_taught
from edgeinfer.host.training.history import Epoch
from edgeinfer.host.training.report.curves import curve_parts

_SECTION = "What was left out of the data"


def write_run_page(
    folder: Path,
    trained: TrainedModel,
    splits: Mapping[Split, Sequence[Sample]],
    epochs: Sequence[Epoch],
    evaluation: Evaluation,
    progress: Progress,
    *,
    findings: Sequence[Finding] = (),
) -> None:
    """Write the page and the model card of a run that is complete; a failure is only reported.

    Args:
        folder: the run.
        trained: its description.
        splits: its pictures.
        epochs: of its training.
        evaluation: the Keras model's answers on validation.
        progress: reports what went wrong.
        findings: what the check of the data found.
    """

    def make() -> tuple[Page, Card]:
        return run_page(trained, splits, epochs, evaluation, findings)

    progress.start("write the page")
    write_page(folder, make, progress.say)


def run_page(
    trained: TrainedModel,
    splits: Mapping[Split, Sequence[Sample]],
    epochs: Sequence[Epoch],
    evaluation: Evaluation,
    findings: Sequence[Finding],
) -> tuple[Page, Card]:
    """Return the page of a run, and its model card; see `write_run_page`."""
    task, said, facts = trained.measured, trained.said, trained.provenance
    shown_score = find_taught(trained.task).shown_score
    made, headline = Thumbnails(), evaluation.headline()
    seconds = sum(epoch.seconds for epoch in epochs)
    shown = [
        (f"{headline[0]}, validation", headline[1]),
        ("pictures", f"{sum(len(part) for part in splits.values()):,}"),
        *_known(facts, setting_architecture="network", parameters="parameters"),
        ("epochs", str(len(epochs))),
        *([("seconds of epochs", f"{seconds:,.0f}")] if epochs else []),
        *_known(facts, seconds="seconds in all"),
    ]
    page = Page(
        title=f"{trained.name}: trained run",
        lead=f"A {trained.task} model, trained by edgeinfer train. Figures are of the float model "
        "on validation; the test pictures are not used before edgeinfer convert.",
        facts=tuple(shown),
        sections=(
            Section(title="Curves", parts=curve_parts(epochs, shown_score)),
            answers_section(
                "Answers on validation",
                *(evaluation, splits.get("validation", ()), task, said, made),
            ),
            data_section(dict(splits.items()), task, said, made, name=facts.get("data", "")),
            Section(title=_SECTION, parts=_left_out(findings)),
            settings_section(facts, trained.metrics),
        ),
    )
    return page, _card(trained, splits, evaluation, findings)


def _known(facts: Mapping[str, str], **names: str) -> list[tuple[str, str]]:
    """Return facts under the names that people call them; `_` is a point in a fact's name."""
    found = []
    for key, name in names.items():
        value = facts.get(key.replace("_", "."), "")
        if value:
            found.append((name, f"{int(value):,}" if value.isdigit() else value))
    return found


def _left_out(findings: Sequence[Finding]) -> tuple[Part, ...]:
    if not findings:
        return (Text(paragraphs=("Nothing.",)),)
    counts = Counter(finding.kind for finding in findings)
    rows = [(finding.kind, finding.path, finding.detail) for finding in findings]
    return (
        long_table(
            "What the check found", ("kind", "files"),
            [(kind, f"{count:,}") for kind, count in counts.most_common()],
        ),
        long_table("Each", ("kind", "file", "why"), rows, texts=3),
    )  # fmt: skip


def _card(
    trained: TrainedModel,
    splits: Mapping[Split, Sequence[Sample]],
    evaluation: Evaluation,
    findings: Sequence[Finding],
) -> Card:
    facts, task = trained.provenance, trained.measured
    spec = trained.preprocess
    left_out = Counter(finding.kind for finding in findings if finding.left_out)
    return Card(
        name=trained.name,
        library="keras",
        task=trained.task,
        pipeline=task.pipeline,
        metric_names=task.card_metrics,
        labels=trained.labels,
        summary=f"A Keras model of images for the task {trained.task}, trained by edgeinfer.",
        data=[
            ("data", facts.get("data", "")),
            *((f"pictures, {split}", f"{len(part):,}") for split, part in splits.items()),
        ],
        left_out=[(kind, f"{count:,} files") for kind, count in sorted(left_out.items())],
        training=sorted(
            (name, value) for name, value in facts.items() if not name.startswith("version.")
        ),
        results=[
            (
                f"validation, {evaluation.score_name}",
                f"{with_interval(evaluation.score, evaluation.interval)} of "
                f"{evaluation.samples:,} pictures",
            )
        ],
        technical=[
            ("input", f"{spec.size[0]} x {spec.size[1]} {spec.channels}"),
            *_known(facts, setting_architecture="network", parameters="parameters"),
            *sorted((name, value) for name, value in facts.items() if "version." in name),
        ],
        start=(
            "pip install 'edgeinfer[host]'",
            "# here, in the folder of the run:",
            "edgeinfer convert .",
        ),
        hardware=[("Training", f"{facts['seconds']} s")] if "seconds" in facts else [],
    )
