"""PruneConfig: defaults, and refusals that name the option."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.device.core.errors import UsageError
from edgeinfer.host.training.pruning.config import PruneConfig, parse_sparsity


def test_settings_are_text_for_the_provenance() -> None:
    settings = PruneConfig(speedup=2.0, size=(96, 64)).settings()
    assert settings["speedup"] == "2.0"
    assert settings["size"] == "(96, 64)"
    assert settings["keep_cost"] == "None"
    assert all(isinstance(value, str) for value in settings.values())


@pytest.mark.parametrize(
    "aims",
    [
        {},
        {"speedup": 2.0, "keep_cost": 0.5},
        {"keep_cost": 0.5, "sparsity": "0.5"},
        {"speedup": 2.0, "keep_cost": 0.5, "sparsity": "2:4"},
    ],
)
def test_exactly_one_aim(aims: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"{len(aims)} of them"):
        PruneConfig(**aims)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("speedup", 0.5),
        ("speedup", float("nan")),
        ("speedup", float("inf")),
        ("keep_cost", -0.1),
        ("keep_cost", 1.1),
        ("importance", "l2"),
        ("steps", 0),
        ("step_epochs", -1),
        ("epochs", -1),
        ("patience", 0),
        ("learning_rate", float("nan")),
        ("multiple", 0),
        ("min_share", 1.5),
        ("batch_size", 0),
        ("dropout", 1.0),
        ("seed", -1),
        ("size", (4, 32)),
        ("size", (32, 2000)),
        ("sparsity", "all"),
    ],
)
def test_an_impossible_value_is_refused_by_name(option: str, value: Any) -> None:
    aim = {} if option in ("speedup", "keep_cost", "sparsity") else {"speedup": 2.0}
    with pytest.raises(UsageError) as error:
        PruneConfig(**{**aim, option: value})
    assert str(error.value).startswith("--" + option.replace("_", "-"))


def test_zeros_do_not_change_the_size() -> None:
    with pytest.raises(UsageError, match="--size"):
        PruneConfig(sparsity="0.5", size=(64, 64))


@given(st.floats(0.001, 0.999))
def test_a_share_is_read_as_written(share: float) -> None:
    assert parse_sparsity(repr(share)) == share


@given(st.integers(1, 98), st.integers(1, 98))
def test_n_of_m_is_read_as_written(n: int, more: int) -> None:
    if n + more <= 99:
        assert parse_sparsity(f"{n}:{n + more}") == (n, n + more)


@pytest.mark.parametrize(
    "text", ["", "0", "1", "1.0", "-0.5", "nan", "inf", "4:2", "2:2", "0:4", "2:", "2:4:8", "2 : 4"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--sparsity"):
        parse_sparsity(text)
