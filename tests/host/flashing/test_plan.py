from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from edgeinfer.host.board_wheels import BoardWheels, WheelFile
from edgeinfer.host.flashing.payload import Payload
from edgeinfer.host.flashing.plan import Plan, make_plan
from edgeinfer.host.flashing.request import Order, make_order
from tests.host.flashing.examples import pi

PREFIX = PurePosixPath("/var/lib/edgeinfer")


def wheel(name: str, sha256: str = "") -> WheelFile:
    return WheelFile(path=Path(name), name=name, sha256=sha256 or name * 8, size=1000)


@pytest.fixture
def order(sample_bundle: Path) -> Order:
    return make_order(
        board="rpi4", bundle=sample_bundle, run=(), trial_frames=30, trial_s=120, dry_run=False
    )


@pytest.fixture
def payload(order: Order) -> Payload:
    wheels = (wheel("a.whl"), wheel("b.whl"), wheel("b-again.whl", "b.whl" * 8))
    return Payload(
        bundle=order.bundle,
        wheels=BoardWheels(wheels=wheels, pip=wheel("pip.whl")),
        python="/usr/bin/python3",
        system_site_packages=False,
        run=order.options.words,
        verify_timeout_s=600,
    )


def state(payload: Payload, **changes: Any) -> dict[str, Any]:
    """Return the state of a board that has all of it, as release 4."""
    release = {"bundle": payload.bundle.sha256, "run": list(payload.run)}
    return {
        "store": {blob.sha256: blob.size for blob in payload.blobs()},
        "current": 4,
        "previous": None,
        "releases": {"4": release},
        "set_up": True,
        **changes,
    }


def plan(order: Order, payload: Payload, known: bool = True, **changes: Any) -> Plan:
    facts = pi(agent_sha256=order.agent.sha256 if known else "")
    return make_plan(order, payload, facts, state(payload, **changes), None)


def test_wheels_that_differ_in_name_only_are_sent_once(payload: Payload) -> None:
    names = [blob.name for blob in payload.blobs()]
    assert len(names) == 4
    assert names[-1] == "fashion-mnist"
    assert len(payload.spec()["wheels"]) == 3


def test_nothing_is_to_be_done_where_all_is_there(order: Order, payload: Payload) -> None:
    same = plan(order, payload)
    assert (same.sent_bytes, same.sent_files, same.release) == (0, 0, 4)
    assert same.lines(order, PREFIX) == ("release 4 already runs there: nothing is restarted",)


def test_only_what_is_missing_is_sent(order: Order, payload: Payload) -> None:
    store = {blob.sha256: blob.size for blob in payload.blobs()}
    del store["a.whl" * 8]
    store[order.bundle.sha256] -= 1  # of another size: not whole
    lacking = plan(order, payload, store=store)
    assert [blob.name for blob in lacking.missing] == ["a.whl", "fashion-mnist"]
    assert lacking.release is None
    assert "else back to release 4" in lacking.lines(order, PREFIX)[-1]


def test_a_new_board_gets_all(order: Order, payload: Payload) -> None:
    new = plan(order, payload, known=False, store={}, releases={}, current=None, set_up=False)
    lines = new.lines(order, PREFIX)
    assert lines[0].startswith("send the agent to /var/lib/edgeinfer/releases.pyz")
    assert "set up the user edgeinfer" in lines[1]
    assert len(new.missing) == 4
    assert new.sent_files == 5
    assert lines[-1].endswith("else back to nothing")


def test_other_options_are_another_release(order: Order, payload: Payload) -> None:
    releases = {"4": {"bundle": payload.bundle.sha256, "run": ["--camera", "0"]}}
    assert plan(order, payload, releases=releases).release is None


URL = "rtsp://me:hunter2@cam/1"


def test_a_secret_camera_is_compared_by_what_may_be_shown(order: Order, payload: Payload) -> None:
    payload = replace(payload, run=("--camera", URL, "--every", "2"))
    assert "hunter2" not in repr(payload)
    told = {"bundle": payload.bundle.sha256, "run": ["--every", "2"], "camera": "rtsp://***@cam/1"}
    same = plan(order, payload, releases={"4": told})
    assert same.release == 4
    assert "hunter2" not in "".join(same.lines(order, PREFIX))
    other = {**told, "camera": "rtsp://***@cam/2"}
    earlier = {"bundle": payload.bundle.sha256, "run": list(payload.run)}
    for release in (other, earlier):
        assert plan(order, payload, releases={"4": release}).release is None
