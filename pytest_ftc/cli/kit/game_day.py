"""``ftc kit --game-day``: rehearses the alerts."""

from __future__ import annotations

import argparse
import contextlib
import signal
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pytest_ftc.cli.output import print_json, say
from pytest_ftc.integrations.kit.game_day.fault import Fault
from pytest_ftc.integrations.kit.game_day.faults import FAULTS, require_extras
from pytest_ftc.integrations.kit.game_day.play import Outcome, game_day
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.suggestion import did_you_mean
from pytest_ftc.reporting.terminal.store import counted


def rehearse(options: argparse.Namespace) -> int:
    """Play the faults that `options` name, and say which alerts fired and ended; return the exit status."""
    faults = _choose(options.fault)
    require_extras(faults)
    with _folder(options.folder) as folder:
        # However it is ended, the servers end, too.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with game_day(folder, options.url_of_runbooks, options.alertmanager or "") as day:
            if not options.json:
                say(f"{counted(len(faults), 'fault')}, side by side; Alertmanager: {day.running.alertmanager}")
            outcomes = day.play(faults, lambda outcome: None if options.json else say(describe(outcome)))
        for outcome in outcomes:
            with contextlib.suppress(OSError):
                (folder / f"{outcome.fault.name}.log").write_text("\n".join(outcome.said), encoding="utf-8")
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if options.json:
        print_json([_as_json(outcome) for outcome in outcomes])
    else:
        say(f"{len(outcomes) - len(failed)} of {len(outcomes)} alerts fired and ended")
        if failed and options.folder is None:
            say("give a folder, as in ftc kit --game-day DIR, to keep what the sessions printed")
    return int(bool(failed))


def describe(outcome: Outcome) -> str:
    """Return what became of an alert of a fault, in one line."""
    fault = outcome.fault
    head = f"{'✔' if outcome.passed else '✘'} {fault.name:<11}{fault.title}: {outcome.alert}"
    if outcome.fired is None:
        return f"{head} did not fire"
    if outcome.ended is None:
        return f"{head} fired after {outcome.fired:.0f} s, and did not end when the fault was repaired"
    runbook = outcome.notice.runbook if outcome.notice else ""
    return (
        f"{head} fired after {outcome.fired:.0f} s, ended after {outcome.ended:.0f} s  {runbook or 'without runbook'}"
    )


def _as_json(outcome: Outcome) -> dict[str, Any]:
    notice = outcome.notice
    return {
        "fault": outcome.fault.name,
        "title": outcome.fault.title,
        "alert": outcome.alert,
        "severity": notice.severity if notice else None,
        "runbook_url": notice.runbook if notice else None,
        "fired": outcome.fired,
        "ended": outcome.ended,
    }


def _choose(names: Sequence[str]) -> list[Fault]:
    known = {fault.name: fault for fault in FAULTS}
    for name in names:
        if name not in known:
            raise FtcError(f"there is no fault {name!r}{did_you_mean(name, known)}  Faults: {', '.join(known)}")
    return [fault for fault in FAULTS if not names or fault.name in names]


@contextlib.contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """Yield the folder of the game day; a temporary one is removed at the end."""
    if given is None:
        with tempfile.TemporaryDirectory(prefix="ftc-game-day-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    try:
        given.mkdir(parents=True, exist_ok=True)
        if any(given.iterdir()):
            raise FtcError(f"{given} is not empty; expected a new folder for the game day")
    except OSError as error:
        raise FtcError(f"{given} cannot be used: {error.strerror or error}") from None
    yield given.absolute()
