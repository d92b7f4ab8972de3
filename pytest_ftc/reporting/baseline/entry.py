"""One known finding, and how findings of a session are matched with it."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from pytest_ftc.model import Cause, Finding, Verdict, Verification
from pytest_ftc.model.cause import GUESSES, NO_VARIATIONS
from pytest_ftc.model.notes import is_in_published, locate_in_published
from pytest_ftc.model.verification import DiagnosisMode
from pytest_ftc.reporting.baseline.fingerprint import output_name, steady
from pytest_ftc.reporting.findings import findings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The known findings of one cause at one kind of place in an artifact."""

    artifact: str
    """Id of the artifact."""
    place: str
    """The kind of place: a location without its numbers."""
    cause: str
    count: int = 1
    """Number of files with such places; always 1 for what the container says of each member (times, modes, owners)."""
    outputs: tuple[str, ...] = ()
    """Names of the outputs; they count only where one of two sessions had a lesser diagnosis."""
    confirmed: bool = True
    """Whether builds have confirmed the cause; if not, another session may name a different one."""
    diagnose: DiagnosisMode = DiagnosisMode.FULL
    """The mode of the session that found it; with less than ``full``, one finding may cover several."""
    owner: str = ""
    reason: str = ""
    expires: datetime.date | None = None
    """The last day on which it is accepted."""
    numbered: bool = True
    """Whether files whose names differ in numbers alone count as several; files of earlier versions count them once."""

    @property
    def key(self) -> Key:
        """What identifies it across sessions."""
        return self.artifact, self.place, self.cause


Key = tuple[str, str, str]
KEYS = tuple(field.name for field in fields(Known))
REQUIRED = KEYS[:3]
_OF_EACH_MEMBER = re.compile(r"\b(?:[acm]time|crtime|mode|owner|[ug]id|[ug]name)$", re.IGNORECASE)


