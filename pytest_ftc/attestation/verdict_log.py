"""The log of all verdicts: an append-only Merkle tree in a file, so that removing or changing one is detected.

Each line of the file is a leaf.  The head holds the number of leaves, the root hash and the hashes from which the next
root follows, so that appending does not read what is there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftc.attestation.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    is_included,
    join_roots,
    leaf_hash,
    root_hash,
)
from pytest_ftc.attestation.strict_json import DocumentError, field, parse_object
from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.file_lock import locked

_MOST_LEAF_BYTES = 1 << 20


class LogError(DocumentError):
    """The log lost or changed a leaf, or its head does not fit."""


@dataclass(frozen=True, slots=True)
class Head:
    """The state of the log."""

    size: int
    """How many leaves there are."""
    root: bytes
    length: int = 0
    """Bytes of the file of leaves."""
    peaks: tuple[bytes, ...] = ()
    """The roots of the complete trees that it consists of, the largest first."""

    def grown_by(self, leaves: Sequence[bytes]) -> Head:
        """Return the head after `leaves` were appended, each with its newline."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            peaks.append(leaf_hash(leaf))
            # As many trees of equal size are joined as the number of leaves has trailing ones in binary.
            for _ in range(((size + 1) ^ size).bit_length() - 1):
                right = peaks.pop()
                peaks.append(join_roots([peaks.pop(), right]))
            size += 1
        length = self.length + sum(len(leaf) + 1 for leaf in leaves)
        return Head(size, join_roots(peaks), length, tuple(peaks))


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Proof that a leaf is in the log."""

    leaf: bytes
    index: int
    size: int
    root: bytes
    hashes: tuple[bytes, ...]

    @property
    def holds(self) -> bool:
        return is_included(leaf_hash(self.leaf), self.index, self.size, self.hashes, self.root)

    def to_json(self) -> dict[str, Any]:
        """Return the proof as JSON values, hashes in hexadecimal."""
        return {
            "leaf": self.leaf.decode(),
            "index": self.index,
            "size": self.size,
            "root": self.root.hex(),
            "hashes": [one.hex() for one in self.hashes],
        }


def parse_proof(document: Mapping[str, Any]) -> InclusionProof:
    """Return the proof that `to_json` wrote.  Raises DocumentError."""
    values, what = dict(document), "inclusion proof"
    hashes = field(values, "hashes", list, what)
    try:
        return InclusionProof(
            field(values, "leaf", str, what).encode(),
            field(values, "index", int, what),
            field(values, "size", int, what),
            bytes.fromhex(field(values, "root", str, what)),
            tuple(bytes.fromhex(one) for one in hashes),
        )
    except (TypeError, ValueError) as error:
        raise DocumentError(f"{what}: {error}") from None


@dataclass(frozen=True, slots=True)
class Contents:
    """The leaves of a log, which have the root hash of its head."""

    head: Head
    leaves: Sequence[bytes]
    hashes: Sequence[bytes]

    def prove(self, index: int) -> InclusionProof:
        """Return the proof that leaf `index` is in the log.  Raises LogError."""
        if not 0 <= index < self.head.size:
            raise LogError(f"the log has no leaf {index}; it has {self.head.size}, counted from 0")
        proof = inclusion_proof(self.hashes, index)
        return InclusionProof(self.leaves[index], index, self.head.size, self.head.root, tuple(proof))

    def prove_consistency(self, size: int) -> list[bytes]:
        """Return the proof that the log begins with the `size` leaves it once had.  Raises LogError."""
        if not 0 < size <= self.head.size:
            raise LogError(f"the log has {self.head.size} leaves, and not the {size} it once had")
        return consistency_proof(self.hashes, size)

    def find(self, matches: Callable[[Mapping[str, Any]], bool]) -> int | None:
        """Return the index of the newest leaf that `matches`; None where there is none."""
        for index in reversed(range(self.head.size)):
            if matches(parse_object(self.leaves[index], "leaf")):
                return index
        return None


def _parse_head(document: dict[str, Any]) -> Head:
    what = "head of the log"
    try:
        peaks = tuple(bytes.fromhex(one) for one in field(document, "peaks", list, what))
        root = bytes.fromhex(field(document, "root", str, what))
    except (TypeError, ValueError) as error:
        raise LogError(f"{what}: {error}") from None
    head = Head(field(document, "size", int, what), root, field(document, "length", int, what), peaks)
    if min(head.size, head.length) < 0 or len(peaks) != bin(head.size).count("1") or join_roots(peaks) != root:
        raise LogError(f"{what}: size, root and peaks do not fit each other: it was changed")
    return head


class VerdictLog:
    """The log in `folder`, which is made with the first verdict."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._leaves = folder / "leaves.jsonl"
        self._head = folder / "head.json"

    def append(self, entries: Sequence[Mapping[str, Any]]) -> Head:
        """Append `entries`, and return the new head.

        Raises StoreUnavailableError, and LogError when the log is damaged.
        """
        leaves = [json.dumps(entry, sort_keys=True, separators=(",", ":")).encode() for entry in entries]
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(self._folder / "lock"), open(self._leaves, "ab") as file:
                head = self._recover(file.fileno())
                file.write(b"".join(leaf + b"\n" for leaf in leaves))
                file.flush()
                os.fsync(file.fileno())
                grown = head.grown_by(leaves)
                self._write_head(grown)
                return grown
        except OSError as error:
            raise StoreUnavailableError(f"the log of verdicts cannot be written: {error.strerror or error}") from error

    def head(self) -> Head:
        """Return the head, of an empty log if there is none.  Raises LogError."""
        try:
            return _parse_head(parse_object(self._head.read_bytes(), "head of the log"))
        except FileNotFoundError:
            return Head(0, EMPTY_ROOT)
        except OSError as error:
            raise LogError(f"{self._head}: {error.strerror or error}") from None
        except LogError:
            raise
        except DocumentError as error:
            raise LogError(f"{error}: it was changed") from None

    def verify(self) -> Contents:
        """Read every leaf, and return them.  Raises LogError when a leaf was lost or changed."""
        head = self.head()
        try:
            with open(self._leaves, "rb") as file:
                length = os.fstat(file.fileno()).st_size
                data = file.read(min(head.length, length))
        except FileNotFoundError:
            length, data = 0, b""
        except OSError as error:
            raise LogError(f"{self._leaves}: {error.strerror or error}") from None
        if length and not self._head.exists():
            raise LogError("the log has leaves and no head: it was removed, or the first session was killed")
        leaves = data.split(b"\n")[:-1]
        if len(leaves) != head.size:
            raise LogError(f"the log has {len(leaves)} leaves, and its head counts {head.size}")
        if len(data) != head.length:
            raise LogError(f"the log has {length} bytes, and its head counts {head.length}")
        hashes = [leaf_hash(leaf) for leaf in leaves]
        if root_hash(hashes) != head.root:
            raise LogError("the leaves of the log do not have the root hash of its head: one was changed")
        return Contents(head, leaves, hashes)

    def _recover(self, descriptor: int) -> Head:
        """Return the head, with leaves that were written when a session was killed before it wrote the head."""
        head = self.head()
        length = os.fstat(descriptor).st_size
        if length < head.length:
            raise LogError(f"the log lost leaves: it has {length} bytes, and its head counts {head.length}")
        if length == head.length:
            return head
        grown = head.grown_by(list(self._read_from(head.length)))
        os.ftruncate(descriptor, grown.length)
        return grown

    def _read_from(self, offset: int) -> Iterator[bytes]:
        with open(self._leaves, "rb") as file:
            file.seek(offset)
            for line in file:
                if line.endswith(b"\n") and len(line) <= _MOST_LEAF_BYTES:
                    yield line[:-1]

    def _write_head(self, head: Head) -> None:
        document = {
            "size": head.size,
            "root": head.root.hex(),
            "length": head.length,
            "peaks": [one.hex() for one in head.peaks],
        }
        replace_file(self._head, json.dumps(document).encode())
