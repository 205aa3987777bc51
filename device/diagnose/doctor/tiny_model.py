"""A tiny INT8 model that every runtime runs: one dense layer, 4 values to 2 scores."""

from __future__ import annotations

import base64
import zlib

_PACKED = (
    b"c-oayJx>Bb5S{xFPlI?t3JQuVEDgbkosrI1SX$VTQ&!vrj^qwdI!a4ROMi;L%2=rQc5e<AL6o_?o6XI~o0**pi0J"
    b"a{;s}aL6p%|E<;lmHs7w{D9epM`0p4vQ4<DX@SHRM7si-&?T4l&XZvigrnO_09W-JB%et^6+pbk9RY1}^W0#p$EY"
    b"%$4__%d@4pX+?KnOEi70Ax383vDSPmbAs=%8PjWMlZy%kcQF|mR0=L5`LTcH-UR0+jsqBP5$wzMW!t0&$vnkzh&@"
    b"W%P^VcSgZek@voY{(m5cx>BS;hmw()t=bzT4wPVcvxB7_l26{Ksy&{e^=al7h^^?x68_G!e>;PfV5>X<8PB;=V+s"
    b"mBq9B6UAEIySSI9=Vp|Dz98i)B0R<m>ap^z#h+Ht?qRZqcrG`mlOjt#R#n{`XY(9{Z_&_EaA-YQ}@8FT0{S6mcSZ"
    b"(ZbwHJU3Nof$LRwd1cJWpVl_dli45s@XPLN1njDv5b;n(?Pg2dhJ#L@z5&idL*)"
)
"""The `.tflite` that tests/device/tflite_examples.py builds, zlib and base 85; a test compares."""

TINY_INPUT = [[3, 5, 7, 9]]
"""INT8, (1, 4): the values 2, 3, 4 and 5, at scale 0.5 and zero point -1."""

TINY_OUTPUT = [[11, -11]]
"""INT8, (1, 2), at scale 1: 0.25 times (2 + 2 * 3 + 3 * 4 + 4 * 5) plus 1.25 is 11.25, rounded."""


def tiny_model() -> bytes:
    """Return the model's file."""
    return zlib.decompress(base64.b85decode(_PACKED))
