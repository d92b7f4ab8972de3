"""Plays the faults side by side, each in a project of its own, and says which alerts fired and ended."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Semaphore

from pytest_ftc.integrations.kit.game_day.fault import Fault
from pytest_ftc.integrations.kit.game_day.ground import Ground
from pytest_ftc.integrations.kit.game_day.servers import Running, Setting, started
from pytest_ftc.integrations.kit.game_day.watch import Notice, Remote, Watch, Webhook, listening, wait_for
from pytest_ftc.integrations.kit.targets import Targets
from pytest_ftc.model.errors import FtcError

HASTE = 4320.0
"""By what durations are divided: a week takes 140 seconds."""
SHORTEST = 15.0
"""Seconds of the shortest window: it must hold several scrapes, which are a second apart."""
LIMITS = Targets(
    # One of six artifacts burns the budget slowly; more than six times the budget burn it fast.
    build_success=0.95,
    reproducible=0.95,
    verified_days=60 / 86400,
    # Half a minute, since the timeout is 600 s: running sessions tell every ten seconds how they are.
    stuck_timeouts=0.02,
    stuck_seconds=18,
)
"""What alerts expect, where the limit itself is a time, or is too small for a few builds."""
_PATIENCE = 120.0
"""Seconds until an alert has to fire, or to end: more than the longest window that has to pass."""
_SESSIONS = 8
"""How many run at a time; most of the time they wait between two builds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one alert of a fault."""

    fault: Fault
    alert: str
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
        """Play `faults` side by side, and return what became of each alert.

        `tell` is called with that, as soon as it is known.
        """

        def one(fault: Fault) -> list[Outcome]:
            outcomes = self._play(fault)
            if not self.stopping.is_set():
                for outcome in outcomes:
                    tell(outcome)
            return outcomes

        with ThreadPoolExecutor(len(faults), thread_name_prefix="ftc-game-day") as threads:
            try:
                # The last ones take longest.
                played = list(threads.map(one, reversed(faults)))
                return [outcome for outcomes in reversed(played) for outcome in outcomes]
            finally:
                self.stopping.set()

    def _play(self, fault: Fault) -> list[Outcome]:
        ground = self._make_ground(fault)
        try:
            return self._break_and_repair(fault, ground)
        except (OSError, FtcError) as error:
            said = [*ground.said, str(error)]
            return [Outcome(fault=fault, alert=alert, said=said) for alert in fault.alerts]

    def _break_and_repair(self, fault: Fault, ground: Ground) -> list[Outcome]:
        fault.prepare(ground)
        begin = time.monotonic()
        fault.inject(ground)
        # One may have ended already: some look at the last seconds only.
        fired = self._wait(fault.alerts, lambda alert: self._fired_since(begin, alert, ground))
        notices = {alert: self.watch.look(alert, ground.name) for alert in fired}
        broken = time.monotonic()
        if fired and not self.stopping.is_set():
            fault.repair(ground)
        ended = self._wait(tuple(fired), lambda alert: not self._fires(alert, ground))
        return [
            Outcome(
                fault=fault,
                alert=alert,
                fired=fired[alert] - begin if alert in fired else None,
                ended=ended[alert] - broken if alert in ended else None,
                notice=notices.get(alert),
                said=ground.said,
            )
            for alert in fault.alerts
        ]

    def _wait(self, alerts: Sequence[str], holds: Callable[[str], bool]) -> dict[str, float]:
        """Wait until it `holds` for all `alerts`; return when it first did, by the monotonic clock, where it did."""
        found: dict[str, float] = {}

        def look() -> bool:
            for alert in alerts:
                if alert not in found and holds(alert):
                    found[alert] = time.monotonic()
            return len(found) == len(alerts)

        wait_for(look, _PATIENCE, self.stopping)
        return found

    def _make_ground(self, fault: Fault) -> Ground:
        return Ground(
            name=f"game-day-{fault.name}",
            folder=self.folder / fault.name,
            pushgateway=self.running.pushgateway,
            slots=self.slots,
        )

    def _fired_since(self, begin: float, alert: str, ground: Ground) -> bool:
        known = self.watch.look(alert, ground.name)
        return known is not None and known.last >= begin

    def _fires(self, alert: str, ground: Ground) -> bool:
        known = self.watch.look(alert, ground.name)
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
            targets=LIMITS,
            alertmanager=alertmanager.rstrip("/"),
        )
        with started(setting) as running:
            watch = Remote(alertmanager) if alertmanager else webhook
            yield GameDay(folder=folder, running=running, watch=watch, slots=Semaphore(_SESSIONS))
