"""Builds with remedies, and what they show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from pytest_ftc.diagnosis.case import Look, Suspect
from pytest_ftc.diagnosis.places import (
    Key,
    Places,
    holder_of,
    match_places,
    may_be_elsewhere,
    may_move,
    showing,
)
from pytest_ftc.diagnosis.side_effects import changed_outputs
from pytest_ftc.diagnosis.trials.moved_strings import under_known_strings, under_other_numbers
from pytest_ftc.diagnosis.trials.target import Applied
from pytest_ftc.model import BuildResult, BuildStatus, Place, Strength, Suspicion
from pytest_ftc.model.protocols import Rebuilder
from pytest_ftc.model.remedy import Changes, add_setting

_FAILED_ITSELF = "ftc: this step of the remedy failed"
"""Printed by a step before or after the build that fails, to tell it from the build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a pair of builds with remedies showed."""

    equal: frozenset[Key] = frozenset()
    """The places that no longer differ."""
    changed: Mapping[str, str] = field(default_factory=dict)
    """Outputs in which more was changed than what differs, and what."""
    differing: Places = field(default_factory=dict)
    """The places that still differ."""
    told: Callable[[Key], Sequence[Suspicion]] = lambda _: ()
    """Returns what the values of a place that still differs tell of its causes."""
    failure: str = ""
    """What became of the build, and why; empty if both builds succeeded."""

    def still_told(self, key: Key) -> frozenset[str]:
        """Return the causes that the values of a place still identify."""
        return frozenset(one.cause for one in self.told(key))


Built = tuple[frozenset[Applied], Outcome]
"""The remedies that a pair of builds had, and what came of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Builds the artifact with remedies, and compares the results."""

    known: Mapping[Key, Place]
    """The places that differ without remedies."""
    look: Look
    suspect: Suspect
    rebuilder: Rebuilder
    control: BuildResult | None
    """The control without remedies; None to ignore what else they change."""
    built: list[Built]
    """What was built so far, in earlier runs too; `build` adds to it."""

    base: Sequence[Applied] = ()
    """Remedies of other places that all builds have."""

    @property
    def left(self) -> int:
        """The number of pairs of builds that the budget permits."""
        return self.rebuilder.left // 2

    def build(self, remedies: Collection[Applied]) -> Outcome:
        """Build the artifact twice with `remedies`, in environments that differ."""
        outcome = self._build([*self.base, *remedies])
        self.built.append((frozenset(remedies), outcome))
        return outcome

    def _build(self, remedies: Collection[Applied]) -> Outcome:
        builds = self.rebuilder.with_changes(changes_of(remedies))
        if broken := next((build for build in builds if build.status is not BuildStatus.OK), None):
            return Outcome(failure=_explain(broken))
        if len(builds) < 2:
            return Outcome(failure="it could not be tried")
        places = under_known_strings(self.known, self.look(builds[0], builds[1]))
        still = showing(self.known, places) | may_be_elsewhere(self.known, places)
        still |= under_other_numbers(self.known, places)
        unequal = {(key.output, key.member) for key in places}
        differing = match_places(self.known, places)
        new = {holder_of(key) for key in differing if key not in self.known}
        equal = frozenset(
            key
            for key, place in self.known.items()
            if key not in still
            and _can_be_compared(key, places, builds)
            # Where what only one side has is found depends on what else differs.
            and (not place.is_one_sided or (key.output, key.member) not in unequal)
            # What has an offset may be what differs at another one.
            and not (holder_of(key) in new and may_move(key, self.known))
        )
        changed = self._changed(equal, builds[0], remedies)
        return Outcome(equal=equal, changed=changed, differing=differing, told=self._tell(differing, builds))

    def _tell(self, differing: Places, builds: Sequence[BuildResult]) -> Callable[[Key], Sequence[Suspicion]]:
        @cache
        def tell(key: Key) -> Sequence[Suspicion]:
            found = self.suspect(differing[key], builds[0], builds[1]) if key in differing else ()
            return [one for one in found if one.strength >= Strength.STRONG]

        return tell

    def _changed(self, equal: Collection[Key], healed: BuildResult, remedies: Collection[Applied]) -> Mapping[str, str]:
        if self.control is None or not equal:
            return {}
        rewritten, anew = {one.rewrites for one in remedies}, any(one.lays_out for one in remedies)
        places = self.look(self.control, healed)
        changed = changed_outputs(self.known, self.control, healed, places, rewritten, lays_out=anew)
        outputs = {key.output for key in self.known}
        if other := next((name for name in changed if name not in outputs), None):
            # It is unknown which of the remedies changes an output that never differed.
            return {**dict.fromkeys(outputs, f"{other}: {changed[other]}"), **changed}
        return changed


def changes_of(remedies: Collection[Applied]) -> Changes:
    """Return what `remedies` together change of a build."""
    settings: dict[str, str] = {}
    for name, value in dict.fromkeys(setting for remedy in remedies for setting in remedy.settings):
        settings[name] = add_setting(settings, name, value)
    before = tuple(dict.fromkeys(_guard(remedy.before) for remedy in remedies if remedy.before))
    after = tuple(dict.fromkeys(_guard(remedy.after) for remedy in remedies if remedy.after))
    return Changes(settings=settings, before=before, after=after)


def _guard(command: str) -> str:
    return f"{{ {command}\n}} || {{ echo '{_FAILED_ITSELF}' >&2; exit 1; }}"


def _explain(broken: BuildResult) -> str:
    """Return whether the build or the remedy itself failed, and why, in one line."""
    lines = [line.strip() for line in broken.log_tail.splitlines() if line.strip()]
    itself = _FAILED_ITSELF in lines
    told = [line for line in lines if line != _FAILED_ITSELF and not line.startswith(("make: ***", "make[", "ninja: "))]
    why = [broken.reason] if broken.reason and not (itself and told) else []
    return ": ".join(["it could not be tried" if itself else "it breaks the build", *why, *told[-1:]])


def _can_be_compared(key: Key, places: Places, builds: Sequence[BuildResult]) -> bool:
    """Whether the output exists under its name; if a template renames it, no similar name may differ."""
    named = all(any(output.path == key.output for output in build.outputs) for build in builds)
    return named or not any(other._replace(output=key.output) == key for other in places)
