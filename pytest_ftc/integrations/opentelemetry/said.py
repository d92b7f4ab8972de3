"""Why OpenTelemetry's exporters failed, which they only log."""

from __future__ import annotations

import logging
import threading

from pytest_ftc.model.support.printable import shorten


class Said(logging.Handler):
    """Keeps the last reason of those that this thread logs, and keeps it out of all other logs of this process."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.why = ""
        """It holds no secret; empty if nothing has failed."""
        self._thread = threading.get_ident()
        logger = logging.getLogger("opentelemetry")
        logger.addHandler(self)
        logger.propagate = False

    def take(self, error: BaseException) -> None:
        """Keep what the system says of `error`, or else its class."""
        self.why = _explain(error)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what `record` says.  Its text may hold the URL, with a password: only what is known is taken."""
        if record.thread != self._thread:
            return
        for one in record.args if isinstance(record.args, tuple) else ():
            if isinstance(one, BaseException):
                self.take(one)
            elif isinstance(one, int) and 100 <= one < 600:
                self.why = f"status {one}"
            elif isinstance(one, str) and record.msg.startswith("Transient error %s"):
                self.why = shorten(one, 80)
            else:
                continue
            break


def _explain(error: BaseException) -> str:
    """Return what the system says of `error`, or else its class."""
    deepest: BaseException | None = error
    while deepest is not None:
        if isinstance(deepest, OSError) and deepest.strerror:
            return deepest.strerror
        reason = deepest.args[0] if deepest.args else None
        inner = getattr(reason, "reason", reason)
        following = inner if isinstance(inner, BaseException) else deepest.__cause__ or deepest.__context__
        deepest = following if following is not deepest else None
    return type(error).__name__
