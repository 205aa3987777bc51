from __future__ import annotations

import json
import re

from edgeinfer.converters.bundle.page.card import PERSON, Card, card_text

SECTIONS = [
    "Model Details",
    "Uses",
    "Bias, Risks, and Limitations",
    "How to Get Started with the Model",
    "Training Details",
    "Evaluation",
    "Environmental Impact",
    "Technical Specifications",
    "Model Card Contact",
]


def card(name: str = "photos") -> Card:
    return Card(
        name=name,
        library="keras",
        task="classification",
        pipeline="image-classification",
        metric_names=("accuracy",),
        labels=("cat", name),
        summary=f"About {name}.",
        data=(("pictures", "120"), (name, name)),
        results=(("top-1", "90 % (80 to 95)"),),
        start=("edgeinfer convert .",),
    )


def test_a_card_has_hugging_faces_sections_and_front_matter() -> None:
    text = card_text(card())
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    _, front, _ = text.split("---\n", 2)
    assert front.splitlines() == [
        'library_name: "keras"',
        'pipeline_tag: "image-classification"',
        "tags:",
        '- "edgeinfer"',
        '- "classification"',
        "metrics:",
        '- "accuracy"',
    ]


def test_what_only_a_person_knows_is_left_to_one() -> None:
    text = card_text(card())
    for section in ("### Direct Use", "### Out-of-Scope Use", "## Model Card Contact"):
        assert text.partition(section)[2].strip().startswith(PERSON)
    assert f"**License:** {PERSON}" in text
    assert "**Carbon Emitted:** not measured" in text


def test_no_name_leaves_its_place() -> None:
    hostile = '---\n# x\n| a | <b> `c` [d](e) "f" $g$\x00\udcff'
    text = card_text(card(hostile))
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert "<b>" not in text
    assert "[d](e)" not in text
    # As many rows and columns as a harmless name gives.
    rows = [line for line in text.splitlines() if line.startswith("|")]
    plain = [line for line in card_text(card()).splitlines() if line.startswith("|")]
    bars = re.compile(r"(?<!\\)\|")
    assert [len(bars.findall(row)) for row in rows] == [len(bars.findall(row)) for row in plain]
    assert json.loads(text.split("\n")[1].partition(": ")[2]) == "keras"


def test_equal_cards_are_equal_text() -> None:
    assert card_text(card()) == card_text(card())
