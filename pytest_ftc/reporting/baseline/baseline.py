"""The baseline: a TOML file of known findings, which do not fail; new ones do."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_ftc.model import Verdict, Verification
from pytest_ftc.model.place import OUTPUT_ITSELF
from pytest_ftc.model.verification import DiagnosisMode
from pytest_ftc.reporting.baseline.entry import Key, Known, groups_of, is_fixed, known_of, match, plain, render
from pytest_ftc.reporting.baseline.fingerprint import fingerprint

HEAD = """\
# Known findings of pytest --ftc-verify: they do not fail, new ones do.  pytest --ftc-verify --ftc-update-baseline
# writes them.  You may add owner, reason and expires (a date such as 2027-01-31, after which they fail).
"""
_MOST_LINES = 10
"""Lines of one kind in the summary."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The findings of one artifact compared with the baseline, by cause and kind of place."""

    known: int
    new: tuple[Known, ...]
    expired: tuple[Known, ...]
    fixed: tuple[Known, ...]
    """Known findings that no longer occur."""
    allowed: Mapping[Key, int] = field(default_factory=dict)
    """How many places the baseline allows of those new findings that it knows at fewer places."""
    renamed: int = 0
    """Number of known findings matched by location, because this diagnosis named another cause."""
    accepted: bool = False
    """Whether all findings are known and none has expired."""


class Baseline:
    """The known findings, as a session with a given ``--ftc-diagnose`` matches them.

    `texts` maps the keys of entries to their original text, comments included, which updates keep.
    """

    def __init__(
        self,
        entries: Iterable[Known] = (),
        *,
        diagnose: DiagnosisMode = DiagnosisMode.FULL,
        head: str = HEAD,
        texts: Mapping[Key, str] | None = None,
    ) -> None:
        self._entries = {entry.key: entry for entry in entries}
        self._diagnose = diagnose
        self._head = head
        self._texts = texts or {}

    @property
    def artifacts(self) -> frozenset[str]:
        """The ids of all artifacts with known findings."""
        return frozenset(entry.artifact for entry in self._entries.values())

    def diagnosed(self, diagnose: DiagnosisMode) -> Baseline:
        """Return the same baseline for a session with this mode of diagnosis."""
        return Baseline(self._entries.values(), diagnose=diagnose, head=self._head, texts=self._texts)

    def fingerprints(self, verifications: Iterable[Verification], today: datetime.date) -> frozenset[str]:
        """Return the fingerprints of findings of `verifications` that are known and have not expired `today`."""
        return frozenset(
            fingerprint(one.id, finding)
            for one in verifications
            for key, entries in self._match(one).items()
            if not any(_is_over(entry, today) for entry in entries)
            for finding in groups_of(one)[key]
        )

    def judge(self, verification: Verification, today: datetime.date) -> Standing:
        """Compare the findings of `verification` with the known ones."""
        found = known_of(verification, self._diagnose)
        matched = self._match(verification)
        known = {entry.key: entry for entries in matched.values() for entry in entries}
        expired = tuple(entry for entry in known.values() if _is_over(entry, today))
        new = tuple(one for key, one in found.items() if key not in matched)
        return Standing(
            known=len(matched),
            new=new,
            expired=expired,
            fixed=tuple(
                entry
                for entry in self._of(verification)
                if entry.key not in known and entry.key not in found and is_fixed(entry, verification, found.values())
            ),
            allowed={one.key: self._entries[one.key].count for one in new if one.key in self._entries},
            renamed=sum(key not in self._entries for key in matched),
            accepted=bool(found) and not new and not expired,
        )

    def updated(
        self, verifications: Sequence[Verification], today: datetime.date, stale: Iterable[str] = ()
    ) -> Baseline:
        """Return a baseline with new findings added and fixed ones removed; comments and order stay.

        Entries of `stale` artifacts are removed.
        """
        gone = set(stale)
        entries = {key: entry for key, entry in self._entries.items() if entry.artifact not in gone}
        texts = dict(self._texts)
        new: dict[Key, Known] = {}
        for one in {verification.id: verification for verification in verifications}.values():
            for entry in self.judge(one, today).fixed:
                entries.pop(entry.key, None)
            found, matched = known_of(one, self._diagnose), self._match(one)
            for key, known in found.items():
                before = matched.get(key) or [entry for entry in self._of(one) if entry.key == key]
                if key in self._entries and [entry.key for entry in before] == [key]:
                    entries[key] = self._recounted(before[0], known)
                    texts[key] = self._revised(before[0], entries[key])
                    continue
                if not all(self._says_more(known, entry) for entry in before):
                    continue
                for entry in before[:1]:
                    known = replace(known, owner=entry.owner, reason=entry.reason, expires=entry.expires)
                    texts[key] = self._revised(entry, known)
                outdated = [entry.key for entry in before if entry.key not in found]
                if key not in entries and outdated and outdated[0] in entries:
                    entries = _rename(entries, outdated[0], key)
                for each in outdated:
                    entries.pop(each, None)
                (entries if key in entries else new)[key] = known
        return Baseline(_merge(entries.values(), new.values()), diagnose=self._diagnose, head=self._head, texts=texts)

    def _recounted(self, entry: Known, known: Known) -> Known:
        """Return `entry` with the count of `known`, which has the same key; its certainty does not fall."""
        if entry.diagnose.is_deeper_than(known.diagnose):
            if known.count <= entry.count:
                return entry
            outputs = tuple(sorted({*entry.outputs, *known.outputs}))
            return replace(entry, count=max(entry.count, known.count), outputs=outputs)
        confirmed = known.confirmed or (entry.confirmed and entry.diagnose == known.diagnose)
        return replace(known, confirmed=confirmed, owner=entry.owner, reason=entry.reason, expires=entry.expires)

    def _revised(self, entry: Known, known: Known) -> str:
        """Return the text of `entry`, comments included, updated to `known`; empty if the file had none."""
        text = self._texts.get(entry.key, "")
        if not text or entry == known:
            return text
        from pytest_ftc.reporting.baseline.revise import revise

        return revise(text, known)

    def render(self) -> str:
        """Return the content of the file, one table per cause and kind of place, in a stable order for easy review."""
        entries = self._entries.values()
        return self._head + "".join(f"\n{self._texts.get(one.key) or render(one)}" for one in entries)

    def _says_more(self, found: Known, entry: Known) -> bool:
        """Return whether `found` should replace `entry`."""
        return found.diagnose.is_deeper_than(entry.diagnose) or (found.diagnose == entry.diagnose and found.confirmed)

    def _match(self, verification: Verification) -> dict[Key, list[Known]]:
        """Return the matching entries of the findings, by the findings' key."""
        found = known_of(verification, self._diagnose)
        exact, renamed = match(self._of(verification), found, groups_of(verification))
        return {**{key: [entry] for key, entry in exact.items()}, **renamed}

    def _of(self, verification: Verification) -> list[Known]:
        return [entry for entry in self._entries.values() if entry.artifact == plain(verification.id)]


