"""JSON of others: values that code can use, or a ValueError."""

from __future__ import annotations

import json
import math
import os
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import ReleaseError
from edgeinfer.device.releases.history import note, read_history
from edgeinfer.device.releases.install.release import read_release
from edgeinfer.device.releases.install.spec import read_spec
from edgeinfer.device.releases.state import read_state
from edgeinfer.device.releases.systemd.manager import ServiceState
from edgeinfer.device.releases.trial.health import answers_of
from edgeinfer.device.releases.trial.outcome import read_outcome
from edgeinfer.device.releases.trial.request import ask_for_trial
from edgeinfer.device.releases.trial.status import age_s, read_status, whole
from edgeinfer.device.releases.trial_file import read_trial
from edgeinfer.device.releases.untrusted_json import parse_json
from tests.device.releases.boards import FakeManager, bare_spec, make_board

DEEP = "[" * 1000 + "]" * 1000
ODD = (
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 30, "-" + "9" * 401, "9" * 5000),
    *('"\\ud800"', '{"\\udcff": 1}', DEEP, "[" * 100_000, "{", "", "\xff"),
)


def numbers_of(value: object) -> list[int | float]:
    if isinstance(value, list):
        return [number for item in value for number in numbers_of(item)]
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers_of(item)]
    return [value] if isinstance(value, int | float) else []


@pytest.mark.parametrize("text", ODD)
def test_what_code_would_stumble_over_is_refused(text: str) -> None:
    for whole_text in (text, f'{{"a": [1, {text}]}}'):
        with pytest.raises(ValueError, match=r"."):
            parse_json(whole_text)
        with pytest.raises(ValueError, match=r"."):
            parse_json(whole_text.encode("latin-1"))


@given(st.text(max_size=40) | st.binary(max_size=40))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    with suppress(ValueError):
        told = parse_json(text)
        assert all(math.isfinite(number) for number in numbers_of(told))
        json.dumps(told, allow_nan=False).encode()


def test_plain_json_is_read() -> None:
    told = {"a": [1, -2.5, True, None, "dog's \N{DOG FACE}"], "b": {"c": 2**63 - 1}}
    assert parse_json(json.dumps(told)) == told
    assert parse_json(json.dumps(told, ensure_ascii=False).encode()) == told


@pytest.mark.parametrize("text", ODD)
def test_no_file_of_a_board_upsets_its_agent(tmp_path: Path, text: str) -> None:
    """The status is written by the service's user, who is trusted with nothing."""
    layout = make_board(tmp_path)
    manager = FakeManager(layout)
    odd_everywhere = (
        f'{{"pid": {text or 0}, "answers": {text or 0}, "updated": {text or 0}, "last": {text}}}'
    )
    for path in (layout.status, layout.request, layout.outcome, layout.trial, layout.history):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(odd_everywhere, errors="surrogateescape")
    folder = layout.release(1)
    folder.mkdir(parents=True)
    for odd in (odd_everywhere, text, f'{{"spec": {text}}}'):
        (folder / "release.json").write_text(odd, errors="surrogateescape")
        with pytest.raises(ReleaseError):
            read_release(layout, 1)
        with pytest.raises(ReleaseError):
            read_spec(odd)
    status = read_status(layout.status)
    assert status is None
    assert (whole(status, "answers"), age_s(status)) == (0, float("inf"))
    assert answers_of(ServiceState(active="active", pid=77), status) == 0
    assert read_trial(layout) is None
    assert read_outcome(layout, "x") is None
    assert read_history(layout) == []
    json.dumps(read_state(layout, manager), allow_nan=False).encode()
    note(layout, "tried", release=1)
    assert len(read_history(layout)) == 1
    with pytest.raises(ReleaseError):
        ask_for_trial(layout, manager, 1, frames=1, seconds=1.0)


def test_a_status_is_read_as_before(tmp_path: Path) -> None:
    layout = make_board(tmp_path)
    begun_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    FakeManager(layout, silent=5).restart("edgeinfer.service")
    status = read_status(layout.status)
    assert status is not None
    assert (whole(status, "answers"), status["last"]) == (1000, {"label": "Bag"})
    assert age_s(status) <= time.clock_gettime(time.CLOCK_BOOTTIME) - begun_s
    assert whole({"answers": 1.5}, "answers") == 0
    assert age_s({"updated": time.clock_gettime(time.CLOCK_BOOTTIME) + 1e9}) == 0.0


def test_a_release_of_a_time_beyond_floats_is_refused() -> None:
    told = bare_spec(b"x").to_json() | {"verify_timeout_s": 10**400}
    with pytest.raises(ReleaseError, match="64 bits"):
        read_spec(json.dumps(told))


def test_a_status_that_is_a_pipe_or_a_link_is_not_waited_for(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to("/etc/passwd")
    assert read_status(pipe) is None
    assert read_status(link) is None
