"""`--tiles`: into how many tiles each picture is cut for a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edgeinfer.device.pictures.region import Tiles


class _Tiles(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """COLUMNSxROWS."""

    name = "tiles"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Tiles:
        """Return columns and rows.

        Raises:
            click.BadParameter: they are none, too many, or one tile.
        """
        from edgeinfer.device.pictures.region import read_tiles

        try:
            return read_tiles(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def tiles_settings() -> dict[str, Any]:
    """Return the settings of the option."""
    return {
        "type": _Tiles(),
        "metavar": "COLSxROWS",
        "help": "Cut each picture into overlapping tiles, such as 2x2, and have the detector "
        "answer each: it finds smaller things, in as many times the time.",
    }
