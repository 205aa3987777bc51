"""A trial is asked for, and held by a service that ends a little after it told the outcome."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.device.core.errors import ReleaseError
from edgeinfer.device.releases.paths import TRIAL, Layout
from edgeinfer.device.releases.systemd.manager import ServiceState
from edgeinfer.device.releases.trial.request import answer_request, ask_for_trial
from tests.device.releases.boards import FakeManager, install_bare, make_board


class SlowToEnd(FakeManager):
    """Holds trials immediately, and needs some time to end after each.

    Args:
        layout: the board.
        looks: so often it is seen to end; its `settle` runs then.
    """

    def __init__(self, layout: Layout, *, looks: int) -> None:
        super().__init__(layout)
        self._looks = looks
        self._left = 0
        self.trials = 0

    def show(self, unit: str) -> ServiceState:
        if unit != TRIAL:
            return super().show(unit)
        self._left -= 1
        return ServiceState(active="deactivating" if self._left >= 0 else "inactive")

    def start(self, unit: str) -> None:
        assert unit == TRIAL
        answer_request(self._layout, self)
        self.trials += 1
        self._left = self._looks


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return make_board(tmp_path)


def test_a_trial_that_has_reported_its_outcome_is_not_in_the_way(layout: Layout) -> None:
    one, other = install_bare(layout, b"one"), install_bare(layout, b"other")
    manager = SlowToEnd(layout, looks=3)
    for number in (one, other, other):
        told = ask_for_trial(layout, manager, number, frames=1, seconds=1.0)
        assert told["release"] == number, told
    assert manager.trials == 3  # none got the outcome of the one before


def test_another_one_that_is_under_way_is_in_the_way(layout: Layout) -> None:
    one, other = install_bare(layout, b"one"), install_bare(layout, b"other")
    manager = SlowToEnd(layout, looks=1_000_000)
    ask_for_trial(layout, manager, one, frames=1, seconds=1.0)
    layout.outcome.unlink()
    with pytest.raises(ReleaseError, match="one trial at a time"):
        ask_for_trial(layout, manager, other, frames=1, seconds=1.0)
