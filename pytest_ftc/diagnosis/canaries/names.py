"""Planted names: user, group, host, domain, kernel, locale, time zone, terminal and other variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace, Change
from pytest_ftc.diagnosis.canaries.planted import Planted
from pytest_ftc.diagnosis.canaries.suspicion import Sighting, shown
from pytest_ftc.diagnosis.canaries.values import Value, find_all, overlaps, spot_values, touches
from pytest_ftc.model import Cause, Strength, Suspicion
from pytest_ftc.model.timing.trace_context import TRACE_VARIABLES, TRACEPARENT, parse_traceparent

_CAUSES: Mapping[str, str] = {
    "TZ": Cause.TIMEZONE,
    "LANG": Cause.LOCALES,
    "LANGUAGE": Cause.LOCALES,
    "TERM": Cause.TERMINAL,
    "USER": Cause.USER_GROUP,
    "LOGNAME": Cause.USER_GROUP,
    "PYTHONHASHSEED": Cause.HASH_SEED,
    "PERL_HASH_SEED": Cause.HASH_SEED,
}
_ELSEWHERE = frozenset({"PATH", "HOME", "TMPDIR", "COLUMNS", "LINES"})
"""Variations whose values are paths or numbers, which other modules search for."""
_LONGEST = 2048
"""Bytes of a change in which stored numbers are searched for."""
_NOT_EMBEDDED = ", which belongs to one run and must not be embedded"
_CODE = re.compile(rb"(?i:lang|language|locale|lc_\w+)[\"']?[ \t]*[=:][ \t]*[\"']?(?P<code>[a-z]{2,3})(?![A-Za-z])")
_MOVED_CLOCK = (b"libfaketime", b"FAKETIME", b"LD_PRELOAD", b"NO_FAKE_STAT", b"verify_asan_link_order")


def find_names(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield the planted names in the differences of `place`."""
    yield from spot_values(place, list(dict.fromkeys(_values(control, experiment))), _forms)
    yield from spot_values(place, _traces(control, experiment), _forms_of_id)
    yield from _find_languages(place, control, experiment)
    yield from _find_moved_clock(place, control, experiment)


