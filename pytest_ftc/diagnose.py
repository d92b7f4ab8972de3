"""Why an artifact differs: the cause of each difference, confirmed by rebuilding, who wrote it, and what helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_ftc.diagnosis.canaries import Strength, Suspicion
from pytest_ftc.diagnosis.culprits import (
    describe_circumstances,
    find_culprit,
    is_made_in_parallel,
    name_tools,
)
from pytest_ftc.diagnosis.group_testing import (
    Group,
    Observation,
    comes_by_itself,
    is_sure,
    needs_several,
    next_groups,
    proved_causes,
    share,
    smallest_healing,
    suspects_left,
    with_entailed,
)
from pytest_ftc.diagnosis.places import Key, Places, show_values
from pytest_ftc.model import BuildResult, BuildStatus, Finding, Leaf, Program, Trace
from pytest_ftc.rebuilding import Rebuilder
from pytest_ftc.treatment import Patient, treat

_AT_ONCE = 2
_FOR_REMEDIES, _FOR_ONE_REMEDY = 4, 2
"""Builds that are kept for trying remedies, when a cause is known and before."""
_INHERENT = ("random", "race", "time")
"""Causes of what differs between two builds in the same environment."""

Look = Callable[[BuildResult, BuildResult], Places]
"""Returns the places in which two builds differ."""
Suspect = Callable[[Leaf, BuildResult, BuildResult], Sequence[Suspicion]]
"""Returns what the values of a place point to, the most likely first."""


@dataclass(slots=True)
class _Case:
    """One place that differs, and what is known of it."""

    leaf: Leaf
    suspicions: Sequence[Suspicion]
    observations: list[Observation] = field(default_factory=list)
    planted: set[str] = field(default_factory=set)
    """Causes of which a build that varied them alone held the experiment's own value."""
    parallel: bool | None = None
    """Whether it was made by several at a time; None when that is not known."""
    races: bool | None = None
    """Whether its output is the same in two builds on one CPU; None when that was not tried."""

    @property
    def suspects(self) -> list[str]:
        return list(dict.fromkeys(suspicion.cause for suspicion in self.suspicions))

    @property
    def evident(self) -> list[str]:
        """Causes whose own values stand on both sides."""
        return [suspicion.cause for suspicion in self.suspicions if suspicion.strength >= Strength.STRONG]


def diagnose(
    control: BuildResult,
    experiment: BuildResult,
    varied: Sequence[str],
    look: Look,
    suspect: Suspect,
    rebuilder: Rebuilder | None,
    *,
    tree: str,
    epoch: int,
) -> tuple[Finding, ...]:
    """Return findings for each place in which `experiment` differs from `control`, the most explanatory cause first.

    Without a `rebuilder` the values alone tell, and nothing is confirmed.  `tree` is the build path of the control,
    `epoch` the time that a remedy sets.
    """
    everything = frozenset(varied)
    places = look(control, experiment)
    cases = {key: _Case(leaf, suspect(leaf, control, experiment)) for key, leaf in places.items()}
    for case in cases.values():
        case.observations.append(Observation(everything, True))
    trace = _confirm(cases, control, everything, look, rebuilder, tree) if rebuilder else None
    _let_follow(cases)
    found = [
        (key, *_find(key, case, cause, trace, tree))
        for key, case in cases.items()
        for cause in _conclude(case, everything)
    ]
    if rebuilder:
        patients = [_patient(key, cases[key], finding, program, trace) for key, finding, program in found]
        remedies = treat(patients, look, rebuilder, epoch)
        findings = [
            replace(finding, remedy=remedies.get(patient))
            for patient, (_, finding, _) in zip(patients, found, strict=True)
        ]
    else:
        findings = [finding for _, finding, _ in found]
    counts = Counter(finding.cause for finding in findings)
    return tuple(
        sorted(
            findings, key=lambda finding: (finding.cause == "unknown", not finding.confirmed, -counts[finding.cause])
        )
    )


def _confirm(
    cases: Mapping[Key, _Case], control: BuildResult, everything: Group, look: Look, rebuilder: Rebuilder, tree: str
) -> Trace | None:
    """Rebuild until it is known of each case which variations cause it; return the trace of the first build."""
    trace: Trace | None = None
    groups: list[Group] = [frozenset(), *_proposals(cases, everything, _AT_ONCE - 1)]
    first = True
    while groups and rebuilder.left:
        results = rebuilder.varying(groups[: rebuilder.left], trace=first)
        trace = results[0].trace if first else trace
        first = False
        for group, result in zip(groups, results, strict=False):
            _observe(cases, control, with_entailed(group, everything), result, look)
        spare = rebuilder.left - (_FOR_REMEDIES if _is_any_known(cases, everything) else _FOR_ONE_REMEDY)
        groups = _proposals(cases, everything, min(_AT_ONCE, spare)) if spare > 0 else []
    if trace:
        _tell_races(cases, everything, look, rebuilder, trace, tree)
    return trace


def _proposals(cases: Mapping[Key, _Case], everything: Group, most: int) -> list[Group]:
    return share({key: list(_next_groups(case, everything)) for key, case in cases.items()}, most)


def _next_groups(case: _Case, everything: Group) -> Iterator[Group]:
    yield from next_groups(everything, case.suspects, case.evident, case.observations)
    if comes_by_itself(case.observations):
        # What else is in it shows by its value alone.
        done = {one.varied for one in case.observations}
        groups = (with_entailed(frozenset({name}), everything) for name in case.evident if name not in _INHERENT)
        yield from (group for group in groups if group not in done)


def _is_any_known(cases: Mapping[Key, _Case], everything: Group) -> bool:
    return any(confirmed for case in cases.values() for _, confirmed in _conclude(case, everything))


