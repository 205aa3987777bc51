"""What every conversion ends with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeinfer.converters.bundle.write import manifest_errors
from edgeinfer.device.core.errors import ConversionError
from tests.device.models.bundle.examples import manifest


@pytest.mark.parametrize(
    "changes",
    [{"name": "a\x1bb"}, {"labels": ("a", "b\u202e")}, {"labels": ("a", "b" * 1001)}],
)
def test_what_no_bundle_can_hold_is_refused_in_a_line(changes: dict[str, object]) -> None:
    with (
        pytest.raises(ConversionError, match=r"x.edgebundle: cannot be made: .*; change the"),
        manifest_errors(Path("x.edgebundle")),
    ):
        replace(manifest(), **changes)  # type: ignore[arg-type]