def _rename(entries: Mapping[Key, Known], old: Key, key: Key) -> dict[Key, Known]:
    """Return `entries` with the key `old` renamed to `key`, in the same position."""
    return {key if each == old else each: entry for each, entry in entries.items()}


def _merge(entries: Iterable[Known], new: Iterable[Known]) -> list[Known]:
    """Return `entries` in their order, with each `new` one inserted before the first that sorts after it."""
    merged = list(entries)
    added = sorted(new, key=_sort_key)
    if not merged:
        return added
    for entry in added:
        after = (at for at, other in enumerate(merged) if _sort_key(other) > _sort_key(entry))
        merged.insert(next(after, len(merged)), entry)
    return merged


def _sort_key(entry: Known) -> tuple[str, str, str]:
    return entry.artifact, entry.cause, entry.place


def forgives(verification: Verification) -> bool:
    """Return whether a baseline may accept `verification`: it has differences and no other fault."""
    kept = not verification.leaks and not (verification.strict and verification.hermeticity)
    return verification.verdict is Verdict.UNREPRODUCIBLE and kept


def find_stale(baseline: Baseline, is_there: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the ids of artifacts that have known findings but no longer exist."""
    return tuple(sorted(name for name in baseline.artifacts if not is_there(name)))


def describe_standings(standings: Mapping[str, Standing], file: str, stale: Sequence[str] = ()) -> list[str]:
    """Return the baseline's lines in the session summary."""
    known = sum(standing.known for standing in standings.values())
    new = [describe_new(entry, standing) for standing in standings.values() for entry in standing.new]
    renamed = sum(standing.renamed for standing in standings.values())
    expired = [entry for standing in standings.values() for entry in standing.expired]
    fixed = [entry for standing in standings.values() for entry in standing.fixed]
    lines = [f"{known} known, {len(new)} new, {len(fixed)} fixed ({file})"] if known or fixed or new else []
    lines += _bounded([f"new: {text}" for text in new])
    lines += [f"expired on {entry.expires}: {_show(entry)}" for entry in expired]
    if renamed:
        lines.append(f"{renamed} of them matched by location: this diagnosis found a different cause, or none")
    lines += _bounded([f"fixed: {_show(entry)}" for entry in fixed])
    lines += [f"stale: {name} no longer exists" for name in stale]
    if fixed or stale:
        what = " and ".join(["fixed"] * bool(fixed) + ["stale"] * bool(stale))
        lines.append(f"--ftc-update-baseline removes what is {what}")
    return lines


def describe_new(entry: Known, standing: Standing) -> str:
    """Return what is new: the finding, or at how many places more than the baseline allows it occurs."""
    allowed = standing.allowed.get(entry.key)
    places = f": {entry.count} places, the baseline allows {allowed}" if allowed is not None else ""
    return f"{_show(entry)} at {entry.place or OUTPUT_ITSELF}{places}"


def _bounded(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"{lines[0].partition(':')[0]}: and {more} more"] if more > 0 else lines


def _show(entry: Known) -> str:
    more = f" and {len(entry.outputs) - 1} more" if len(entry.outputs) > 1 else ""
    return f"{entry.artifact}, {entry.cause} in {entry.outputs[0] if entry.outputs else 'its outputs'}{more}"


def _is_over(entry: Known, today: datetime.date) -> bool:
    return entry.expires is not None and entry.expires < today
