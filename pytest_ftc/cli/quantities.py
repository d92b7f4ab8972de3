"""Sizes and durations on the command line, as types for argparse."""

from __future__ import annotations

import argparse

from pytest_ftc.model.support.limits import read_size


def duration(text: str) -> float:
    """Return the seconds of `text`, such as ``30d`` or ``12h``."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
    number, unit = text[:-1], units.get(text[-1:])
    if unit is None or not (number.isascii() and number.isdigit()):
        raise argparse.ArgumentTypeError(f"invalid duration {text!r}; expected a number with s, m, h, d or w")
    return float(int(number) * unit)


def size(text: str) -> int:
    """Return the bytes of `text`, such as ``10G``; the units are powers of 1024."""
    found = read_size(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"invalid size {text!r}; expected bytes, or a number with K, M or G")
    return found


def rate(text: str) -> float:
    """Return the bytes a second of `text`, such as ``20MB/s``, ``20M`` or ``500K``; the units are those of `size`."""
    try:
        found = size(text.removesuffix("/s").removesuffix("B"))
    except argparse.ArgumentTypeError:
        found = 0
    if not found:
        raise argparse.ArgumentTypeError(f"invalid rate {text!r}; expected bytes a second, such as 20MB/s or 500K")
    return float(found)


def count(text: str) -> int:
    """Return the whole number above 0 in `text`."""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= 1000 and len(text) < 9):
        raise argparse.ArgumentTypeError(f"invalid number {text!r}; expected a whole number from 1 to 1000")
    return int(text)
