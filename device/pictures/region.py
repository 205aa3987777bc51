"""A fixed part of each picture, in ratios: "read this meter", "is the gate open"; and its tiles.

Which pixels it is, is integer arithmetic, the same on every machine: ratios are whole millionths,
and an edge at ratio r of a side of n pixels is pixel (2 r n + 10**6) // (2 * 10**6) with r in
millionths: rounded to the nearest, half up. Parts that share an edge share no pixel and leave none
out.

Tiles are parts as well, of a region or of all of a picture. Along a side of n tiles each is 5 of
4 n + 1 equal lengths and begins 4 after the one before, so that neighbours share a fifth of a tile.
"""

from __future__ import annotations

from typing import TypeAlias

from edgeinfer.device.core.errors import ImageError

Region: TypeAlias = tuple[float, float, float, float]
"""x, y, width and height of a part of a picture, in ratios of its width and height: (0.5, 0, 0.5,
1) is the right half."""

WHOLE: Region = (0.0, 0.0, 1.0, 1.0)
"""All of a picture."""

Tiles: TypeAlias = tuple[int, int]
"""Columns and rows of the tiles that a picture is cut into."""

MOST_TILES = 8
"""Along a side."""

TILE_LENGTHS, TILE_STEP = 5, 4
"""How long a tile is, and how far from the one before it begins: they overlap by 20 % of a tile."""

LEAST_SIDE_PX = 8
"""A part with a shorter side shows nothing: it is more likely a mistake."""

TOO_SMALL = "region"
"""The exact part of the code of the error for a picture that is too small for the region."""

_MILLION = 1_000_000
_SUBJECT = "a picture of "


def millionths(region: Region) -> tuple[int, int, int, int]:
    """Return x, y, width and height in millionths of a side.

    Raises:
        ValueError: the region is empty or not inside the picture.
    """
    if len(region) != 4 or not all(0 <= ratio <= 1 for ratio in region):
        raise ValueError(f"region is {region}, expected x,y,width,height, each from 0 to 1")
    x, y, width, height = (round(ratio * _MILLION) for ratio in region)
    if not width or not height:
        raise ValueError(f"region is {region}, expected a width and a height above 0")
    # Thirds, for example: each is rounded, so their sum may be one too many.
    width -= x + width == _MILLION + 1
    height -= y + height == _MILLION + 1
    if x + width > _MILLION or y + height > _MILLION:
        raise ValueError(
            f"region is {region}, which reaches outside the picture, expected x + width and "
            "y + height of at most 1"
        )
    return x, y, width, height


def exact(region: Region) -> Region | None:
    """Return the region in whole millionths; None for one that is the whole picture.

    Raises:
        ValueError: the region is empty or not inside the picture.
    """
    x, y, width, height = (part / _MILLION for part in millionths(region))
    return None if (x, y, width, height) == WHOLE else (x, y, width, height)


