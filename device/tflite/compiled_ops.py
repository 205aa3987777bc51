"""The custom operators that accelerators' compilers put in place of what they mapped."""

from __future__ import annotations

EDGETPU_OP = "edgetpu-custom-op"
"""Of the Edge TPU compiler."""

ETHOS_U_OP = "ethos-u"
"""Of Arm's compiler vela, for an Ethos-U."""
