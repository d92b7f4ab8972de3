"""Ctrl-C where Python drops it."""

from __future__ import annotations

import _thread
import sys
import threading
from functools import partial

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from sys import UnraisableHookArgs

_DELAY = 0.05
"""Seconds until an interrupt is raised again: by then, the callback has returned."""


def raise_dropped_interrupts() -> Callable[[], None]:
    """Raise a `KeyboardInterrupt` again if it came in a callback or a finalizer, where Python prints and drops it.

    Every import runs such a callback, so that one Ctrl-C in hundreds is lost while a session starts.  Called again
    after something else has replaced `sys.unraisablehook`.  Returns what puts back the hook that was there.
    """
    following = sys.unraisablehook

    def note(unraisable: UnraisableHookArgs, /) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            again = threading.Timer(_DELAY, _thread.interrupt_main)
            again.daemon = True
            again.start()
        else:
            following(unraisable)

    sys.unraisablehook = note
    return partial(setattr, sys, "unraisablehook", following)
