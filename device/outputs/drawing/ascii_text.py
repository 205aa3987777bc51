"""Text in the 95 printable characters of ASCII, for fonts that have no others.

OpenCV's own fonts draw a question mark for every other character, and its wheels come without
FreeType.
"""

from __future__ import annotations

import unicodedata

_SPELLINGS = """
ä=ae ö=oe ü=ue Ä=Ae Ö=Oe Ü=Ue ß=ss ẞ=SS æ=ae Æ=Ae œ=oe Œ=Oe ø=o Ø=O đ=d Đ=D ł=l Ł=L ı=i ħ=h Ħ=H
ð=d Ð=D þ=th Þ=Th ŋ=ng Ŋ=Ng µ=u μ=u Ω=Ohm °=deg_ ×=x ·=* –=- —=- ‐=- −=- ‘=' ’=' “=" ”=" „=" …=...
±=+/- €=EUR
"""
"""Characters that have no decomposition in Unicode, or whose usual spelling is another one; an
underscore is a space."""

_LETTERS = str.maketrans({pair[0]: pair[2:].replace("_", " ") for pair in _SPELLINGS.split()})


def plain(text: str, *, instead: str = "") -> str:
    """Return `text` in printable ASCII, as it is usually spelled without its own letters.

    Args:
        text: in any script; runs of white space become one space.
        instead: what to return where a letter or digit has no such spelling, as in Chinese; by
            default those characters are left out.
    """
    composed = unicodedata.normalize("NFC", text).translate(_LETTERS)
    parts = []
    for char in unicodedata.normalize("NFKD", composed):
        if char.isascii():
            parts.append(char if char.isprintable() else " ")
        elif char.isspace():
            parts.append(" ")
        elif char.isalnum() and instead:
            return instead
    spelled = " ".join("".join(parts).split())
    return spelled or instead
