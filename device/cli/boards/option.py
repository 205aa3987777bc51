"""The option `--board`, and how a board runs a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeinfer.device.core.errors import UsageError, did_you_mean, printable

if TYPE_CHECKING:
    from edgeinfer.boards import BoardProfile
    from edgeinfer.device.diagnose.inspect.description import BundleDescription, ModelDescription
    from edgeinfer.device.tflite.model import TfliteModel


def named_board(name: str, subject: str = "") -> BoardProfile:
    """Return the profile of a board.

    Args:
        name: the board's name.
        subject: what an error is about; by default the option `--board`.

    Raises:
        UsageError: no board has that name.
    """
    from edgeinfer.boards import load_profile, profile_names

    if name not in profile_names():
        raise UsageError(
            subject or f"--board {name}",
            got="is not a known board",
            expected="one of " + ", ".join(profile_names()),
            next_step=did_you_mean(_short_name(name), profile_names()),
        )
    return load_profile(name)


def _short_name(typed: str) -> str:
    """Return a board's name if its title was typed, such as raspberrypi4; else what was typed."""
    from edgeinfer.boards import load_profile, profile_names
    from edgeinfer.boards.files import PROFILES

    # Only edgeinfer's own, which are whole: a profile of the user may be broken.
    own = profile_names(PROFILES)
    names = {_letters(load_profile(name, PROFILES).title): name for name in own}
    return names.get(_letters(typed), typed)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()


def compiler_word(
    accelerator: str, description: BundleDescription | ModelDescription
) -> dict[str, object]:
    """Return what an accelerator's compiler reports about the main model, if it reports more."""
    from edgeinfer.device.accelerators.registry import named_accelerator

    if not accelerator:
        return {}
    return named_accelerator(accelerator).ask_compiler(
        description.main.model, lambda: _content(description), subject=description.name
    )


def _content(description: BundleDescription | ModelDescription) -> bytes:
    """Return the main model's file."""
    from edgeinfer.device.core.model_file import read_model_file
    from edgeinfer.device.models.bundle.reader import open_bundle

    path = Path(description.name)
    if description is description.main:
        return read_model_file(path)
    with open_bundle(path) as bundle:
        return bundle.member(bundle.manifest.main_variant.file)


def board_lines(
    board: BoardProfile, description: BundleDescription | ModelDescription
) -> list[str]:
    """Return as text where each operator runs, for each variant of a bundle."""
    from edgeinfer.device.accelerators.registry import named_accelerator
    from edgeinfer.device.accelerators.report import wrapped

    lines = ["", f"board {board.name}: {board.title}"]
    lines += _answer_lines(board.accelerator, description)
    if board.accelerator:
        word = compiler_word(board.accelerator, description)
        for line in named_accelerator(board.accelerator).compiler_lines(word):
            lines += wrapped(printable(line))
    return lines


def accelerator_lines(
    accelerator: str, description: BundleDescription | ModelDescription
) -> list[str]:
    """Return as text which operators an accelerator runs, on any board."""
    return ["", f"accelerator {accelerator}", *_answer_lines(accelerator, description)]


def board_json(
    board: BoardProfile, description: BundleDescription | ModelDescription
) -> dict[str, object]:
    """Return for programs where each operator runs: for each variant, and for the main one."""
    return {
        "board": board.name,
        **accelerator_json(board.accelerator, description),
        **compiler_word(board.accelerator, description),
    }


def accelerator_json(
    accelerator: str, description: BundleDescription | ModelDescription
) -> dict[str, object]:
    """Return the same for an accelerator, on any board."""
    from edgeinfer.device.accelerators.registry import answer_json

    return {
        "accelerator": accelerator or None,
        **answer_json(accelerator, description.main.model),
        "board_variants": {
            name: answer_json(accelerator, model) for name, model in _variants(description).items()
        },
    }


def _answer_lines(accelerator: str, description: BundleDescription | ModelDescription) -> list[str]:
    from edgeinfer.device.accelerators.registry import answer_lines

    variants = _variants(description)
    lines = []
    for name, model in variants.items():
        lines += [f"variant {name}"] * (len(variants) > 1 and bool(accelerator))
        lines += answer_lines(accelerator, model)
        if not accelerator:
            break
    return lines


def _variants(description: BundleDescription | ModelDescription) -> dict[str, TfliteModel]:
    variants = getattr(description, "variants", {"": description.main})
    return {name: variant.model for name, variant in variants.items()}