def plain(text: str) -> str:
    """Return `text` as valid UTF-8, with other bytes escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def groups_of(verification: Verification) -> dict[Key, list[Finding]]:
    """Return the findings of `verification` by cause and kind of place; empty for other verdicts."""
    groups: dict[Key, list[Finding]] = {}
    if verification.verdict is Verdict.UNREPRODUCIBLE:
        for finding in findings_of(verification):
            key = plain(verification.id), kind_of_place(finding.location), plain(finding.cause)
            groups.setdefault(key, []).append(finding)
    return groups


def kind_of_place(location: str) -> str:
    """Return `location` without its numbers; lines of any number are one kind of place."""
    return plain(steady(location))


def is_of_each_member(place: str) -> bool:
    """Return whether every member of a container has such a place, so that one more member is no new finding."""
    return bool(_OF_EACH_MEMBER.search(place.removesuffix(locate_in_published("")).rstrip()))


def known_of(verification: Verification, diagnose: DiagnosisMode) -> dict[Key, Known]:
    """Return the baseline entries for the findings of `verification`."""
    return {key: _describe(key, findings, diagnose) for key, findings in groups_of(verification).items()}


def _describe(key: Key, findings: list[Finding], diagnose: DiagnosisMode) -> Known:
    artifact, place, cause = key
    files = {(one.output, one.member) for one in findings}
    return Known(
        artifact=artifact,
        place=place,
        cause=cause,
        count=1 if is_of_each_member(place) else len(files),
        outputs=tuple(sorted({plain(output_name(one)) for one in findings})),
        confirmed=all(one.confirmed for one in findings),
        diagnose=diagnose,
    )


def count_for(entry: Known, findings: list[Finding]) -> int:
    """Return the number of `findings` as `entry` counts them."""
    if is_of_each_member(entry.place):
        return 1
    if entry.numbered:
        return len({(one.output, one.member) for one in findings})
    return len({(steady(output_name(one)), steady(one.member)) for one in findings})


Match = tuple[dict[Key, Known], dict[Key, list[Known]]]


def match(entries: Iterable[Known], found: Mapping[Key, Known], groups: Mapping[Key, list[Finding]]) -> Match:
    """Match the `found` findings of one artifact, which stand for these `groups`, with `entries`.

    The first result holds entries with the same key whose count suffices.  The second holds entries that together may
    be the same finding under another name, because the sessions used different modes of diagnosis or one did not
    confirm the cause.  Both are keyed by the finding's key.
    """
    own = {entry.key: entry for entry in entries}
    exact = {key: own[key] for key in found if key in own and count_for(own[key], groups[key]) <= own[key].count}
    others = {
        key: [one for one in own.values() if _may_be(one, finding, taken=one.key in found)]
        for key, finding in found.items()
        # More places in a session of the same diagnosis are new, whatever else is known.
        if key not in exact and not (key in own and own[key].diagnose is finding.diagnose)
    }
    return exact, {key: those for key, those in others.items() if _suffice(those, found[key], groups[key])}


def _suffice(entries: list[Known], finding: Known, findings: list[Finding]) -> bool:
    """Return whether `entries` together allow as many places as `finding` has."""
    if entries and DiagnosisMode.OFF in (finding.diagnose, *(entry.diagnose for entry in entries)):
        # Without a diagnosis, one finding stands for all places of an output.
        allowed = {steady(output) for entry in entries for output in entry.outputs}
        return {steady(output) for output in finding.outputs} <= allowed
    if all(entry.key == finding.key for entry in entries):
        return False
    return max(count_for(entry, findings) for entry in entries) <= sum(entry.count for entry in entries)


def _may_be(entry: Known, finding: Known, *, taken: bool) -> bool:
    """Return whether `finding` may match `entry`; `taken` if another finding already matches it."""
    if _is_published(entry) != _is_published(finding):
        return False
    if entry.key == finding.key:
        return True
    same_place = entry.place == finding.place
    if finding.diagnose.is_deeper_than(entry.diagnose):
        return entry.diagnose is DiagnosisMode.OFF or same_place
    if finding.cause in GUESSES and not finding.confirmed and entry.diagnose.is_deeper_than(finding.diagnose):
        return finding.diagnose is DiagnosisMode.OFF or same_place
    return same_place and not taken and not (entry.confirmed and finding.confirmed) and _differ(entry, finding)


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
    if any(finding.diagnose is not DiagnosisMode.FULL and _share_output(entry, finding) for finding in found):
        return False  # a finding without a full diagnosis may hide it
    return entry.cause in NO_VARIATIONS or _is_published(entry) or entry.cause in verification.varied


def _is_published(entry: Known) -> bool:
    return is_in_published(entry.place)


def _share_output(entry: Known, finding: Known) -> bool:
    ours = {steady(output) for output in entry.outputs}
    return not ours or not ours.isdisjoint(map(steady, finding.outputs))


def render(entry: Known) -> str:
    """Return `entry` as a TOML table."""
    values = {key: value for key in KEYS if (value := written_value(entry, key)) is not None}
    return "\n".join(["[[known]]", *(f"{key} = {show_value(value)}" for key, value in values.items())]) + "\n"


Value = str | bool | int | datetime.date | tuple[str, ...]


def written_value(entry: Known, key: str) -> Value | None:
    """Return the value of `key` in the file; None if the key is omitted."""
    value: Value | None = getattr(entry, key)
    if isinstance(value, bool):
        return None if value else value
    if key == "count":
        return value if value != 1 else None
    return value if key in REQUIRED or (value and value is not DiagnosisMode.FULL) else None


def show_value(value: Value) -> str:
    """Return `value` in TOML; several outputs have a line each."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, tuple):
        shown = [quote(one) for one in value]
        return f"[{shown[0]}]" if len(shown) == 1 else "\n".join(("[", *(f"    {one}," for one in shown), "]"))
    return quote(value) if isinstance(value, str) else str(value).lower()


def quote(text: str) -> str:
    """Return `text` as a TOML string, with unprintable and bidirectional characters escaped."""
    shown = json.dumps(plain(text), ensure_ascii=False)
    return "".join(one if one.isprintable() else _escape(ord(one)) for one in shown)


def _escape(point: int) -> str:
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
