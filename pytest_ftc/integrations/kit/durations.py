"""Durations as Prometheus writes them, divided for an exercise that takes minutes instead of days."""

from __future__ import annotations

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def divide(duration: str, haste: float, shortest: float = 0.0) -> str:
    """Return `duration`, of one unit such as ``5m``, divided by `haste`, but at least `shortest` seconds."""
    seconds = int(duration[:-1]) * _UNITS[duration[-1]] / haste
    return duration if haste == 1 else f"{round(max(shortest, seconds, 0.001) * 1000)}ms"
