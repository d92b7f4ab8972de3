"""One known finding, and how findings of a session are matched with it."""

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
    """One known finding."""

    fingerprint: str
    artifact: str
    """Id of the artifact."""
    output: str
    location: str
    cause: str
    confirmed: bool = True
    """Whether builds have confirmed the cause; if not, another session may name a different one."""
    diagnose: DiagnosisMode = DiagnosisMode.FULL
    """The mode of the session that found it; with less than ``full``, one finding may cover several."""
    owner: str = ""
    reason: str = ""
    expires: datetime.date | None = None
    """The last day on which it is accepted."""


KEYS = tuple(field.name for field in fields(Known))
REQUIRED = KEYS[:5]


def plain(text: str) -> str:
    """Return `text` as valid UTF-8, with other bytes escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def known_of(verification: Verification, diagnose: DiagnosisMode) -> dict[str, Known]:
    """Return the baseline entries for the findings of `verification`, by fingerprint; empty for other verdicts."""
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
    """Match the `found` findings of one artifact with `entries`; both results are keyed by the finding's fingerprint.

    The first result holds entries with the same fingerprint.  The second holds entries that may be the same finding
    under another name, because the sessions used different modes of diagnosis or one did not confirm the cause.
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
    """Return whether `finding` may match `entry`; `taken` if another finding already matches it."""
    if _is_published(entry) != _is_published(finding) or _output(entry) != _output(finding):
        return False
    same_member = steady(entry.output) == steady(finding.output)
    if finding.diagnose.is_deeper_than(entry.diagnose):
        return entry.diagnose is DiagnosisMode.OFF or same_member
    if finding.cause in GUESSES and not finding.confirmed and entry.diagnose.is_deeper_than(finding.diagnose):
        return finding.diagnose is DiagnosisMode.OFF or same_member
    return same_member and not taken and not (entry.confirmed and finding.confirmed) and _differ(entry, finding)


def _differ(entry: Known, finding: Known) -> bool:
    """Return whether the two may be one finding whose cause only one of the sessions knew."""
    return entry.confirmed or finding.confirmed or Cause.UNKNOWN in (entry.cause, finding.cause)


def is_fixed(entry: Known, verification: Verification, found: Iterable[Known]) -> bool:
    """Return whether `entry`, which is not in `found`, is fixed: whether this session would have found it."""
    if verification.verdict not in (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE):
        return False
    if verification.verdict is Verdict.UNREPRODUCIBLE and _is_published(entry):
        # Builds that differ from each other are not compared with the published files.
        return any(_is_published(finding) for finding in found)
    if any(finding.diagnose is not DiagnosisMode.FULL and _output(entry) == _output(finding) for finding in found):
        return False  # a finding without a full diagnosis may hide it
    return entry.cause in NO_VARIATIONS or _is_published(entry) or entry.cause in verification.varied


def _is_published(entry: Known) -> bool:
    return is_in_published(entry.location)


def _output(entry: Known) -> str:
    return steady(entry.output.partition(" › ")[0])


def render(entry: Known) -> str:
    """Return `entry` as a TOML table."""
    values = {key: value for key in KEYS if (value := written_value(entry, key)) is not None}
    return "\n".join(["[[known]]", *(f"{key} = {_show(value)}" for key, value in values.items())]) + "\n"


def written_value(entry: Known, key: str) -> str | bool | datetime.date | None:
    """Return the value of `key` in the file; None if the key is omitted."""
    value: str | bool | datetime.date | None = getattr(entry, key)
    if isinstance(value, bool):
        return None if value else value
    return value if key in REQUIRED or (value and value is not DiagnosisMode.FULL) else None


def _show(value: str | bool | datetime.date) -> str:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return quote(value) if isinstance(value, str) else str(value).lower()


def quote(text: str) -> str:
    """Return `text` as a TOML string, with unprintable and bidirectional characters escaped."""
    shown = json.dumps(plain(text), ensure_ascii=False)
    return "".join(one if one.isprintable() else _escape(ord(one)) for one in shown)


def _escape(point: int) -> str:
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
