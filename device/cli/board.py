"""The option `--board`, and what a board makes of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeinfer.device.errors import UsageError

if TYPE_CHECKING:
    from edgeinfer.boards import BoardProfile
    from edgeinfer.device.describe import BundleDescription, ModelDescription
    from edgeinfer.device.tflite_types import TfliteModel


def named_board(name: str) -> BoardProfile:
    """Return the profile of a board.

    Raises:
        UsageError: there is none of that name.
    """
    from edgeinfer.boards import load_profile, profile_names

    if name not in profile_names():
        raise UsageError(
            f"--board {name}", got="is no board known here", expected=", ".join(profile_names())
        )
    return load_profile(name)


def board_lines(
    board: BoardProfile, description: BundleDescription | ModelDescription
) -> list[str]:
    """Return for people where each operator runs, of a bundle for each variant."""
    from edgeinfer.device.edgetpu.report import mapping_lines

    lines = ["", f"board {board.name}: {board.title}"]
    if board.accelerator != "edgetpu":
        return [*lines, "all operators run on the CPU: the board has no accelerator"]
    variants = _variants(description)
    for name, model in variants.items():
        lines += [f"variant {name}"] * (len(variants) > 1)
        from edgeinfer.device.edgetpu import map_model

        lines += mapping_lines(map_model(model))
    return lines


def board_json(
    board: BoardProfile, description: BundleDescription | ModelDescription
) -> dict[str, object]:
    """Return for scripts where each operator runs: of a bundle's variants, and of the main one."""
    return {
        "board": board.name,
        "accelerator": board.accelerator or None,
        **_model_json(board, description.main.model),
        "board_variants": {
            name: _model_json(board, model) for name, model in _variants(description).items()
        },
    }


def _model_json(board: BoardProfile, model: TfliteModel) -> dict[str, object]:
    if board.accelerator == "edgetpu":
        from edgeinfer.device.edgetpu import map_model
        from edgeinfer.device.edgetpu.report import mapping_json

        return mapping_json(map_model(model))
    operators = model.subgraphs[0].operators if model.subgraphs else ()
    return {
        "mapped": 0,
        "total": len(operators),
        "ops": [
            {
                "op": operator.op,
                "index": index,
                "target": "cpu",
                "reason": "the board has no accelerator",
            }
            for index, operator in enumerate(operators)
        ],
    }


def _variants(description: BundleDescription | ModelDescription) -> dict[str, TfliteModel]:
    variants = getattr(description, "variants", {"": description.main})
    return {name: variant.model for name, variant in variants.items()}
