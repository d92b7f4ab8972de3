"""The baseline: a TOML file of known findings, which do not fail; new ones do."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_ftc.model import Verdict, Verification
from pytest_ftc.model.verification import DiagnosisMode
from pytest_ftc.reporting.baseline.entry import Known, is_fixed, known_of, match, plain, render

HEAD = """\
# Known findings of pytest --ftc-verify: they do not fail, new ones do.  pytest --ftc-verify --ftc-update-baseline
# writes them.  You may add owner, reason and expires (a date such as 2027-01-31, after which they fail).
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """The findings of one artifact compared with the baseline."""

    known: int
    new: int
    expired: tuple[Known, ...]
    fixed: tuple[Known, ...]
    """Known findings that no longer occur."""
    renamed: int = 0
    """Number of known findings matched by location, because this diagnosis named another cause."""
    accepted: bool = False
    """Whether all findings are known and none has expired."""


class Baseline:
    """The known findings, as a session with a given ``--ftc-diagnose`` matches them.

    `texts` maps fingerprints to the original text of their entries, comments included, which updates keep.
    """

    def __init__(
        self,
        entries: Iterable[Known] = (),
        *,
        diagnose: DiagnosisMode = DiagnosisMode.FULL,
        head: str = HEAD,
        texts: Mapping[str, str] | None = None,
    ) -> None:
        self._entries = {entry.fingerprint: entry for entry in entries}
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
            name
            for one in verifications
            for name, entries in self._match(one).items()
            if not any(_is_over(entry, today) for entry in entries)
        )

    def judge(self, verification: Verification, today: datetime.date) -> Standing:
        """Compare the findings of `verification` with the known ones."""
        found = known_of(verification, self._diagnose)
        matched = self._match(verification)
        known = {entry.fingerprint: entry for entries in matched.values() for entry in entries}
        expired = tuple(entry for entry in known.values() if _is_over(entry, today))
        return Standing(
            known=len(matched),
            new=len(found) - len(matched),
            expired=expired,
            fixed=tuple(
                entry
                for entry in self._of(verification)
                if entry.fingerprint not in known and is_fixed(entry, verification, found.values())
            ),
            renamed=sum(name not in self._entries for name in matched),
            accepted=bool(found) and len(matched) == len(found) and not expired,
        )

    def updated(
        self, verifications: Sequence[Verification], today: datetime.date, stale: Iterable[str] = ()
    ) -> Baseline:
        """Return a baseline with new findings added and fixed ones removed; comments and order stay.

        Entries of `stale` artifacts are removed.
        """
        gone = set(stale)
        entries = {name: entry for name, entry in self._entries.items() if entry.artifact not in gone}
        texts = dict(self._texts)
        new: dict[str, Known] = {}
        for one in {verification.id: verification for verification in verifications}.values():
            for entry in self.judge(one, today).fixed:
                entries.pop(entry.fingerprint, None)
            found, matched = known_of(one, self._diagnose), self._match(one)
            for name, known in found.items():
                before = matched.get(name, [])
                if not all(self._says_more(known, entry) for entry in before):
                    continue
                for entry in before[:1]:
                    known = replace(known, owner=entry.owner, reason=entry.reason, expires=entry.expires)
                    texts[name] = self._revised(entry, known)
                outdated = [entry.fingerprint for entry in before if entry.fingerprint not in found]
                if name not in entries and outdated and outdated[0] in entries:
                    entries = _rename(entries, outdated[0], name)
                for each in outdated:
                    entries.pop(each, None)
                (entries if name in entries else new)[name] = known
        return Baseline(_merge(entries.values(), new.values()), diagnose=self._diagnose, head=self._head, texts=texts)

    def _revised(self, entry: Known, known: Known) -> str:
        """Return the text of `entry`, comments included, updated to `known`; empty if the file had none."""
        text = self._texts.get(entry.fingerprint, "")
        if not text or entry == known:
            return text
        from pytest_ftc.reporting.baseline.revise import revise

        return revise(text, known)

    def render(self) -> str:
        """Return the content of the file: one table per finding, in a stable order for easy review."""
        entries = self._entries.values()
        return self._head + "".join(f"\n{self._texts.get(one.fingerprint) or render(one)}" for one in entries)

    def _says_more(self, found: Known, entry: Known) -> bool:
        """Return whether `found` should replace `entry`."""
        return found.diagnose.is_deeper_than(entry.diagnose) or (found.diagnose == entry.diagnose and found.confirmed)

    def _match(self, verification: Verification) -> dict[str, list[Known]]:
        """Return the matching entries of each finding, by the finding's fingerprint."""
        exact, renamed = match(self._of(verification), known_of(verification, self._diagnose))
        return {**{name: [entry] for name, entry in exact.items()}, **renamed}

    def _of(self, verification: Verification) -> list[Known]:
        return [entry for entry in self._entries.values() if entry.artifact == plain(verification.id)]


def _rename(entries: Mapping[str, Known], old: str, name: str) -> dict[str, Known]:
    """Return `entries` with the key `old` renamed to `name`, in the same position."""
    return {name if each == old else each: entry for each, entry in entries.items()}


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
    return entry.artifact, entry.output, entry.cause


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
    new = sum(standing.new for standing in standings.values())
    renamed = sum(standing.renamed for standing in standings.values())
    expired = [entry for standing in standings.values() for entry in standing.expired]
    fixed = [entry for standing in standings.values() for entry in standing.fixed]
    lines = [f"{known} known, {new} new, {len(fixed)} fixed ({file})"] if known or fixed else []
    if renamed:
        lines.append(f"{renamed} of them matched by location: this diagnosis found a different cause, or none")
    lines += [f"expired on {entry.expires}: {entry.artifact}, {entry.cause} in {entry.output}" for entry in expired]
    lines += [f"fixed: {entry.artifact}, {entry.cause} in {entry.output}" for entry in fixed[:10]]
    lines += [f"stale: {name} no longer exists" for name in stale]
    if fixed or stale:
        what = " and ".join(["fixed"] * bool(fixed) + ["stale"] * bool(stale))
        lines.append(f"--ftc-update-baseline removes what is {what}")
    return lines


def _is_over(entry: Known, today: datetime.date) -> bool:
    return entry.expires is not None and entry.expires < today
