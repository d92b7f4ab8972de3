"""Testing remedies by rebuilding: a remedy is proved if its difference disappears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_ftc.diagnosis.case import Look, Suspect
from pytest_ftc.diagnosis.trials.advice import conclude
from pytest_ftc.diagnosis.trials.apart import tell_apart
from pytest_ftc.diagnosis.trials.bench import Bench, Built
from pytest_ftc.diagnosis.trials.record import Course, Record
from pytest_ftc.diagnosis.trials.rewriting import find_refused
from pytest_ftc.diagnosis.trials.target import Applied, RemedyTarget
from pytest_ftc.model import BuildResult, Remedy, RemedyTemplate
from pytest_ftc.model.protocols import Rebuilder

__all__ = ["RemedyTarget", "RemedyTrials"]

_MOST_PAIRS, _MOST_EAGER = 14, 3
"""Most pairs of builds in total, and for targets with a less certain cause."""


@dataclass(frozen=True, slots=True)
class RemedyTrials:
    """The means to test remedies."""

    look: Look
    rebuilder: Rebuilder
    epoch: int
    others: Sequence[RemedyTemplate] = ()
    """Remedies to try before those of the catalogue."""
    control: BuildResult | None = None
    """The control: a remedy that changes more of it than what differs does not count as effective."""
    suspect: Suspect = lambda *_: ()
    built: list[Built] = field(default_factory=list)
    """What all runs have built."""
    courses: dict[RemedyTarget, Course] = field(default_factory=dict)
    """How the trials went for the targets of all runs."""
    base: Sequence[Applied] = ()
    """Remedies that are applied in all builds, since others are hidden without them."""

    def beside(self, base: Sequence[Applied]) -> RemedyTrials:
        """Return trials of what differs beside what `base` heals, with nothing built so far."""
        return replace(self, built=[], courses={}, base=base)

    def run(
        self, targets: Sequence[RemedyTarget], *, eager: bool = True, beside: Sequence[RemedyTarget] = ()
    ) -> Mapping[RemedyTarget, Remedy]:
        """Return the best remedy for each of `targets`: a proved one if possible, else the best suggestion.

        All targets are tested together, each with its first remedy that has not failed yet, until the budget is used
        up; what earlier runs have built counts too.  Then those that were proved in the same builds are told apart.
        If not `eager`, builds are for targets of a known cause only.  Also the places `beside` them differ.
        """
        record = Record(targets, self.others, self.epoch, self.courses)
        known = {target.key: target.place for target in (*targets, *beside)}
        bench = Bench(
            known=known,
            look=self.look,
            suspect=self.suspect,
            rebuilder=self.rebuilder,
            control=self.control,
            built=self.built,
            base=self.base,
        )
        record.recall(tuple(self.built))
        _try_all(record, bench, may_be_eager=eager)
        tell_apart(record, bench)
        record.failures.unfit.update(find_refused(self.control, record.untried(), self.epoch))
        self.courses.update(record.courses)
        return {target: conclude(record, target) for target in record.courses}


def _try_all(record: Record, bench: Bench, *, may_be_eager: bool) -> None:
    eager, eager_pairs = False, 0
    for _ in range(_MOST_PAIRS):
        if not bench.left or eager_pairs == _MOST_EAGER:
            return
        eager_pairs += eager
        tried, proved = record.choose(eager=eager)
        if all(target in proved or not _is_worth_it(target, eager=eager) for target in tried):
            if eager or not may_be_eager:
                return
            # The rest of the budget goes to targets with a less certain cause.
            eager = True
            continue
        record.note(tried, bench.build(dict.fromkeys(tried.values())))


def _is_worth_it(target: RemedyTarget, *, eager: bool) -> bool:
    """Return whether it justifies builds: its cause is known, and some number of equal pairs would be proof."""
    return (target.known or eager) and target.trial.can_be_proved(_MOST_PAIRS)
