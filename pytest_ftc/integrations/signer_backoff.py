"""Exponential backoff of signers that failed: the wait doubles with each failure, and is kept between sessions."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftc.model.support.atomic_file import replace_file

_FIRST, _LONGEST = 60.0, 3600.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last: float
    why: str


class SignerBackoff:
    """The failures of signers, in `file`.  A file that cannot be read or written only costs another attempt."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def why_not_now(self, uri: str) -> str:
        """Return why the signer is not asked now; empty if it may be."""
        failures = self._read().get(uri)
        if failures is None:
            return ""
        passed = time.time() - failures.last
        left = min(_FIRST * 2 ** min(failures.count - 1, 30), _LONGEST) - passed
        # A time in the future says nothing: the clock was set back.
        if left <= 0 or passed < 0:
            return ""
        return f"{failures.why} (asked again in {max(1, round(left / 60))} min)"

    def failed(self, uri: str, why: str) -> None:
        """Remember that the signer failed now."""
        known = self._read()
        before = known.get(uri)
        self._write({**known, uri: _Failures((before.count if before else 0) + 1, time.time(), why)})

    def worked(self, uri: str) -> None:
        """Forget the failures of the signer."""
        known = self._read()
        if uri in known:
            self._write({other: failures for other, failures in known.items() if other != uri})

    def _read(self) -> dict[str, _Failures]:
        try:
            document: Any = json.loads(self._file.read_bytes())
            return {
                str(uri): _Failures(max(1, int(one["count"])), float(one["last"]), str(one["why"])[:500])
                for uri, one in document.items()
            }
        except (AttributeError, KeyError, OSError, OverflowError, RecursionError, TypeError, ValueError):
            return {}

    def _write(self, known: dict[str, _Failures]) -> None:
        document = {uri: {"count": one.count, "last": one.last, "why": one.why} for uri, one in known.items()}
        try:
            replace_file(self._file, json.dumps(document).encode(), mode=0o600)
        except OSError:
            return
