"""What `--board`, `--npu`, `--gpu` and `--require-mapped` ask for together."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.boards import load_profile, profile_names
from edgeinfer.converters.targets.target import TargetOptions
from edgeinfer.converters.targets.targets import Targets, chosen_targets
from edgeinfer.converters.targets.vela import ACCELERATORS
from edgeinfer.device.core.errors import UsageError
from tests.support.program import edgeinfer_here, error_line


def test_a_board_chooses_its_targets() -> None:
    assert chosen_targets() == chosen_targets(board="rpi4") == Targets()
    assert chosen_targets(board="coral-dev", require_mapped="90%") == Targets(
        wanted={"edgetpu": TargetOptions(board="coral-dev", require_percent=90)}
    )
    assert chosen_targets(board="imx8mp", require_mapped="50", gpu=True) == Targets(
        wanted={
            "vx": TargetOptions(board="imx8mp", require_percent=50),
            "gpu": TargetOptions(board="imx8mp"),
        }
    )
    nine = Targets(wanted={"ethos-u": TargetOptions(board="imx93", configuration="ethos-u65-256")})
    assert chosen_targets(board="imx93") == nine
    assert chosen_targets(board="imx93", npu="ethos-u65-256") == nine
    assert chosen_targets(board="rpi4", npu="ethos-u55-128") == Targets(
        wanted={"ethos-u": TargetOptions(board="rpi4", configuration="ethos-u55-128")}
    )


def test_variants_are_made_in_one_order_whatever_was_asked_first() -> None:
    both = chosen_targets(board="coral-usb", npu="ethos-u55-128", gpu=True)
    assert [target.name for target, _ in both.each()] == ["ethos-u", "edgetpu", "gpu"]


def test_a_configuration_that_nothing_compiles_for() -> None:
    with pytest.raises(UsageError, match="expected one of ethos-u65-256, ethos-u55-128"):
        chosen_targets(npu="ethos-u99")


def test_every_boards_npu_is_one_that_can_be_compiled_for() -> None:
    assert {load_profile(name).npu for name in profile_names()} - {""} <= set(ACCELERATORS)


@pytest.mark.parametrize("board", ["rpi4", "imx93", None])
def test_a_share_cannot_be_required_of_every_board(board: str | None) -> None:
    with pytest.raises(UsageError, match="such as coral-usb or imx8mp"):
        chosen_targets(board=board, require_mapped="90%")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--board", "imx93", "--npu", "ethos-u55-128"),
            "--board imx93: has the NPU ethos-u65-256, not ethos-u55-128",
        ),
        (("--board", "coral"), "is not a known board"),
        (("--board", "imx93", "--require-mapped", "1%"), "given with board imx93"),
        (("--calibration-draw", "some"), "'some' is not one of 'balanced', 'as-is'"),
    ],
)
def test_wrong_usage_is_reported_before_any_work(
    arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    done = edgeinfer_here("convert", tmp_path, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    if "some" not in arguments:
        assert words in error_line(done, code=2)