def _observe(cases: Mapping[Key, _Case], control: BuildResult, group: Group, result: BuildResult, look: Look) -> None:
    if result.status is not BuildStatus.OK:
        return
    differing = look(control, result)
    known = {key.output for key in differing if key in cases}
    # Places may shift: an output that differs in none of those known differs in all.
    shifted = {key.output for key in differing} - known
    for key, case in cases.items():
        case.observations.append(Observation(group, key in differing or key.output in shifted))
        if key in differing:
            case.planted.update(one.cause for one in case.suspicions if _is_planted(one, group, differing[key]))


def _is_planted(suspicion: Suspicion, group: Group, leaf: Leaf) -> bool:
    value = suspicion.experiment.encode("utf-8", "surrogateescape")
    return suspicion.cause in group and len(group) == 1 and bool(value) and value in leaf.experiment


def _tell_races(
    cases: Mapping[Key, _Case], everything: Group, look: Look, rebuilder: Rebuilder, trace: Trace, tree: str
) -> None:
    """Look who made what no value explains; where it may be a race, build twice on one CPU to see if it goes away."""
    for key, case in cases.items():
        if not case.evident:
            path = f"{tree}/{key.output}"
            program = find_culprit(trace, path, [show_values(case.leaf).control], case.leaf.format)
            threads = "race" in case.suspects
            case.parallel = is_made_in_parallel(trace, path, program, threads=threads) if program else None
    doubtful = {
        key: case
        for key, case in cases.items()
        if case.parallel and not case.suspects and comes_by_itself(case.observations)
    }
    alone = frozenset({"num_cpus"})
    if not doubtful or not alone & everything or rebuilder.left < 2:
        return
    one, other = rebuilder.varying([alone, alone])
    if any(build.status is not BuildStatus.OK for build in (one, other)):
        return
    still = {key.output for key in look(one, other)}
    for key, case in doubtful.items():
        case.races = key.output not in still


def _conclude(case: _Case, everything: Group) -> list[tuple[str, bool]]:
    """Return the causes of a case, each with whether builds have confirmed it."""
    suspects, observations = case.suspects, case.observations
    if comes_by_itself(observations):
        others = (name for name in case.evident if name not in _INHERENT)
        return [(_name_inherent(case), True), *((name, name in case.planted) for name in others)]
    proved = proved_causes(everything, observations)
    if needs_several(everything, observations):
        proved = smallest_healing(everything, observations)
        likely = [name for name in suspects if name in proved]
        name = "race" if case.parallel else (likely or ["random"])[0]
        return [(name, len(proved) == 1 and name in case.evident)]
    if proved:
        names = [*(name for name in suspects if name in proved), *sorted(proved - set(suspects))]
        told = [(name, name in case.evident or is_sure(name, everything, observations)) for name in names]
        return told if any(sure for _, sure in told) or not case.parallel else [("race", False)]
    left = suspects_left(everything, observations)
    likely = [name for name in suspects if name in left or name in _INHERENT]
    return [(likely[0] if likely else "unknown", False)]


def _let_follow(cases: Mapping[Key, _Case]) -> None:
    """Let what nothing explains follow from a place of the same output that comes by itself too: digests mostly do."""
    leading: dict[str, Suspicion] = {}
    for key, case in cases.items():
        if comes_by_itself(case.observations) and case.suspicions and case.suspicions[0].strength >= Strength.STRONG:
            leading.setdefault(key.output, case.suspicions[0])
    for key, case in cases.items():
        if key.output in leading and not case.evident and comes_by_itself(case.observations):
            cause = leading[key.output].cause
            why = f"it follows from another place of this output, where {cause} shows"
            case.suspicions = [Suspicion(cause, Strength.GUESS, "", "", why), *case.suspicions]


def _name_inherent(case: _Case) -> str:
    if case.races:
        return "race"
    inherent = [name for name in case.suspects if name in _INHERENT and (name != "race" or case.parallel is not False)]
    return inherent[0] if inherent else "random"


def _find(
    key: Key, case: _Case, cause: tuple[str, bool], trace: Trace | None, tree: str
) -> tuple[Finding, Program | None]:
    name, confirmed = cause
    telling = next((one for one in case.suspicions if one.cause == name), None)
    evidence = show_values(case.leaf, telling.control if telling else "", telling.experiment if telling else "")
    program = find_culprit(trace, f"{tree}/{key.output}", [evidence.control], case.leaf.format) if trace else None
    finding = Finding(
        output=key.output,
        member=case.leaf.member,
        location=case.leaf.location,
        cause=name,
        confirmed=confirmed,
        evidence=evidence,
        command=program.argv if program else (),
        circumstances=describe_circumstances(trace, program, tree) if trace and program else "",
        why="; ".join(filter(None, (telling.why if telling else "", _tell_builds(case, name, confirmed)))),
    )
    return finding, program


def _patient(key: Key, case: _Case, finding: Finding, program: Program | None, trace: Trace | None) -> Patient:
    return Patient(
        key=key,
        leaf=case.leaf,
        cause=finding.cause,
        known=finding.confirmed or finding.cause in case.evident,
        tools=name_tools(trace, program) if trace and program else (),
    )


def _tell_builds(case: _Case, cause: str, confirmed: bool) -> str:
    """Return what the builds told of a cause that no value speaks for."""
    repeats = [one.shows for one in case.observations if not one.varied]
    if cause in ("random", "race") and any(repeats):
        return f"it shows in {sum(repeats)} of {len(repeats)} more builds in the same environment"
    if cause in ("random", "race") and not confirmed:
        return "it comes and goes, or shows only where several variations meet"
    if cause in case.suspects or not confirmed:
        return ""
    return f"it shows where {cause} is varied, and not where it is not"
