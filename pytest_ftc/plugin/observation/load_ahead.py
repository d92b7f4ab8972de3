"""Importing, while builds run, what is needed once they have ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache


def loading_ahead(waiting: Callable[[], None]) -> Callable[[], None]:
    """Return `waiting`, which is called while builds run, so that its first call imports what follows them too."""

    def wait() -> None:
        _load()
        waiting()

    return wait


@cache
def _load() -> None:
    from rich import console, text  # noqa: F401

    from pytest_ftc.comparison import real_dates  # noqa: F401
    from pytest_ftc.reporting.terminal import layout, summary  # noqa: F401
