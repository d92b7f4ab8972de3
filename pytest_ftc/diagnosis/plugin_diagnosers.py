"""Diagnosers of plugins, used in addition to the built-in search for canaries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from pytest_ftc.model import Cause, Conditions, Place, Strength, Suspicion
from pytest_ftc.model.protocols import Diagnoser
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.problems import Problems


class Panel:
    """Calls all `diagnosers`, which may name one of the `causes`.

    One that fails or names another cause is skipped and recorded in `problems`.
    """

    def __init__(self, diagnosers: Sequence[Diagnoser] = (), causes: Collection[str] = ()) -> None:
        self._diagnosers = diagnosers
        self._causes = (*causes, Cause.RANDOM, Cause.RACE)
        self._problems = Problems()

    @property
    def problems(self) -> tuple[str, ...]:
        """Descriptions of the errors, one sentence each."""
        return self._problems.list()

    def suspect(
        self, place: Place, control: Conditions, experiment: Conditions, own: Sequence[Suspicion]
    ) -> tuple[Suspicion, ...]:
        """Return `own` suspicions and those of the diagnosers, the strongest for each cause, the strongest first."""
        heard = [one for diagnoser in self._diagnosers for one in self._ask(diagnoser, place, control, experiment)]
        best: dict[str, Suspicion] = {}
        for one in sorted([*heard, *own], key=lambda one: -one.strength):
            best.setdefault(one.cause, one)
        return tuple(best.values()) if heard else tuple(own)

    def _ask(
        self, diagnoser: Diagnoser, place: Place, control: Conditions, experiment: Conditions
    ) -> Sequence[Suspicion]:
        try:
            return list(self._checked(diagnoser.suspect(place, control, experiment)))
        except Exception as error:
            self._problems.add_failure("diagnoser", diagnoser, error)
            return ()

    def _checked(self, heard: Iterable[Suspicion] | None) -> Iterator[Suspicion]:
        for one in heard or ():
            if not isinstance(one, Suspicion):
                raise TypeError(f"expected suspicions, found {one!r}")
            if one.cause not in self._causes:
                raise ValueError(f"unknown cause {one.cause!r}; causes: {', '.join(self._causes)}")
            # Only the built-in search knows which tokens were planted, so plugins cannot claim certainty.
            yield replace(one.weakened(Strength.STRONG), why=shorten(one.why))
