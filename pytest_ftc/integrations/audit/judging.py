"""From what was checked and executed to what is said of a cached result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_ftc.integrations.audit.cached import CachedResult
from pytest_ftc.integrations.audit.contents import Fault, FaultKind
from pytest_ftc.integrations.audit.executed import Executions, compare_with_cached, places_of
from pytest_ftc.integrations.audit.findings import PlaceFound, Standing
from pytest_ftc.model import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, or unknown."""

    standing: Standing
    text: str
    places: tuple[PlaceFound, ...] = ()


def judge_faults(faults: tuple[Fault, ...], *, of_inputs: bool = False) -> Iterator[Problem]:
    """Yield what the `faults` of contents mean."""
    standings = {FaultKind.ALTERED: Standing.ALTERED, FaultKind.MISSING: Standing.DANGLING}
    for fault in faults:
        after = "; it cannot be executed again" if of_inputs else ""
        yield Problem(standing=standings.get(fault.kind, Standing.INCONCLUSIVE), text=f"{fault}{after}")


def judge_executions(cached: CachedResult, done: Executions) -> Iterator[Problem]:
    """Yield what re-executions say of the `cached` result; nothing if all of them give the cached outputs."""
    verification = done.verification
    reason = verification.reason.partition("\n")[0]
    if verification.verdict is Verdict.ERROR:
        yield Problem(standing=Standing.INCONCLUSIVE, text=f"it could not be executed: {reason}")
    elif verification.verdict is Verdict.FAILED:
        yield _judge_failure(done, reason)
    elif verification.verdict is Verdict.FRAGILE:
        yield Problem(standing=Standing.FRAGILE, text=reason, places=places_of(verification))
    elif verification.verdict is Verdict.UNREPRODUCIBLE:
        yield Problem(standing=Standing.UNREPRODUCIBLE, text=_name_causes(done), places=places_of(verification))
    elif cached.outputs is None:
        yield Problem(standing=Standing.INCONCLUSIVE, text="its executions agree, but what is cached is not known")
    elif done.differences:
        yield _judge_difference(cached, done)


def _judge_failure(done: Executions, reason: str) -> Problem:
    """Judge an action that fails within our launcher, by how it ends without it."""
    if any(run.exit_code == 0 for run in done.plain):
        text = f"it succeeds as it is, but not within the control environment: {reason}"
        return Problem(standing=Standing.INCONCLUSIVE, text=text)
    alone = "" if done.plain else " on this machine"
    return Problem(standing=Standing.FAILS, text=f"it succeeded once, and fails now{alone}: {reason}")


def _judge_difference(cached: CachedResult, done: Executions) -> Problem:
    """Judge a result whose builds agree with each other, but not with what is cached."""
    assert cached.outputs is not None
    names = ", ".join(dict.fromkeys(difference.output for difference in done.differences[:3]))
    plain = [run.outputs for run in done.plain if run.exit_code == 0 and run.outputs is not None]
    if not plain:
        text = f"executions give other outputs than are cached ({names}); the tools of the worker may have been others"
        return Problem(standing=Standing.DIFFERS, text=text, places=done.places)
    if any(compare_with_cached(plain[0], other) for other in plain[1:]):
        text = f"its outputs differ from execution to execution, without any variation ({names})"
        return Problem(standing=Standing.UNREPRODUCIBLE, text=text, places=done.places)
    if not compare_with_cached(cached.outputs, plain[0]):
        text = f"the farm's own environment gives the cached outputs, the control's environment others ({names})"
        return Problem(standing=Standing.UNREPRODUCIBLE, text=text, places=done.places)
    text = f"all executions give the same outputs, and the cached ones are others: stale or poisoned ({names})"
    if left_out := [one.variation for one in done.verification.not_varied]:
        text += f", or dependent on what was not varied: {', '.join(left_out)}"
    return Problem(standing=Standing.DIFFERS, text=text, places=done.places)


def _name_causes(done: Executions) -> str:
    causes = dict.fromkeys(finding.cause for finding in done.verification.findings)
    outputs = dict.fromkeys(difference.output for difference in done.verification.differences)
    return f"{', '.join(causes) or 'unknown cause'}: {', '.join(list(outputs)[:3])}"