def region_pixels(region: Region, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return first column, first row, columns and rows of a region.

    Args:
        region: the region.
        size: (width, height) of the picture.

    Raises:
        ImageError: a side has fewer than `LEAST_SIDE_PX` pixels.
    """
    x, y, width, height = millionths(region)
    left, top = _edge(x, size[0]), _edge(y, size[1])
    columns, rows = _edge(x + width, size[0]) - left, _edge(y + height, size[1]) - top
    if min(columns, rows) < LEAST_SIDE_PX:
        raise ImageError(
            f"{_SUBJECT}{size[0]}x{size[1]}",
            got=f"its region {region_text(region)} is {columns}x{rows} pixels",
            expected=f"at least {LEAST_SIDE_PX} a side",
            next_step="choose a larger --region or fewer --tiles, or take larger pictures",
            detail=TOO_SMALL,
        )
    return left, top, columns, rows


def covering(
    size: tuple[int, int], region: Region | None, tiles: Tiles | None = None
) -> tuple[int, int]:
    """Return the least (width, height) of pictures of which the model sees at least `size` pixels.

    Args:
        size: (width, height) of the model's input.
        region: the part that it sees; None for all.
        tiles: those that it sees one by one, each of which has as many pixels; None for no tiles.
    """
    if tiles is not None:
        least = [covering(size, tile) for tile in tile_regions(tiles, region)]
        return max(width for width, _ in least), max(height for _, height in least)
    if region is None:
        return size
    _, _, width, height = millionths(region)
    return _least(size[0], width), _least(size[1], height)


def check_tiles(tiles: Tiles) -> None:
    """Refuse impossible numbers of tiles.

    Raises:
        ValueError: they are not two from 1 to `MOST_TILES`, or one tile is all there is.
    """
    whole = len(tiles) == 2 and all(isinstance(count, int) for count in tiles)
    if not whole or not all(1 <= count <= MOST_TILES for count in tiles):
        shown = "x".join(map(str, tiles))
        raise ValueError(f"tiles are {shown}, expected columns and rows, each 1 to {MOST_TILES}")
    if tiles == (1, 1):
        raise ValueError("tiles are 1x1, which is the whole picture, expected two or more")


def tile_regions(tiles: Tiles, region: Region | None = None) -> tuple[Region, ...]:
    """Return the tiles of a region, or of the whole picture, row by row."""
    x, y, width, height = millionths(WHOLE if region is None else region)
    columns, rows = _cuts(x, width, tiles[0]), _cuts(y, height, tiles[1])
    return tuple(
        (left / _MILLION, top / _MILLION, wide / _MILLION, high / _MILLION)
        for top, high in rows
        for left, wide in columns
    )


def read_tiles(text: str) -> Tiles:
    """Return the tiles that a user writes, such as "3x2" for three columns and two rows.

    Raises:
        ValueError: they are none.
    """
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) < 6 for p in parts):
        raise ValueError(f"{text!r} is not columns and rows of tiles, expected such as 2x2")
    tiles = int(parts[0]), int(parts[1])
    check_tiles(tiles)
    return tiles


def is_too_small(error: ImageError) -> bool:
    """Return whether an error is that of `region_pixels`."""
    return error.code.endswith(f".{TOO_SMALL}")


def of_picture(error: ImageError, name: object) -> ImageError:
    """Return the same error about the picture of that name."""
    size = error.subject.removeprefix(_SUBJECT)
    return ImageError(
        name,
        got=f"{error.got} of {size}",
        expected=error.expected,
        next_step=error.next_step,
        detail=TOO_SMALL,
    )


def region_text(region: Region) -> str:
    """Return it as the option takes it, such as "0.25,0,0.5,1"."""
    return ",".join(f"{part / _MILLION:.6f}".rstrip("0").rstrip(".") for part in millionths(region))


def read_region(text: str) -> Region:
    """Return the region that `region_text` wrote, or a user.

    Raises:
        ValueError: it is none.
    """
    try:
        x, y, width, height = map(float, text.split(","))
    except ValueError:
        raise ValueError(
            f"{text!r} is not a region, expected x,y,width,height such as 0.25,0.1,0.5,0.4"
        ) from None
    millionths((x, y, width, height))
    return x, y, width, height


def _cuts(begin: int, length: int, count: int) -> list[tuple[int, int]]:
    """Return where each of some tiles begins along a side, and how long it is, in millionths."""
    lengths = TILE_STEP * (count - 1) + TILE_LENGTHS

    def cut(number: int) -> int:
        return begin + (2 * number * length + lengths) // (2 * lengths)

    return [
        (cut(first), cut(first + TILE_LENGTHS) - cut(first))
        for first in range(0, TILE_STEP * count, TILE_STEP)
    ]


def _least(pixels: int, part: int) -> int:
    # Edges are rounded to pixels, which may cost the region one.
    return pixels if part == _MILLION else -(-(pixels + 1) * _MILLION // part)


def _edge(part: int, pixels: int) -> int:
    return (2 * part * pixels + _MILLION) // (2 * _MILLION)
