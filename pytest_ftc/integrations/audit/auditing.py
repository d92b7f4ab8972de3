"""Auditing the actions of a cache, several at a time: fetched, checked, executed again, judged."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain

from pytest_ftc.integrations.audit.cached import CachedResult, examine_result
from pytest_ftc.integrations.audit.contents import Contents, FaultsError
from pytest_ftc.integrations.audit.described import DescribedAction, fetch_action, fetch_inputs
from pytest_ftc.integrations.audit.executed import Executions
from pytest_ftc.integrations.audit.findings import AuditedAction, Standing
from pytest_ftc.integrations.audit.judging import Problem, judge_executions, judge_faults
from pytest_ftc.integrations.audit.listing import ListedAction
from pytest_ftc.integrations.audit.rebuilding import Rebuilder, why_not_executed
from pytest_ftc.integrations.audit.state import State
from pytest_ftc.integrations.audit.trees import UnfitError
from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.action_cache import RemoteActionCache
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.errors import CancelledError
from pytest_ftc.integrations.reapi.merkle import Entry
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.printable import shorten

_ORDER = list(Standing)
_MOST_OUTPUTS = 200
"""Outputs of an action that are remembered."""
_ABSENT = "the action cache has no result for it"


@dataclass(slots=True)
class Sample:
    """How many more actions are to be executed again."""

    left: int
    lock: threading.Lock

    def take(self) -> bool:
        """Return whether one more is to be executed."""
        with self.lock:
            self.left -= 1
            return self.left >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditor:
    """Audits the actions of the cache behind `source`."""

    source: Connection
    contents: Contents
    rebuilder: Rebuilder | None
    """None to check contents only."""
    state: State
    again: bool
    """Whether actions are audited that earlier audits have settled."""
    sample: Sample
    most: int
    """Bytes of the inputs of one action."""

    def run(
        self, listed: Sequence[ListedAction], at_once: int, show: Callable[[AuditedAction], None]
    ) -> list[AuditedAction]:
        """Audit the actions `listed`, in an order that makes the first ones a fair sample; `show` each in this thread.

        Raises TransientError and RemoteError where the server cannot be used at all.
        """
        ordered = sorted(listed, key=lambda one: hashlib.sha256(one.digest.hash.encode()).digest())
        pool = ThreadPoolExecutor(at_once, thread_name_prefix="ftc-audit")
        try:
            done = []
            for audited in pool.map(self.audit, ordered):
                done.append(audited)
                show(audited)
            return done
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def audit(self, listed: ListedAction) -> AuditedAction:
        """Audit one action.  Raises CancelledError."""
        base = AuditedAction(action=str(listed.digest), label=listed.label, command="", standing=Standing.INCONCLUSIVE)
        try:
            audited = self._audit(listed, base)
        except CancelledError:
            raise
        except (UnfitError, FtcError, OSError) as error:
            audited = replace(base, reason=shorten(str(error)))
        except Exception as error:
            # A bug of ours, or an answer that nobody thought of, must cost only this action's result.
            text = f"internal error, please report it: {type(error).__name__}: {error}"
            audited = replace(base, reason=shorten(text))
        self.state.add(audited)
        return audited

    def _audit(self, listed: ListedAction, base: AuditedAction) -> AuditedAction:
        message = self.source.call(RemoteActionCache(self.source).get(listed.digest))
        if message is None:
            return self._explain_absence(listed, base)
        base = replace(base, result=str(Digest.of(api.serialize(message))))
        executes = self.rebuilder is not None and self.sample.take()
        known = None if self.again else self.state.find(base.action, base.result, executes=executes)
        return known or self._examine(listed.digest, message, base, executes=executes)

    def _explain_absence(self, listed: ListedAction, base: AuditedAction) -> AuditedAction:
        """Servers that look after their cache give no result whose contents are gone."""
        outputs = listed.outputs or tuple(_digests_of(self.state.outputs_of(base.action)))
        names = {digest: f"output {path}" for path, digest in outputs} | {listed.digest: "the action"}
        faults = self.source.call(self.contents.find_missing(names))
        gone = [fault for fault in faults if fault.digest != listed.digest]
        if gone:
            problems = [
                Problem(standing=Standing.DANGLING, text=f"{fault}; the server gives no result") for fault in gone
            ]
            return _conclude(base, problems, None, "")
        return replace(base, standing=Standing.ABSENT, reason=_ABSENT + _guess(outputs, action_is_there=not faults))

    def _examine(self, digest: Digest, message: object, base: AuditedAction, *, executes: bool) -> AuditedAction:
        action, inputs, problems = self._fetch(digest)
        folder = action.folder if action else ""
        cached = self.source.call(examine_result(self.contents, message, folder))
        problems += judge_faults(cached.faults)
        base = replace(base, command=action.shown if action else "", outputs=_outputs_of(cached))
        if not executes or action is None or inputs is None:
            return _conclude(base, problems, None, "")
        if why := why_not_executed(action, cached):
            return _conclude(base, problems, None, why)
        assert self.rebuilder is not None, "it executes"
        try:
            done = self.rebuilder.execute(action, inputs, cached, digest.hash[:12])
        except FaultsError as error:
            return _conclude(base, [*problems, *judge_faults(error.faults, of_inputs=True)], None, "")
        return _conclude(base, [*problems, *judge_executions(cached, done)], done, "")

    def _fetch(self, digest: Digest) -> tuple[DescribedAction | None, list[Entry] | None, list[Problem]]:
        """Return the action and its inputs, as far as they can be had, and what is wrong with them."""
        action = None
        try:
            action = self.source.call(fetch_action(self.contents, digest))
            inputs = self.source.call(fetch_inputs(self.contents, action, self.most))
            names = {entry.digest: f"input {shorten(entry.path)}" for entry in inputs if entry.digest}
            faults = tuple(self.source.call(self.contents.check(names)))
        except FaultsError as error:
            faults, inputs = error.faults, None
        except UnfitError as error:
            return action, None, [Problem(standing=Standing.INCONCLUSIVE, text=f"it cannot be executed: {error}")]
        return action, None if faults else inputs, [*judge_faults(faults, of_inputs=True)]


def _guess(outputs: Sequence[tuple[str, Digest]], *, action_is_there: bool) -> str:
    """Return what the absence of a result may mean: one that was never there, evicted or hidden has the same answer."""
    if outputs:
        return ", although the outputs that are known are there: it may have been evicted"
    if not action_is_there:
        return ""
    return ", although the action itself is there: it was evicted, or its outputs are gone; only a log names them"


def _outputs_of(cached: CachedResult) -> tuple[tuple[str, str], ...]:
    files = [one for one in cached.outputs or () if one.sha256][:_MOST_OUTPUTS]
    return tuple((shorten(one.path), str(Digest(one.sha256, one.size))) for one in files)


def _digests_of(outputs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, Digest]]:
    """Yield the digests that a file of ours holds; a line that was damaged costs only what it says."""
    for path, text in outputs:
        with contextlib.suppress(ValueError):
            yield path, Digest.parse(text)


def _conclude(base: AuditedAction, problems: Sequence[Problem], done: Executions | None, why: str) -> AuditedAction:
    """Return what is said of an action: the worst of its `problems` is its standing."""
    fine = Standing.REPRODUCIBLE if done else Standing.INTACT
    worst = min(problems, key=lambda one: _ORDER.index(one.standing), default=None)
    audited = replace(
        base,
        standing=worst.standing if worst else fine,
        reason=shorten(worst.text if worst else why),
        problems=tuple(shorten(problem.text) for problem in problems[:100]),
        found=tuple(chain.from_iterable(problem.places for problem in problems))[:100],
    )
    return _with_executions(audited, done) if done else audited


def _with_executions(audited: AuditedAction, done: Executions) -> AuditedAction:
    verification = done.verification
    return replace(
        audited,
        varied=verification.varied,
        not_varied=tuple((one.variation, shorten(one.reason)) for one in verification.not_varied),
        executions=len(verification.builds) + len(done.plain),
        notes=tuple(_notes(done)),
    )


def _notes(done: Executions) -> Iterator[str]:
    yield from map(shorten, done.verification.notes[:20])
    for build in done.verification.builds[:2]:
        if build.log_tail:
            yield f"the log of the {build.role.value} ends: {shorten(build.log_tail[-200:])}"
