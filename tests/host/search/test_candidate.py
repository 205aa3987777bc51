"""Candidate: its text, and which has all that another has."""

from __future__ import annotations

from dataclasses import replace

from tests.host.search.examples import SIZE, pruned, student


def test_texts_name_what_was_chosen() -> None:
    assert pruned(0.3, importance="taylor", teacher=True).text() == (
        "pruned to 30 % (taylor), 28x28, with teacher"
    )
    assert pruned(1.0, size=(20, 20)).text() == "trained on, 20x20"
    assert student(0.25).text() == "small-cnn x0.25, 28x28"
    plain = replace(pruned(), kind="plain", precision="dynamic")
    assert plain.text() == "as it is, dynamic"


def test_a_network_covers_those_with_less_of_everything() -> None:
    large = student(0.5, teacher=True)
    assert large.covers(large)
    for less in ({"width": 0.25}, {"size": (20, 20)}):
        assert large.covers(replace(large, **less))
        assert not replace(large, **less).covers(large)
    assert not large.covers(replace(large, architecture="resnet8"))
    # A teacher may help or hold back.
    assert not large.covers(replace(large, width=0.25, teacher=False))
    assert not replace(large, teacher=False).covers(replace(large, width=0.25))
    assert not large.covers(pruned())
    assert pruned(0.5).covers(pruned(0.3))
    assert not pruned(0.5).covers(pruned(0.6, size=(20, SIZE[1])))
