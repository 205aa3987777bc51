from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.outputs.drawing.ascii_text import plain


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("golden retriever 90.0%", "golden retriever 90.0%"),
        ("Größe Ähre Fuß", "Groesse Aehre Fuss"),
        ("Gro\u0308\u00dfe", "Groesse"),
        ("naïve Ångström ça señor Łódź", "naive Angstroem ca senor Lodz"),
        ("21.5 °C ± 3 µm", "21.5 deg C +/- 3 um"),
        ("m² ½ ﬁn", "m2 12 fin"),
        ("a\tb\nc\u00a0d\x1b[2J", "a b c d [2J"),
        ("“rock’n’roll” – 🐈", "\"rock'n'roll\" -"),
        ("猫", "class 7"),
        ("cat 猫", "class 7"),
        ("кошка", "class 7"),
        ("🐈", "class 7"),
        ("", "class 7"),
    ],
)
def test_spelling(text: str, spelled: str) -> None:
    assert plain(text, instead="class 7") == spelled


@given(st.text(), st.sampled_from(["", "class 7"]))
def test_any_text_becomes_printable_ascii(text: str, instead: str) -> None:
    spelled = plain(text, instead=instead)
    assert set(spelled) <= set(string.printable) - set("\t\n\r\x0b\x0c")
    assert plain(spelled, instead=instead) == spelled
    assert spelled or not instead


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_ascii_stays_as_it_is(text: str) -> None:
    assert plain(text) == text
