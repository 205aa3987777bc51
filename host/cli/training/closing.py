"""What the commands that make a trained run print at their end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.device.cli.say import say
from edgeinfer.device.core.errors import printable

if TYPE_CHECKING:
    from edgeinfer.converters.run_folder.trained_run import TrainedModel


def say_validation(trained: TrainedModel) -> None:
    """Print how good a run's float model is on validation, as its task says it."""
    pictures = int(trained.provenance["samples.validation"])
    lines = trained.measured.summary(trained.metrics, "validation.keras", trained.said, pictures)
    if not lines:
        accuracy = 100 * trained.metrics["validation.keras.top1"]
        say(f"validation accuracy {accuracy:.2f} % (float, {pictures:,} pictures)")
    for line in lines:
        say(f"validation (float, {pictures:,} pictures): {line}")


def say_next(out: Path) -> None:
    """Print where a run and its page are, and the next command."""
    from edgeinfer.converters.bundle.page.write import PAGE_FILE

    say(f"the run: {printable(str(out))}")
    if (out / PAGE_FILE).is_file():
        say(f"the page: {printable(str(out / PAGE_FILE))}")
    say(f"next: edgeinfer convert {printable(str(out))}")
