"""Points at which tests make the store fail or crash: each step that changes files on disk."""

from __future__ import annotations

from collections.abc import Callable

_hook: Callable[[str], None] | None = None


def crash_point(name: str) -> None:
    """Mark a step; this does nothing unless a test has installed a hook."""
    if _hook is not None:
        _hook(name)


def inject(hook: Callable[[str], None] | None) -> None:
    """Call `hook` with the name of every step in this process; None removes the hook."""
    global _hook
    _hook = hook
