"""Collects the phases of a session, in all its threads."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

from pytest_ftc.model.timing.phase import Phase, PhaseKind, Value
from pytest_ftc.model.timing.trace_context import TraceContext, new_span

P = ParamSpec("P")
R = TypeVar("R")

Listener = Callable[[Phase], None]
"""Called as each phase ends, in the thread of that phase, and so it must be quick."""


@dataclass(slots=True)
class OpenPhase:
    """A phase that has not ended."""

    id: str
    attributes: dict[str, Value] = field(default_factory=dict)
    problem: str = ""

    def set(self, **attributes: Value) -> None:
        """Add `attributes`."""
        self.attributes.update(attributes)

    def fail(self, problem: str) -> None:
        """Say why it failed.  The text goes to other systems, and must not quote what builds print."""
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Measures from when it was made."""

    started: float = field(default_factory=time.time)
    """Seconds since 1970."""
    _begin: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """The seconds until now."""
        return time.perf_counter() - self._begin


class Timing(Protocol):
    """Takes note of phases."""

    def phase(
        self, kind: PhaseKind, name: str = "", *, span: str = "", **attributes: Value
    ) -> contextlib.AbstractContextManager[OpenPhase]:
        """Return a context manager: a phase inside the one that this thread is in; its ID is `span`, or random."""

    def add(self, kind: PhaseKind, name: str, started: float, seconds: float, **attributes: Value) -> None:
        """Add a phase that was measured elsewhere, inside the one that this thread is in."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a thread is."""

    timing: Timing
    span: str
    """The ID of the phase that it is in."""
    kept: list[Phase] | None = None


class Collector:
    """Collects the phases of a session."""

    def __init__(self, context: TraceContext) -> None:
        self.context = context
        self._listeners: tuple[Listener, ...] = ()
        self.problem = ""
        """Why a listener is no longer called, in one sentence."""

    def listen(self, listener: Listener) -> None:
        """Call `listener` with each phase from now on, as it ends."""
        self._listeners = (*self._listeners, listener)

    @contextlib.contextmanager
    def collecting(self) -> Iterator[Sequence[Phase]]:
        """Make this the collector of the calling thread; yield the list of phases that have ended, which grows."""
        kept: list[Phase] = []
        token = _PLACE.set(_Place(self, self.context.session_span, kept))
        try:
            yield kept
        finally:
            _PLACE.reset(token)

    @contextlib.contextmanager
    def phase(self, kind: PhaseKind, name: str = "", *, span: str = "", **attributes: Value) -> Iterator[OpenPhase]:
        """See `Timing`.  An exception ends the phase, with the name of its class as the problem."""
        outer = self._place()
        opened = OpenPhase(span or new_span(), attributes)
        token = _PLACE.set(_Place(self, opened.id, outer.kept))
        watch = Stopwatch()
        try:
            yield opened
        except BaseException as error:
            opened.problem = opened.problem or type(error).__name__
            raise
        finally:
            seconds = watch.seconds
            _PLACE.reset(token)
            self._end(outer, opened, kind, name, (watch.started, seconds))

    def add(self, kind: PhaseKind, name: str, started: float, seconds: float, **attributes: Value) -> None:
        """See `Timing`."""
        self._end(self._place(), OpenPhase(new_span(), attributes), kind, name, (started, seconds))

    def _place(self) -> _Place:
        place = _PLACE.get()
        return place if place and place.timing is self else _Place(self, self.context.session_span)

    def _end(self, outer: _Place, opened: OpenPhase, kind: PhaseKind, name: str, when: tuple[float, float]) -> None:
        phase = Phase(
            id=opened.id,
            parent=outer.span,
            kind=kind,
            name=name,
            started=when[0],
            seconds=when[1],
            attributes=opened.attributes,
            problem=opened.problem,
        )
        if outer.kept is not None:
            outer.kept.append(phase)
        for listener in self._listeners:
            self._tell(listener, phase)

    def _tell(self, listener: Listener, phase: Phase) -> None:
        try:
            listener(phase)
        except Exception as error:
            # Whoever only observes must not change a verdict.
            self._listeners = tuple(one for one in self._listeners if one is not listener)
            self.problem = f"phases are no longer observed: {type(error).__name__}: {error}"


class _Untimed:
    """Takes note of nothing."""

    def phase(
        self, kind: PhaseKind, name: str = "", *, span: str = "", **attributes: Value
    ) -> contextlib.AbstractContextManager[OpenPhase]:
        """See `Timing`."""
        return contextlib.nullcontext(OpenPhase(""))

    def add(self, kind: PhaseKind, name: str, started: float, seconds: float, **attributes: Value) -> None:
        """See `Timing`."""


UNTIMED: Timing = _Untimed()

_PLACE: ContextVar[_Place | None] = ContextVar("pytest_ftc_place", default=None)


def timing() -> Timing:
    """Return who takes note of the phases of the calling thread; one who does not, outside of sessions."""
    place = _PLACE.get()
    return place.timing if place else UNTIMED


def here(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` for other threads: its phases are inside the one that the calling thread is in now."""
    context = copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        # A context can be entered once at a time, and pools run the function many times.
        return context.copy().run(partial(function, *args, **kwargs))

    return run
