"""Plays the faults side by side, each in a project of its own, and says which alerts fired and ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Semaphore

from pytest_ftc.integrations.kit.game_day.faults import Fault
from pytest_ftc.integrations.kit.game_day.ground import Ground
from pytest_ftc.integrations.kit.game_day.servers import Running, Setting, started
from pytest_ftc.integrations.kit.game_day.watch import Notice, Remote, Watch, Webhook, listening, wait_for
from pytest_ftc.model.errors import FtcError

HASTE = 4320.0
"""By what durations are divided: a week takes 140 seconds."""
SHORTEST = 15.0
"""Seconds of the shortest window: it must hold several scrapes, which are a second apart."""
_PATIENCE = 120.0
"""Seconds until an alert has to fire, or to end: more than the longest window that has to pass."""
_SESSIONS = 6
"""How many run at a time; most of the time they wait between two builds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one fault."""

    fault: Fault
    fired: float | None = None
    """Seconds from the fault to the alert; None if it did not fire."""
    ended: float | None = None
    """Seconds from the repair to the end of the alert; None if it did not end."""
    notice: Notice | None = None
    said: Sequence[str] = ()
    """What the sessions printed."""

    @property
    def passed(self) -> bool:
        """Whether the alert fired, said where its runbook is, and ended."""
        return self.fired is not None and self.ended is not None and bool(self.notice and self.notice.runbook)


@dataclass(frozen=True, slots=True, kw_only=True)
class GameDay:
    """A game day whose servers run."""

    folder: Path
    running: Running
    watch: Watch
    slots: Semaphore
    stopping: Event = field(default_factory=Event)
    """Set when nobody waits for the alerts any more."""

    def play(self, faults: Sequence[Fault], tell: Callable[[Outcome], None]) -> list[Outcome]:
        """Play `faults` side by side; `tell` is called with what became of each, as soon as that is known."""

        def one(fault: Fault) -> Outcome:
            outcome = self._play(fault)
            if not self.stopping.is_set():
                tell(outcome)
            return outcome

        with ThreadPoolExecutor(len(faults), thread_name_prefix="ftc-game-day") as threads:
            try:
                # The last ones take longest.
                return list(threads.map(one, reversed(faults)))[::-1]
            finally:
                self.stopping.set()

    def _play(self, fault: Fault) -> Outcome:
        ground = self._make_ground(fault)
        try:
            return self._break_and_repair(fault, ground)
        except (OSError, FtcError) as error:
            return Outcome(fault=fault, said=[*ground.said, str(error)])

    def _break_and_repair(self, fault: Fault, ground: Ground) -> Outcome:
        fault.prepare(ground)
        begin = time.monotonic()
        fault.inject(ground)
        # It may have ended already: some look at the last seconds only.
        if not wait_for(lambda: self._fired_since(begin, fault, ground), _PATIENCE, self.stopping):
            return Outcome(fault=fault, said=ground.said)
        broken = time.monotonic()
        notice = self.watch.look(fault.alert, ground.name)
        fault.repair(ground)
        ended = wait_for(lambda: not self._fires(fault, ground), _PATIENCE, self.stopping)
        took = time.monotonic() - broken if ended else None
        return Outcome(fault=fault, fired=broken - begin, ended=took, notice=notice, said=ground.said)

    def _make_ground(self, fault: Fault) -> Ground:
        return Ground(
            name=f"game-day-{fault.number}",
            folder=self.folder / fault.number,
            pushgateway=self.running.pushgateway,
            slots=self.slots,
        )

    def _fired_since(self, begin: float, fault: Fault, ground: Ground) -> bool:
        known = self.watch.look(fault.alert, ground.name)
        return known is not None and known.last >= begin

    def _fires(self, fault: Fault, ground: Ground) -> bool:
        known = self.watch.look(fault.alert, ground.name)
        return known is not None and known.fires


@contextlib.contextmanager
def game_day(folder: Path, runbooks: str, alertmanager: str = "") -> Iterator[GameDay]:
    """Start the servers of a game day in `folder`, and end them; alerts go to `alertmanager` if it is a URL.

    Raises FtcError if a program is missing, or does not start.
    """
    webhook = Webhook()
    with listening(webhook) as url:
        setting = Setting(
            folder=folder,
            runbooks=runbooks,
            webhook=url,
            haste=HASTE,
            shortest=SHORTEST,
            alertmanager=alertmanager.rstrip("/"),
        )
        with started(setting) as running:
            watch = Remote(alertmanager) if alertmanager else webhook
            yield GameDay(folder=folder, running=running, watch=watch, slots=Semaphore(_SESSIONS))
