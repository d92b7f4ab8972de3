"""All that could have told a program something, by the files and pipes that it and those above it read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_ftc.diagnosis.culprits.abilities import VARIABLES, can_bring_in
from pytest_ftc.diagnosis.culprits.commands import SHELLS, STARTERS, ancestors, name_of
from pytest_ftc.diagnosis.culprits.flow import Flow

_MOST = 2000
"""Most programs to look at."""


def told_above(flow: Flow, index: int) -> Iterator[tuple[int, str]]:
    """Yield who wrote what those above the program `index` had read before it began, nearest first.

    Shells and make hand that on as arguments, in variables and in their own text.  Others may tell anything of their
    own, so nobody above them is asked.
    """
    for above in ancestors(flow.trace, flow.program(index)):
        yield from (told for told in flow.told(above) if flow.is_before(told[0], index))
        if name_of(flow.program(above)) not in STARTERS:
            return


def find_only_able(flow: Flow, index: int, cause: str, *, order: bool) -> Sequence[int] | None:
    """Return the way to the only command that can have brought in the `cause`: from `index` to it, both included.

    None if none can, and an empty way if several can.  Shells and make mostly hand on what they are told, so
    they count only where nobody else can, or where they wrote something themselves that may be from their variables.
    """
    asked = index, cause, order
    if asked not in flow.ways:
        flow.ways[asked] = _find_only_able(flow, index, cause, order=order)
    return flow.ways[asked]


def _find_only_able(flow: Flow, index: int, cause: str, *, order: bool) -> Sequence[int] | None:
    search = _Search(flow, index)
    before = search.reach()
    if before is None:
        return ()
    able = [one for one in before if can_bring_in(flow, one, cause, order=order)]
    telling = search.telling if cause in VARIABLES else ()
    able = [one for one in able if one in telling or name_of(flow.program(one)) not in STARTERS] or able
    if not able:
        return None
    if len({flow.program(one).argv for one in able}) > 1:
        return ()
    return list(_way(before, able[0]))[::-1]


def is_script_with_able(flow: Flow, index: int, cause: str, *, order: bool) -> bool:
    """Return whether `index` is the script of a shell that started a program which can bring the `cause` in.

    What the script reads from that one it may print in another form.
    """
    if name_of(flow.program(index)) not in SHELLS or flow.program(index).argv[1:2] in ((), ("-c",)):
        return False
    started = (one for one, program in enumerate(flow.trace.programs) if program.parent == index)
    able = (one for one in started if can_bring_in(flow, one, cause, order=order))
    return any(name_of(flow.program(one)) not in STARTERS for one in able)


def _way(before: dict[int, int | None], index: int | None) -> Iterator[int]:
    while index is not None:
        yield index
        index = before[index]


class _Search:
    """A search against the flow, from the program `first`."""

    def __init__(self, flow: Flow, first: int) -> None:
        self._flow = flow
        self._before: dict[int, int | None] = {first: None}
        self._above: dict[int, list[tuple[int, str]]] = {}
        """Who wrote what a program read that started others, and was not reached yet; the latest first."""
        self.telling: set[int] = set()
        """Shells and make that were seen to write, and did not only open a file for another program."""

    def reach(self) -> dict[int, int | None] | None:
        """Return for each program that may have told something whom it told; None if there are too many."""
        reached = list(self._before)
        for index in reached:
            for other in (*self._told(index), *self._told_above(index)):
                if other not in self._before:
                    self._before[other] = index
                    reached.append(other)
            if len(reached) > _MOST:
                return None
        # Those above had their own text too; what they read later told nothing.
        for index in reached:
            for above in ancestors(self._flow.trace, self._flow.program(index)):
                self._before.setdefault(above, index)
        return self._before

    def _told(self, index: int) -> Iterator[int]:
        for one, source in self._flow.told(index):
            if self._flow.could_read(index, one):
                self._note(one, source)
                yield one

    def _told_above(self, index: int) -> Iterator[int]:
        flow = self._flow
        for above in ancestors(flow.trace, flow.program(index)):
            if above not in self._above:
                self._above[above] = sorted(flow.told(above), key=lambda told: -flow.program(told[0]).began)
            waiting = self._above[above]
            while waiting and flow.is_before(waiting[-1][0], index):
                one, source = waiting.pop()
                self._note(one, source)
                yield one

    def _note(self, one: int, source: str) -> None:
        if name_of(self._flow.program(one)) in STARTERS and self._flow.has_written(one, source):
            self.telling.add(one)
