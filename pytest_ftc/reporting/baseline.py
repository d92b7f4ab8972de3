"""The baseline: findings that are known, and do not fail; new ones do.  A file of TOML that people review."""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pytest_ftc.errors import ConfigurationError
from pytest_ftc.model import Verdict, Verification
from pytest_ftc.reporting.findings import findings_of
from pytest_ftc.reporting.fingerprint import fingerprint

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_HEAD = """\
# Known findings of pytest --ftc-verify: they do not fail, new ones do.  pytest --ftc-verify --ftc-update-baseline
# writes them; owner, reason and expires (a date such as 2027-01-31, after which they fail) are yours, and stay.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One finding that is known."""

    fingerprint: str
    artifact: str
    """Id of the artifact."""
    output: str
    location: str
    cause: str
    owner: str = ""
    reason: str = ""
    expires: datetime.date | None = None
    """From the day after, it fails."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the findings of one artifact stand to the baseline."""

    known: int
    new: int
    expired: tuple[Known, ...]
    fixed: tuple[Known, ...]
    """Known findings that were not found any more."""

    @property
    def accepted(self) -> bool:
        """Whether there is nothing but what is known."""
        return not self.new and not self.expired


class Baseline:
    """The known findings."""

    def __init__(self, entries: Iterable[Known] = ()) -> None:
        self._entries = {entry.fingerprint: entry for entry in entries}

    def fingerprints(self, today: datetime.date) -> frozenset[str]:
        """Return those that do not fail `today`."""
        return frozenset(name for name, entry in self._entries.items() if not _is_over(entry, today))

    def judge(self, verification: Verification, today: datetime.date) -> Standing:
        """Return how the findings of `verification` stand to what is known."""
        found = _fingerprints(verification)
        known = [self._entries[name] for name in found if name in self._entries]
        own = [entry for entry in self._entries.values() if entry.artifact == verification.id]
        telling = verification.verdict in (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE)
        return Standing(
            known=len(known),
            new=len(found) - len(known),
            expired=tuple(entry for entry in known if _is_over(entry, today)),
            fixed=tuple(entry for entry in own if entry.fingerprint not in found) if telling else (),
        )

    def updated(self, verifications: Sequence[Verification], today: datetime.date) -> Baseline:
        """Return a baseline that knows what was found, and no more what is fixed; all else stays as it is."""
        gone = {entry.fingerprint for one in verifications for entry in self.judge(one, today).fixed}
        kept = [entry for entry in self._entries.values() if entry.fingerprint not in gone]
        new = {
            name: known
            for one in verifications
            for name, known in _fingerprints(one).items()
            if name not in self._entries
        }
        return Baseline([*kept, *new.values()])

    def render(self) -> str:
        """Return the file: sorted, one table a finding, so that a change of it is easily reviewed."""
        ordered = sorted(self._entries.values(), key=lambda entry: (entry.artifact, entry.output, entry.cause))
        return _HEAD + "".join(_render(entry) for entry in ordered)


def load_baseline(path: Path) -> Baseline:
    """Return the baseline in the file `path`.  Raises ConfigurationError."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"baseline: {path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path.name}: not valid TOML: {error}") from error
    known = tables.get("known", [])
    if set(tables) - {"known"} or not isinstance(known, list):
        raise ConfigurationError(f"{path.name}: expected tables [[known]] and nothing else")
    return Baseline([_read(path.name, number, table) for number, table in enumerate(known, start=1)])


def _read(file: str, number: int, table: Any) -> Known:
    where = f"{file}: [[known]] number {number}"
    if not isinstance(table, dict):
        raise ConfigurationError(f"{where}: expected a table")
    names = [field.name for field in fields(Known)]
    for key, value in table.items():
        if key not in names:
            raise ConfigurationError(f"{where}: unknown key {key!r}; valid keys: {', '.join(names)}")
        _check(where, key, value)
    for key in names[:5]:
        if key not in table:
            raise ConfigurationError(f"{where}: key {key!r} is missing; --ftc-update-baseline writes it")
    return Known(**table)


def _check(where: str, key: str, value: object) -> None:
    if key == "expires":
        if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
            raise ConfigurationError(f"{where}: expires: expected a date such as 2027-01-31, found {value!r}")
    elif not isinstance(value, str):
        raise ConfigurationError(f"{where}: {key}: expected text, found {value!r}")


def _fingerprints(verification: Verification) -> dict[str, Known]:
    if verification.verdict is not Verdict.UNREPRODUCIBLE:
        return {}
    found = {fingerprint(verification.id, finding): finding for finding in findings_of(verification)}
    return {
        name: Known(
            fingerprint=name,
            artifact=verification.id,
            output=" › ".join(filter(None, (finding.output, finding.member))),
            location=finding.location,
            cause=finding.cause,
        )
        for name, finding in found.items()
    }


def _is_over(entry: Known, today: datetime.date) -> bool:
    return entry.expires is not None and entry.expires < today


def _render(entry: Known) -> str:
    lines = ["", "[[known]]"]
    for field in fields(Known):
        value = getattr(entry, field.name)
        if isinstance(value, datetime.date):
            lines.append(f"{field.name} = {value.isoformat()}")
        elif value:
            lines.append(f"{field.name} = {_quote(value)}")
        elif field.name in ("location", "output"):
            lines.append(f'{field.name} = ""')
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    """Return `text` as a string of TOML, which is one of JSON where there are no surrogates."""
    harmless = text.encode("utf-8", "backslashreplace").decode()
    return json.dumps(harmless, ensure_ascii=False).replace("\x7f", "\\u007f")


def describe_standings(standings: Mapping[str, Standing], file: str) -> list[str]:
    """Return what a session says of its baseline, one sentence each."""
    known = sum(standing.known for standing in standings.values())
    new = sum(standing.new for standing in standings.values())
    expired = [entry for standing in standings.values() for entry in standing.expired]
    fixed = [entry for standing in standings.values() for entry in standing.fixed]
    told = [f"{known} known, {new} new, {len(fixed)} fixed ({file})"] if known or fixed else []
    told += [f"expired on {entry.expires}: {entry.artifact}, {entry.cause} in {entry.output}" for entry in expired]
    told += [f"fixed: {entry.artifact}, {entry.cause} in {entry.output}" for entry in fixed[:10]]
    if fixed:
        told.append("--ftc-update-baseline removes what is fixed")
    return told
