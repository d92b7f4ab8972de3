"""One known finding, and whether a finding of a session is that one."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from pytest_ftc.model import Cause, Finding, Verdict, Verification
from pytest_ftc.model.cause import GUESSES, NO_VARIATIONS
from pytest_ftc.model.notes import is_in_published
from pytest_ftc.model.verification import DiagnosisMode
from pytest_ftc.reporting.baseline.fingerprint import fingerprint, steady
from pytest_ftc.reporting.findings import findings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One finding that is known."""

    fingerprint: str
    artifact: str
    """Id of the artifact."""
    output: str
    location: str
    cause: str
    confirmed: bool = True
    """Whether builds have confirmed the cause: another session may name it otherwise if not."""
    diagnose: DiagnosisMode = DiagnosisMode.FULL
    """How the session that found it diagnosed: with less than ``full`` one finding may stand for several."""
    owner: str = ""
    reason: str = ""
    expires: datetime.date | None = None
    """From the day after, it fails."""


KEYS = tuple(field.name for field in fields(Known))
REQUIRED = KEYS[:5]


def plain(text: str) -> str:
    """Return `text` as a file of UTF-8 can hold it: bytes that are none as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def known_of(verification: Verification, diagnose: DiagnosisMode) -> dict[str, Known]:
    """Return what a baseline would know of `verification`, by fingerprint; only differences can be known."""
    if verification.verdict is not Verdict.UNREPRODUCIBLE:
        return {}
    found = {fingerprint(verification.id, finding): finding for finding in findings_of(verification)}
    return {name: _describe(name, verification.id, finding, diagnose) for name, finding in found.items()}


def _describe(name: str, artifact: str, finding: Finding, diagnose: DiagnosisMode) -> Known:
    return Known(
        fingerprint=name,
        artifact=plain(artifact),
        output=plain(" › ".join(filter(None, (finding.output, finding.member)))),
        location=plain(finding.location),
        cause=plain(finding.cause),
        confirmed=finding.confirmed,
        diagnose=diagnose,
    )


def match(entries: Iterable[Known], found: Mapping[str, Known]) -> tuple[dict[str, Known], dict[str, list[Known]]]:
    """Return the entries that `found` findings of one artifact are, by the findings' fingerprints.

    The first of the two are the same to the letter.  In the second are those that the finding may be under another
    name, since the two sessions did not diagnose alike, or a cause was not confirmed in one of them.
    """
    own = {entry.fingerprint: entry for entry in entries}
    exact = {name: own[name] for name in found if name in own}
    others = {
        name: [one for one in own.values() if _may_be(one, finding, taken=one.fingerprint in exact)]
        for name, finding in found.items()
        if name not in exact
    }
    return exact, {name: candidates for name, candidates in others.items() if candidates}


def _may_be(entry: Known, finding: Known, *, taken: bool) -> bool:
    """Return whether `finding` may match `entry`; `taken` if another finding matches it already."""
    if _is_published(entry) != _is_published(finding) or _output(entry) != _output(finding):
        return False
    same_member = steady(entry.output) == steady(finding.output)
    if finding.diagnose.is_deeper_than(entry.diagnose):
        return entry.diagnose is DiagnosisMode.OFF or same_member
    if finding.cause in GUESSES and not finding.confirmed and entry.diagnose.is_deeper_than(finding.diagnose):
        return finding.diagnose is DiagnosisMode.OFF or same_member
    return same_member and not taken and not (entry.confirmed and finding.confirmed) and _differ(entry, finding)


def _differ(entry: Known, finding: Known) -> bool:
    """Return whether the two may be one thing of which one session knew the cause, and the other did not."""
    return entry.confirmed or finding.confirmed or Cause.UNKNOWN in (entry.cause, finding.cause)


def is_fixed(entry: Known, verification: Verification, found: Iterable[Known]) -> bool:
    """Return whether `entry`, which was not `found`, is fixed: whether it would have been found here."""
    if verification.verdict not in (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE):
        return False
    if verification.verdict is Verdict.UNREPRODUCIBLE and _is_published(entry):
        # Builds that do not agree with each other are not compared with what was published.
        return any(_is_published(finding) for finding in found)
    if any(finding.diagnose is not DiagnosisMode.FULL and _output(entry) == _output(finding) for finding in found):
        return False  # a finding without a full diagnosis may hide it
    return entry.cause in NO_VARIATIONS or _is_published(entry) or entry.cause in verification.varied


def _is_published(entry: Known) -> bool:
    return is_in_published(entry.location)


def _output(entry: Known) -> str:
    return steady(entry.output.partition(" › ")[0])


def render(entry: Known) -> str:
    """Return `entry` as a table of TOML."""
    values = {key: value for key in KEYS if (value := written_value(entry, key)) is not None}
    return "\n".join(["[[known]]", *(f"{key} = {_show(value)}" for key, value in values.items())]) + "\n"


def written_value(entry: Known, key: str) -> str | bool | datetime.date | None:
    """Return the value that the file has for `key`; None where the key is left out."""
    value: str | bool | datetime.date | None = getattr(entry, key)
    if isinstance(value, bool):
        return None if value else value
    return value if key in REQUIRED or (value and value is not DiagnosisMode.FULL) else None


def _show(value: str | bool | datetime.date) -> str:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return quote(value) if isinstance(value, str) else str(value).lower()


def quote(text: str) -> str:
    """Return `text` as a string of TOML; what does not print, or reorders a line, as escapes."""
    shown = json.dumps(plain(text), ensure_ascii=False)
    return "".join(one if one.isprintable() else _escape(ord(one)) for one in shown)


def _escape(point: int) -> str:
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
