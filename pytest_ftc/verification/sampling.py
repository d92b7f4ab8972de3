"""Sampling: a session verifies a subset of the artifacts, which depends on the commit and skips none for long."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.builds.inputs.source_state import current_commit
from pytest_ftc.model import Artifact
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.file_lock import locked
from pytest_ftc.model.support.serialization import from_json, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The sampling record of one artifact."""

    left_out: int = 0
    """The number of consecutive sessions that skipped it."""
    verified: float | None = None
    """Time of the last verification, in seconds since 1970."""


_SINCE = "; last verified "
"""Stands in a reason before the time, which is written so that the earliest comes first in order."""


def count_left_out(reasons: Sequence[str]) -> list[str]:
    """Return how many artifacts were skipped for the same of the `reasons`, with the earliest time of all of them."""
    times: dict[str, list[str]] = {}
    for reason in reasons:
        why, _, when = reason.partition(_SINCE)
        times.setdefault(why, []).append(when)
    return [
        f"{len(found)} artifact{'s' * (len(found) > 1)}: {why}"
        + (f"{_SINCE}{min(found)} or later" if all(found) else "")
        for why, found in times.items()
    ]


def choose(
    artifacts: Sequence[Artifact], *, rate: float, commit: str, records: Mapping[str, Record], most_left_out: int
) -> frozenset[str]:
    """Return the IDs of the artifacts to verify: about the share `rate`, depending only on `commit` and ID.

    Critical artifacts, and those never verified or skipped `most_left_out` times in a row, are always included.
    """
    return frozenset(
        artifact.id
        for artifact in artifacts
        if artifact.critical
        or _is_due(records.get(artifact.id, Record()), most_left_out)
        or _draw(commit, artifact.id) < rate
    )


def _is_due(record: Record, most_left_out: int) -> bool:
    return record.verified is None or record.left_out >= most_left_out


def _draw(commit: str, name: str) -> float:
    """Return a number from 0 to 1, the same for the same texts."""
    digest = hashlib.sha256(f"{commit}\0{name}".encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / (1 << 64)


class Sampler:
    """Samples for one session in the project `root`; `folder` keeps the records of all projects."""

    def __init__(self, root: Path, folder: Path, *, rate: float, most_left_out: int) -> None:
        self._root = root
        self._file = folder / f"{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]}.json"
        self._rate = rate
        self._most_left_out = most_left_out
        self._records = self._load()
        self._chosen: frozenset[str] | None = None

    def choose(self, artifacts: Sequence[Artifact]) -> None:
        """Draw the sample from the artifacts that this session would verify."""
        commit = current_commit(self._root) if self._rate < 1 else ""
        self._chosen = choose(
            artifacts, rate=self._rate, commit=commit, records=self._records, most_left_out=self._most_left_out
        )

    def why_left_out(self, artifact: Artifact) -> str:
        """Return why `artifact` is skipped in this session, and when it was last verified; empty if it is verified."""
        if self._chosen is None or artifact.id in self._chosen:
            return ""
        record = self._records[artifact.id]
        assert record.verified is not None
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.verified))
        return f"not in this session's sample of {self._rate:.0%}{_SINCE}{when}"

    def remember(self, verified: Collection[str], due: Collection[str], left_out: Collection[str]) -> None:
        """Record which artifacts were verified, which are `due` because they did not pass, and which were skipped.

        Errors are ignored.
        """
        now = time.time()
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with locked(f"{self._file}.lock"):  # so that concurrent sessions do not overwrite each other's records
                records = self._load()
                records.update({name: Record(verified=now) for name in verified})
                records.update({name: Record() for name in due})
                for name in left_out:
                    before = records.get(name, Record())
                    records[name] = replace(before, left_out=before.left_out + 1)
                self._write(records)

    def _write(self, records: Mapping[str, Record]) -> None:
        data = json.dumps(to_json(records)).encode("utf-8", "surrogateescape")
        replace_file(self._file, data, mode=0o600, durable=False)

    def _load(self) -> dict[str, Record]:
        try:
            values: Mapping[str, object] = json.loads(self._file.read_bytes())
            return {name: from_json(Record, value) for name, value in values.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # Without records, everything is due.
            return {}
