"""How many epochs fine-tuning gets: by the pictures alone, unless the user says it."""

from __future__ import annotations

from edgeinfer.host.training.choices.fine_tune import with_fine_tuning
from edgeinfer.host.training.config import default_config


def test_fewer_pictures_get_more_epochs_within_one_budget() -> None:
    config = default_config("efficientnet-lite0")
    counts = [1, 100, 600, 900, 1800, 3600, 100_000]
    epochs = [with_fine_tuning(config, count).fine_tune_epochs or 0 for count in counts]
    assert epochs == [12, 12, 12, 8, 4, 2, 2]
    # Never more time than before where two epochs took longest.
    assert all(
        count * number <= max(7200, 2 * count) for count, number in zip(counts, epochs, strict=True)
    )


def test_what_the_user_says_stays() -> None:
    for epochs in (0, 5):
        config = default_config("efficientnet-lite0", fine_tune_epochs=epochs)
        assert with_fine_tuning(config, 10) is config
    scratch = default_config("small-cnn")
    assert with_fine_tuning(scratch, 10) is scratch
