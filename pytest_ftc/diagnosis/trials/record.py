"""What was tried for each place that differs, what came out of it, and what is to be tried next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.diagnosis.luck import Trial
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.diagnosis.trials.bench import Built, Outcome
from pytest_ftc.diagnosis.trials.target import Applied, RemedyTarget, apply, templates_for
from pytest_ftc.model import RemedyTemplate
from pytest_ftc.model.cause import GUESSES

Tried = dict[RemedyTarget, Applied]


@dataclass(slots=True)
class Course:
    """The remedies of one target, and what came of them."""

    choices: Mapping[Applied, RemedyTemplate]
    """Its remedies, the best first."""
    trial: Trial
    helpful: Applied | None = None
    """The last one with which its place was equal."""
    company: frozenset[Applied] | None = None
    """What was applied in all builds with the helpful one in which its place was equal."""
    credited: tuple[Applied, ...] = ()
    """What was found to be necessary."""
    partly: Applied | None = None
    """One with which the values of the cause were gone, although the place still differs."""
    unclear: Applied | None = None
    """The one tried where the place has other causes too, so that it is unknown whether it helped."""
    is_over: bool = False
    """Whether it was tried once more, together with those of the other causes of its place."""
    stays: bool = False
    """Whether the values of the cause were still there with the remedy tried last."""


@dataclass(slots=True)
class Failures:
    """Remedies that did not help, or must not be taken."""

    at: dict[Key, list[Applied]] = field(default_factory=dict)
    """Those without effect at a place, which also fail there for its other causes."""
    why: dict[tuple[str, Applied], str] = field(default_factory=dict)
    """Why one must not be taken, by output: what else it changes there."""
    unfit: dict[Applied, str] = field(default_factory=dict)
    """Those with which nothing can be built, with the reason."""

    def holds(self, key: Key, remedy: Applied) -> bool:
        """Return whether `remedy` needs no further trial at a place."""
        return remedy in self.unfit or remedy in self.at.get(key, ())


class Record:
    """The course of the trials for each of the `targets`; `earlier` has those of others, which are over."""

    def __init__(
        self,
        targets: Sequence[RemedyTarget],
        others: Sequence[RemedyTemplate],
        epoch: int,
        earlier: Mapping[RemedyTarget, Course],
    ) -> None:
        self.courses = {
            target: Course({apply(one, target.key, epoch): one for one in templates}, target.trial)
            for target in targets
            if (templates := templates_for(target, targets, others))
        }
        self.earlier = dict(earlier)
        self.failures = Failures()
        self._apart = False
        self._built: set[frozenset[Applied]] = set()

    def is_proved(self, target: RemedyTarget) -> bool:
        """Return whether its helpful remedy is proved."""
        course = self.courses[target]
        return course.trial.is_proved(1 + len(self.failures.at.get(target.key, ())))

    def untried(self) -> Iterable[Applied]:
        """Return what could be tried for targets without a proved remedy, and was not; each once, in their order."""
        open_targets = (target for target in self.courses if not self.is_proved(target))
        return dict.fromkeys(one for target in open_targets for one in self._untried(target))

    def choose(self, *, eager: bool) -> tuple[Tried, set[RemedyTarget]]:
        """Return the next remedy for each target, and the targets among them that have a proved remedy.

        After builds with several remedies have failed, or changed too much, they are tried one by one until it is known
        which of them is to blame.
        """
        tried = {target: one for target in self.courses if (one := self._next(target, eager=eager))}
        proved = {target for target in tried if self.is_proved(target)}
        if self._apart:
            # What helps in part heals with others only, so that alone it shows nothing new.
            due = (target for target in tried if target not in proved)
            first = next((tried[one] for one in due if not self.failures.holds(one.key, tried[one])), None)
            return {target: one for target, one in tried.items() if one == first and target not in proved}, set()
        return self._with_company(self._with_rewriting(tried, proved)), proved

    def recall(self, built: Iterable[Built]) -> None:
        """Note what builds that were made for other targets showed, also for those whose cause was not known then."""
        for applied, outcome in built:
            if outcome.failure or outcome.changed:
                self._note_broken(applied, outcome)
                continue
            seen = outcome.equal | outcome.differing.keys()
            due = {target: self._next(target, eager=True) for target in self.courses if target.key in seen}
            tried = {target: one for target, one in due.items() if one in applied}
            self._note_all(tried, applied, outcome)

    def _note_broken(self, applied: frozenset[Applied], outcome: Outcome) -> None:
        """Note what a remedy that was tried alone broke, whichever place it was tried for."""
        if len(applied) == 1:
            (remedy,) = applied
            self.failures.unfit.update({remedy: outcome.failure} if outcome.failure else {})
            self.failures.why.update({(output, remedy): what for output, what in outcome.changed.items()})

    def note(self, tried: Tried, outcome: Outcome) -> None:
        """Note the `outcome` of builds with the remedies `tried`."""
        applied = frozenset(tried.values())
        if outcome.failure or outcome.changed:
            self._apart = len(applied) > 1
            if self._apart:
                return
        if outcome.failure:
            self.failures.unfit.update(dict.fromkeys(applied, outcome.failure))
            return
        self._note_all(tried, applied, outcome)

    def refute(self, target: RemedyTarget, remedy: Applied) -> None:
        """Note that `remedy` does not help `target`, also where it seemed to."""
        course = self.courses[target]
        course.helpful, course.company = None, None
        course.trial = course.trial.of_another()
        failed = self.failures.at.setdefault(target.key, [])
        if remedy not in failed:
            failed.append(remedy)

    def _note_all(self, tried: Tried, applied: frozenset[Applied], outcome: Outcome) -> None:
        self._built.add(applied)
        healed = _credit(tried, {key for key in outcome.equal if key.output not in outcome.changed})
        for target, remedy in tried.items():
            self._note(target, remedy, applied, outcome, healed=target in healed)

    def _note(
        self, target: RemedyTarget, remedy: Applied, applied: frozenset[Applied], outcome: Outcome, *, healed: bool
    ) -> None:
        course = self.courses[target]
        course.trial = course.trial.with_pair(equal=healed)
        if healed:
            course.company = applied & (course.company if course.helpful == remedy and course.company else applied)
            course.helpful = remedy
        elif not target.alone and not (target.is_told and target.key in outcome.differing):
            course.helpful, course.company, course.unclear = None, None, remedy
        elif not self.is_proved(target):
            course.is_over = course.is_over or self.failures.holds(target.key, remedy)
            self.refute(target, remedy)
            if target.key in outcome.equal and target.key.output in outcome.changed:
                self.failures.why[target.key.output, remedy] = outcome.changed[target.key.output]
            if remaining := _find_values(target, outcome):
                course.stays = all(remaining)
                # The control may have had what the remedy fixes, such as UTC, so its value tells nothing.
                course.partly = course.partly or (None if remaining[1] else remedy)

    def _next(self, target: RemedyTarget, *, eager: bool) -> Applied | None:
        course = self.courses[target]
        if course.unclear or not (target.known or (eager and target.cause not in GUESSES)):
            return None
        if not course.helpful and course.partly and self._is_another_tried_at(target):
            return course.partly
        return course.helpful or next(self._worth_trying(target), None) or self._once_more(target)

    def _once_more(self, target: RemedyTarget) -> Applied | None:
        """Return what was tried for a place of several causes before all of its remedies had been tried together.

        Only where none of them is known not to help.
        """
        at = {one: course for one, course in self.courses.items() if one.key == target.key and one.alone and one.known}
        if len(at) < 2 or any(course.helpful or course.is_over or course.unclear for course in at.values()):
            return None
        if any(next(self._untried(one), None) for one in at):
            return None
        found = {one: course.partly or self._perhaps(one) for one, course in at.items()}
        together = {one for one in found.values() if one}
        is_new = not any(together <= applied for applied in self._built)
        return found.get(target) if is_new and all(found.values()) else None

    def _perhaps(self, target: RemedyTarget) -> Applied | None:
        """Return the remedy that may have helped `target` unseen; None if its values stayed or are told apart.

        Of several it is the one for the fewest causes: it is made for this one.
        """
        course = self.courses[target]
        tried = (one for one in self.failures.at.get(target.key, ()) if one in course.choices)
        unfit, why = self.failures.unfit, self.failures.why
        fitting = (one for one in tried if one not in unfit and (target.key.output, one) not in why)
        if course.stays or target.values:
            return None
        return min(fitting, key=lambda one: len(course.choices[one].causes), default=None)

    def _worth_trying(self, target: RemedyTarget) -> Iterator[Applied]:
        """Yield its untried remedies; of what is computed from the rest of its file, those tried for the rest."""
        leading = [one for one in self.courses if target.place.note == FOLLOWS and _leads(one, target)]
        tried = {self._next(one, eager=True) for one in leading}
        yield from (one for one in self._untried(target) if not leading or one in tried)

    def _is_another_tried_at(self, target: RemedyTarget) -> bool:
        """Return whether another cause of the same place comes first with remedies that were not tried with this one's.

        Only together may they heal it.
        """
        at = (one for one in self.courses if one.key == target.key and one.alone and one.known)
        first = next((one for one in at if next(self._untried(one), None)), target)
        return first != target

    def _untried(self, target: RemedyTarget) -> Iterator[Applied]:
        for one, template in self.courses[target].choices.items():
            if template.can_be_tried and not self.failures.holds(target.key, one):
                yield one

    def _with_rewriting(self, tried: Tried, proved: Collection[RemedyTarget]) -> Tried:
        """Return `tried` with a remedy that rewrites an output assigned to all targets in that output.

        Any other remedy tested for them in the same builds would be credited with the effect of the rewriting.
        """
        rewriting = {one.rewrites: one for one in tried.values() if one.rewrites}
        shared = dict(tried)
        for target in tried.keys() - set(proved):
            one = rewriting.get(target.key.output)
            if one and one in self._untried(target):
                shared[target] = one
        return shared

    def _with_company(self, tried: Tried) -> Tried:
        """Return `tried` with targets of a less certain cause added, if their output is tested with the same remedy."""
        offered = {(target.key.output, one) for target, one in tried.items()}
        company = dict(tried)
        for target in self.courses.keys() - tried.keys():
            one = self._next(target, eager=True)
            if one and (target.key.output, one) in offered:
                company[target] = one
        return company


def _leads(one: RemedyTarget, other: RemedyTarget) -> bool:
    """Return whether `other`, which is computed from the rest of its file, differs for the cause that `one` has."""
    own, theirs = ((each.key.output, each.key.member, each.cause) for each in (one, other))
    return own == theirs and one.place.note != FOLLOWS and one.known


def _find_values(target: RemedyTarget, outcome: Outcome) -> tuple[bool, bool] | None:
    """Return whether the values of the cause are still on each side of a place that differs; None if unknown."""
    place = outcome.differing.get(target.key)
    if place is not None and target.is_told:
        return (target.cause in outcome.still_told(target.key),) * 2
    if target.values is None or place is None:
        return None
    one, other = target.values
    return one in place.control, other in place.experiment


def _credit(tried: Tried, equal: Collection[Key]) -> Collection[RemedyTarget]:
    """Return the targets that the remedies have helped: most of similar places must be `equal`.

    A few may be equal by chance: two builds may give a file or two the same time, to the second.  Those that have other
    causes too are not similar to those that do not.
    """
    causes = Counter(target.key for target in tried)
    alike: dict[tuple[str, str, str, str, bool], list[RemedyTarget]] = {}
    for target, remedy in tried.items():
        kind = (target.key.output, target.key.location, target.cause, remedy.summary, causes[target.key] > 1)
        alike.setdefault(kind, []).append(target)
    helped: list[RemedyTarget] = []
    for targets in alike.values():
        those = [target for target in targets if target.key in equal]
        helped += those if 2 * len(those) >= len(targets) else []
    return frozenset(helped)
