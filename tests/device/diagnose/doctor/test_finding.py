from __future__ import annotations

import pytest

from edgeinfer.device.core.errors import CameraError
from edgeinfer.device.diagnose.doctor.finding import broken, from_error


def test_a_fault_needs_a_fix() -> None:
    with pytest.raises(ValueError, match="expected a fix"):
        broken("camera", "was lost", fix="")


def test_what_devices_call_themselves_stays_on_one_line() -> None:
    assert broken("a\nb", "c\x1b[2J", fix="d").got == "c\\x1b[2J"


def test_an_error_becomes_a_fault_with_its_own_words() -> None:
    error = CameraError("/dev/video0", got="is in use", expected="free", next_step="close it")
    finding = from_error(error, fix="unused")
    assert (finding.subject, finding.got, finding.expected) == ("/dev/video0", "is in use", "free")
    assert finding.fix == "close it"
    assert from_error(CameraError("x", got="y"), subject="z", fix="w").fix == "w"
