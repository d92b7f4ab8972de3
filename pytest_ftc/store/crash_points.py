"""Where a test may let the store fail or die: at every step that changes what is on the disk."""

from __future__ import annotations

from collections.abc import Callable

_hook: Callable[[str], None] | None = None


def crash_point(name: str) -> None:
    """Mark a step; nothing happens here unless a test has asked for it."""
    if _hook is not None:
        _hook(name)


def inject(hook: Callable[[str], None] | None) -> None:
    """Have `hook` called at every step of this process with the step's name; None ends it."""
    global _hook
    _hook = hook