def find_owner(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield a user or group if the two values of `place` are those of the builds."""
    pairs = (
        (control.uid, experiment.uid, "the build's UID"),
        (control.gid, experiment.gid, "the build's GID"),
        (control.user, experiment.user, "the build's user name"),
        (control.group, experiment.group, "the build's group name"),
    )
    for own, theirs, what in pairs:
        if own != theirs and (place.control.strip(), place.experiment.strip()) == (_bytes(own), _bytes(theirs)):
            why = f"it contains {what}"
            yield Sighting(
                Suspicion(Cause.USER_GROUP, Strength.STRONG, shown(place.control), shown(place.experiment), why),
                frozenset({0}),
            )


def find_stored_owner(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield the user and group IDs that are stored as numbers of 16 or 32 bits, as in an inode or a header."""
    ids = ((control.uid, experiment.uid, "UID"), (control.gid, experiment.gid, "GID"))
    for (own, theirs, what), size, order in product(ids, (4, 2), ("little", "big")):
        if own is None or theirs is None or own == theirs or max(own, theirs) >> 8 * size:
            continue
        stored = own.to_bytes(size, order), theirs.to_bytes(size, order)  # type: ignore[arg-type]
        is_there = stored[0] in place.control and stored[1] in place.experiment
        for number, change in enumerate(place.changes if is_there else ()):
            if _is_stored(place, change, stored):
                why = f"it contains the build's {what}, stored in {8 * size} bits"
                suspicion = Suspicion(Cause.USER_GROUP, Strength.STRONG, stored[0].hex(), stored[1].hex(), why)
                yield Sighting(suspicion, frozenset({number}))


def _is_stored(place: AlignedPlace, change: Change, stored: tuple[bytes, bytes]) -> bool:
    size, ahead = len(stored[0]), change.theirs - change.start
    begin = max(0, change.start - size + 1, -ahead)
    return any(
        place.control.startswith(stored[0], at) and place.experiment.startswith(stored[1], at + ahead)
        for at in range(begin, min(change.end, change.start + _LONGEST))
    )


def _bytes(value: object) -> bytes:
    return str(value).encode("utf-8", "surrogateescape")


def _values(one: Planted, other: Planted) -> Iterator[Value]:
    yield Value(Cause.USER_GROUP, one.user, other.user, "the build's user name")
    yield Value(Cause.USER_GROUP, one.group, other.group, "the build's group name")
    if one.uid is not None and other.uid is not None:
        yield Value(Cause.USER_GROUP, str(one.uid), str(other.uid), "the build's UID")
    if one.gid is not None and other.gid is not None:
        yield Value(Cause.USER_GROUP, str(one.gid), str(other.gid), "the build's GID")
    yield Value(Cause.DOMAIN_HOST, one.host, other.host, "the host name")
    yield Value(Cause.DOMAIN_HOST, one.domain, other.domain, "the domain name")
    yield Value(Cause.DOMAIN_HOST, one.machine_id, other.machine_id, "the machine ID")
    yield from _releases(one.release, other.release)
    yield Value(Cause.MACHINE, one.cpu, other.cpu, "the model of the CPU")
    yield Value(Cause.LOCALES, _language(one), _language(other), "the language")
    for name in dict.fromkeys((*one.variables, *other.variables)):
        if name not in _ELSEWHERE:
            known = Cause.LOCALES if name.startswith("LC_") else _CAUSES.get(name, Cause.ENVIRONMENT)
            cause = other.owners.get(name, known)
            own, theirs = one.variables.get(name, ""), other.variables.get(name, "")
            must_not = _NOT_EMBEDDED if name in TRACE_VARIABLES else ""
            yield Value(cause, own, theirs, f"the value of {name}{must_not}")


def _traces(one: Planted, other: Planted) -> Iterator[Value]:
    """Yield the IDs in the value of TRACEPARENT, which builds record without the rest."""
    parents = [parse_traceparent(planted.variables.get(TRACEPARENT, "")) for planted in (one, other)]
    own, theirs = (parent or ("", "", False) for parent in parents)
    cause = other.owners.get(TRACEPARENT, Cause.ENVIRONMENT)
    yield Value(cause, own[0], theirs[0], f"the ID of the trace in {TRACEPARENT}{_NOT_EMBEDDED}")
    yield Value(cause, own[1], theirs[1], f"the ID of the span in {TRACEPARENT}{_NOT_EMBEDDED}")


@cache
def _forms_of_id(value: str) -> tuple[bytes, ...]:
    return (value.encode(), value.upper().encode(), bytes.fromhex(value))


def _releases(one: str, other: str) -> Iterator[Value]:
    yield Value(Cause.KERNEL, one, other, "the kernel release")
    for pattern in (r"\d+\.\d+\.\d+", r"\d+\.\d+"):
        own, theirs = (re.match(pattern, release) for release in (one, other))
        if own and theirs:
            yield Value(Cause.KERNEL, own[0], theirs[0], "the kernel version")


def _language(planted: Planted) -> str:
    language = re.split("[.@]", planted.locale)[0]
    return language if "_" in language else ""


def _find_languages(place: AlignedPlace, control: Planted, experiment: Planted) -> Iterator[Sighting]:
    """Yield language codes after a word that announces them, as in ``<html lang="et">``; the C locale is English."""
    own, theirs = (_language(planted).partition("_")[0] or "en" for planted in (control, experiment))
    if own == theirs:
        return
    codes, their_codes = (
        {match.span("code"): match["code"] for match in _CODE.finditer(text)}
        for text in (place.control, place.experiment)
    )
    for number, change in enumerate(place.changes):
        found = {code for span, code in codes.items() if touches(span, change.start, change.end)}
        their_found = {code for span, code in their_codes.items() if touches(span, change.theirs, change.their_end)}
        if own.encode() in found and theirs.encode() in their_found:
            why = "it contains the language"
            yield Sighting(Suspicion(Cause.LOCALES, Strength.STRONG, own, theirs, why), frozenset({number}))


@cache
def _forms(value: str) -> tuple[bytes, ...]:
    texts = (value, value.upper(), value.capitalize())
    wide = (value.encode(coding, "surrogatepass") for coding in ("utf-16-le", "utf-16-be"))
    return (*(text.encode("utf-8", "surrogateescape") for text in texts), *wide)


def _find_moved_clock(place: AlignedPlace, one: Planted, other: Planted) -> Iterator[Sighting]:
    """Yield the variables that move the clock, which a build with the real clock does not have."""
    moved, theirs_moved = one.clock != one.real, other.clock != other.real
    if moved == theirs_moved:
        return
    for word in _MOVED_CLOCK:
        spans = find_all(place.control if moved else place.experiment, word, bounded=False)
        changes = frozenset(
            number
            for number, change in enumerate(place.changes)
            for span in spans
            if overlaps(span, *((change.start, change.end) if moved else (change.theirs, change.their_end)))
        )
        if changes:
            texts = (shown(word), "") if moved else ("", shown(word))
            why = "it contains the variables that move the clock"
            yield Sighting(Suspicion(Cause.TIME, Strength.STRONG, *texts, why), changes)
