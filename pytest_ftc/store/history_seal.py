"""The seal of the history: a file beside the database, authenticated with the store's key, that names the last row.

Each row has an authentication code that covers the code of the previous row.  So no row can be changed, and none
removed from the middle.  Only the seal reveals that rows at the end were removed.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from pytest_ftc.model.support.serialization import from_json, to_json


class SealError(Exception):
    """The history does not match its seal; the message says why."""


class End(NamedTuple):
    """The last row of a chain."""

    number: int
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The state that a history must have."""

    generation: str
    """A random value for each new history."""
    bases: tuple[str, ...] = ("",)
    """Codes that the first row may follow; more than one while rows are being removed."""
    last: int = 0
    """The number of the last row."""
    tip: str = ""
    """Its code."""
    adopted: int = 0
    """The number of the last row that an earlier version wrote without a code."""

    @classmethod
    def new(cls) -> Seal:
        """Return the seal of an empty history."""
        return cls(generation=secrets.token_hex(8))

    def reaching(self, end: End) -> Seal:
        """Return the seal of this history with `end` as its last row."""
        return replace(self, last=end.number, tip=end.code)


class SealKeeper:
    """Reads and writes the seal in `file`, authenticated with `key`, and computes the codes of rows."""

    def __init__(self, file: Path, key: bytes) -> None:
        self._file = file
        self._key = key

    def read(self) -> Seal | None:
        """Return the seal; None if there is no file.  Raises SealError and OSError."""
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            return None
        name, _, rest = data.partition(b"\n")
        code, _, body = rest.partition(b"\n")
        if not hmac.compare_digest(code, self._code("seal", body)):
            raise SealError("was written under another key" if name != self._code("key", b"")[:16] else "was damaged")
        try:
            return from_json(Seal, json.loads(body))
        except (KeyError, TypeError, ValueError) as error:
            raise SealError("was damaged") from error

    def write(self, seal: Seal) -> None:
        """Replace the seal with `seal`; a power failure may restore the previous one.  Raises OSError."""
        body = json.dumps(to_json(seal)).encode()
        part = self._file.with_name(f"{self._file.name}.{os.getpid()}-{secrets.token_hex(4)}")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(b"\n".join((self._code("key", b"")[:16], self._code("seal", body), body)))
            part.replace(self._file)
        finally:
            with contextlib.suppress(OSError):
                part.unlink()

    def follow(self, seal: Seal, end: End, row: Sequence[object]) -> End:
        """Return the end of the chain of `seal` after appending `row` to `end`."""
        text = json.dumps([seal.generation, end.code, end.number + 1, *row], separators=(",", ":"), default=str)
        return End(end.number + 1, self._code("row", text.encode("utf-8", "surrogateescape")).decode())

    def check_chain(self, rows: Iterable[Sequence[Any]], seal: Seal) -> None:
        """Check that `rows`, each with its number first and its code last, match `seal`; further rows may follow.

        Raises SealError.
        """
        reached = seal.last == 0
        before = seal.bases
        for number, *row, code in rows:
            if not any(code == self.follow(seal, End(number - 1, base), row).code for base in before):
                raise SealError("was damaged")
            before = (code,)
            reached |= number == seal.last and code == seal.tip
        if not reached:
            raise SealError("was damaged")

    def _code(self, kind: str, data: bytes) -> bytes:
        return hmac.digest(self._key, f"pytest-ftc history {kind}\0".encode() + data, "sha256").hex().encode()
