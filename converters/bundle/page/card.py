"""A model card: what is known of a model, in Hugging Face's sections; nothing is invented.

The sections are those of Hugging Face's template of 2023, after M. Mitchell and others, "Model
cards for model reporting", 2019.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from edgeinfer.converters.common.page.texts import plain

Pairs = Sequence[tuple[str, str]]

PERSON = "_Not known: only a person can fill this in._"
_SPECIAL = re.compile(r"([\\`*_\[\]|~$])")


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a card says.

    Attributes:
        name: the model's name.
        library: what reads the model: `keras` or `edgeinfer`.
        task: the task's name.
        pipeline: what Hugging Face calls the task; empty where it has no name.
        metric_names: what it calls the figures.
        labels: the classes; empty for a task without classes.
        summary: a sentence on what the model is.
        data: facts about the training pictures.
        training: settings and times of the training.
        left_out: facts about pictures that were not used.
        results: how it was measured: a name and a figure each.
        technical: input, output, sizes and versions.
        start: commands to begin with.
        hardware: what is known of the machine and the time.
    """

    name: str
    library: str
    task: str
    pipeline: str = ""
    metric_names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    summary: str
    data: Pairs = field(default_factory=tuple)
    training: Pairs = field(default_factory=tuple)
    left_out: Pairs = field(default_factory=tuple)
    results: Pairs = field(default_factory=tuple)
    technical: Pairs = field(default_factory=tuple)
    start: tuple[str, ...] = ()
    hardware: Pairs = field(default_factory=tuple)


def bundle_start(bundle: str) -> tuple[str, ...]:
    """Return the commands to begin with for a bundle, by its file's name."""
    return (
        "pip install edgeinfer",
        f"edgeinfer verify {bundle}",
        f"edgeinfer run --camera --model {bundle}",
    )


def card_text(card: Card) -> str:
    """Return a card as Markdown, with Hugging Face's front matter; equal ones give equal text."""
    labels = ", ".join(_text(label) for label in card.labels)
    parts = [
        _front_matter(card),
        f"# Model Card for {_text(card.name)}",
        _text(card.summary),
        "## Model Details",
        "### Model Description",
        _list(
            [
                ("Task", card.task),
                ("Developed by", PERSON),
                ("License", PERSON),
                ("Finetuned from model", _setting(card, "initializer") or PERSON),
            ]
        ),
        *([f"Classes: {labels}"] if labels else []),
        "## Uses",
        "### Direct Use",
        PERSON,
        "### Out-of-Scope Use",
        PERSON,
        "## Bias, Risks, and Limitations",
        PERSON,
        "What is known: the figures below are of pictures like those of the training. Other "
        "cameras, places, light or kinds of pictures were not measured.",
        "## How to Get Started with the Model",
        "```sh\n" + "\n".join(plain(line) for line in card.start) + "\n```",
        "## Training Details",
        "### Training Data",
        _table(card.data, ("data", "")),
        *(["Left out of the data:", _table(card.left_out, ("", ""))] if card.left_out else []),
        "### Training Procedure",
        _table(card.training, ("setting", "value")),
        "## Evaluation",
        "### Testing Data, Factors & Metrics",
        "Intervals are of 95 %. report.html, next to this card, has every class, the confusions "
        "and the worst pictures.",
        "### Results",
        _table(card.results, ("measured", "")),
        "## Environmental Impact",
        _list([*card.hardware, ("Carbon Emitted", "not measured")]),
        "## Technical Specifications",
        _table(card.technical, ("", "")),
        "## Model Card Contact",
        PERSON,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(card: Card) -> str:
    # JSON's strings are YAML's, so no name can leave its place.
    lines = ["---", f"library_name: {json.dumps(card.library)}"]
    if card.pipeline:
        lines.append(f"pipeline_tag: {json.dumps(card.pipeline)}")
    lines += ["tags:", *(f"- {json.dumps(tag)}" for tag in ("edgeinfer", card.task))]
    if card.metric_names:
        lines += ["metrics:", *(f"- {json.dumps(name)}" for name in card.metric_names)]
    return "\n".join([*lines, "---"])


def _setting(card: Card, name: str) -> str:
    found = dict(card.training)
    architecture = found.get("setting.architecture", "")
    start = {"pretrained": "ImageNet weights of", "he": "none: random weights in"}
    start["glorot"] = start["he"]
    words = start.get(found.get(f"setting.{name}", ""), "")
    return f"{words} {architecture}" if words and architecture else ""


def _list(pairs: Pairs) -> str:
    return "\n".join(
        f"- **{_text(name)}:** {value if value is PERSON else _text(value)}"
        for name, value in pairs
    )


def _table(pairs: Pairs, header: tuple[str, str]) -> str:
    if not pairs:
        return "_Not known._"
    rows = [f"| {header[0]} | {header[1]} |", "|---|---|"]
    return "\n".join([*rows, *(f"| {_text(name)} | {_text(value)} |" for name, value in pairs)])


def _text(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    escaped = _SPECIAL.sub(r"\\\1", plain(text)).replace("&", "&amp;").replace("<", "&lt;")
    return escaped.replace(">", "&gt;")
