"""Units that can be converted into each other without a doubt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class _Unit:
    """A unit: base = value * factor + offset, in the quantity's base unit."""

    quantity: str
    factor: float
    offset: float = 0.0


_UNITS: dict[str, _Unit] = {
    **{name: _Unit("pressure", factor) for name, factor in (
        ("Pa", 1.0), ("hPa", 100.0), ("mbar", 100.0), ("kPa", 1e3), ("bar", 1e5), ("MPa", 1e6),
    )},
    **{name: _Unit("length", factor) for name, factor in (
        ("mm", 1e-3), ("cm", 1e-2), ("dm", 0.1), ("m", 1.0), ("km", 1e3),
    )},
    **{name: _Unit("mass", factor) for name, factor in (
        ("mg", 1e-6), ("g", 1e-3), ("kg", 1.0), ("t", 1e3),
    )},
    **{name: _Unit("volume", factor) for name, factor in (
        ("ml", 1e-3), ("mL", 1e-3), ("cl", 1e-2), ("l", 1.0), ("L", 1.0), ("m³", 1e3), ("m3", 1e3),
    )},
    **{name: _Unit("time", factor) for name, factor in (
        ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0),
    )},
    **{name: _Unit("voltage", factor) for name, factor in (
        ("mV", 1e-3), ("V", 1.0), ("kV", 1e3),
    )},
    **{name: _Unit("current", factor) for name, factor in (
        ("mA", 1e-3), ("A", 1.0), ("kA", 1e3),
    )},
    **{name: _Unit("power", factor) for name, factor in (
        ("mW", 1e-3), ("W", 1.0), ("kW", 1e3), ("MW", 1e6),
    )},
    **{name: _Unit("angle", 1.0) for name in ("°", "deg")},
    "°C": _Unit("temperature", 1.0),
    "°F": _Unit("temperature", 5 / 9, -32 * 5 / 9),
    "K": _Unit("temperature", 1.0, -273.15),
}  # fmt: skip
"""By the exact letters: mW and MW differ by a billion."""


def converted(value: float, unit: str, wanted: str) -> float | None:
    """Return a value in another unit; None where that is not known for certain.

    >>> converted(250.0, "kPa", "bar"), converted(212.0, "°F", "°C"), converted(1.0, "kPa", "m")
    (2.5, 100.0, None)
    """
    if unit == wanted:
        return value
    source, target = _UNITS.get(unit), _UNITS.get(wanted)
    if source is None or target is None or source.quantity != target.quantity:
        return None
    base = value * source.factor + source.offset
    # Factors such as 5/9 are not exact in binary; nobody reads a gauge to twelve digits.
    return float(f"{(base - target.offset) / target.factor:.12g}")


def rule(unit: str, wanted: str) -> str:
    """Return how a unit is converted, in words; both are of one quantity.

    >>> rule("kPa", "bar"), rule("K", "°C")
    ('1 kPa = 0.01 bar', '0 K = -273.15 °C, 100 K = -173.15 °C')
    """
    zero, one = converted(0.0, unit, wanted), converted(1.0, unit, wanted)
    hundred = converted(100.0, unit, wanted)
    if not zero:
        return f"1 {unit} = {one:g} {wanted}"
    return f"0 {unit} = {zero:g} {wanted}, 100 {unit} = {hundred:g} {wanted}"
