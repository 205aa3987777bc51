"""`--region`: which part of each picture a model sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edgeinfer.device.pictures.region import Region


class _Region(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """x,y,width,height in ratios of a picture's sides."""

    name = "region"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Region:
        """Return the region.

        Raises:
            click.BadParameter: it is none, or reaches outside the picture.
        """
        from edgeinfer.device.pictures.region import read_region

        try:
            return read_region(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def region_settings(sees: str) -> dict[str, Any]:
    """Return the settings of the option; `sees` says who looks at the part."""
    return {
        "type": _Region(),
        "metavar": "X,Y,W,H",
        "help": f"The part of each picture that {sees}, in ratios from 0 to 1 of its width and "
        "height: 0.5,0,0.5,1 is the right half.",
    }
