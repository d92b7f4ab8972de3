"""The diagnosis of an artifact: the cause of each difference, confirmed by rebuilding, its command and its remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.diagnosis.canaries.random_tokens import TEMPORARY, is_name_in_path
from pytest_ftc.diagnosis.canaries.timestamps.clocks import BY_ITS_CLOCK
from pytest_ftc.diagnosis.case import UNVARIED_TOO, Case, Investigation
from pytest_ftc.diagnosis.conclude import MORE_TIME, let_follow, why_by_builds
from pytest_ftc.diagnosis.confirm import confirm, resume, still_open
from pytest_ftc.diagnosis.culprits.commands import describe_circumstances, find_given, name_programs, name_tools
from pytest_ftc.diagnosis.culprits.machines import explain_machines
from pytest_ftc.diagnosis.culprits.script_lines import find_line
from pytest_ftc.diagnosis.culprits.tracker import track
from pytest_ftc.diagnosis.culprits.trail import Trail
from pytest_ftc.diagnosis.following.commands import name_leading_commands
from pytest_ftc.diagnosis.following.conclude import conclude_all, note_late_sources, note_sources, suspect_names
from pytest_ftc.diagnosis.following.refuted import without_refuted
from pytest_ftc.diagnosis.following.units import name_compiles
from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.inherent.clock import BY_STOPPED_CLOCK
from pytest_ftc.diagnosis.inherent.pairs import FOR_REMEDIES
from pytest_ftc.diagnosis.inherent.turns import AT_TURN
from pytest_ftc.diagnosis.inherent.uncovered import add_uncovered
from pytest_ftc.diagnosis.parts import MOST_WITH_PARTS, open_beside, place_by_cause
from pytest_ftc.diagnosis.places import Key, show_values
from pytest_ftc.diagnosis.trials.shared import with_shared
from pytest_ftc.diagnosis.try_remedies import RemedyTarget, RemedyTrials
from pytest_ftc.model import BuildResult, Cause, Finding, Program, Remedy, RemedyTemplate, Strength, Suspicion, Trace
from pytest_ftc.model.protocols import Rebuilder

_MORE_BUILDS = "builds were too few to settle it; a larger --ftc-max-builds=N can"
_TOLD = frozenset({Cause.TIME, Cause.SOURCE_MTIME, Cause.TIMEZONE})
"""Causes whose values are others in each build, and are recognised in each."""

_NO_PROOF = ((1.0, 1.0),)
"""The luck of what always agrees."""


def diagnose(
    experiment: BuildResult, given: Investigation, *, epoch: int, templates: Sequence[RemedyTemplate] = ()
) -> tuple[Finding, ...]:
    """Return findings for each place in which `experiment` differs from the control, most common cause first.

    Without a rebuilder, only the values are used, and nothing is confirmed.  `epoch` is the time (seconds since 1970)
    that remedies set; `templates` are tested before those of the catalogue.
    """
    cases = _open_cases(experiment, given)
    note_sources(cases, given.twins)
    suspect_names(cases)
    traced = confirm(cases, given)
    found = _find_all(cases, traced, given)
    if given.rebuilder is None:
        return _sort([finding for finding, _ in found])
    both = cache(partial(_build_on_both_machines, given.rebuilder))
    machines = _explain_machines([finding for finding, _ in found], both)
    trials = RemedyTrials(given.look, given.rebuilder, epoch, templates, given.control, given.suspect)
    remedies: dict[tuple[Key, str], Remedy] = {}
    known = [target for _, target in found if target.known and target.luck != _NO_PROOF]
    if known and (still_open(cases, given.everything) or given.rebuilder.left <= FOR_REMEDIES):
        # Causes come before remedies that may help by luck, but after those of causes that are known.
        remedies = _name(trials.run([target for _, target in found], eager=False), known)
    if resume(cases, given):
        found = _find_all(cases, traced, given)
        machines = _explain_machines([finding for finding, _ in found], both)
    targets = [target for _, target in found]
    tried = [target for target in targets if target.luck != _NO_PROOF]
    rest = [target for target in tried if (target.key, target.cause) not in remedies]
    remedies |= _name(trials.run(rest, beside=targets), rest)
    best = dict(with_shared({target: remedies.get((target.key, target.cause)) for target in tried}, trials.built))
    best |= trials.beside(()).run([target for target in targets if target.luck == _NO_PROOF], eager=False)
    chosen = _choose_remedies(targets, best, cases)
    findings = [replace(finding, remedy=remedy) for finding, remedy in zip(machines, chosen, strict=True)]
    told = without_refuted(list(zip(findings, targets, strict=True)), trials)
    return _sort(add_uncovered(told, cases, trials))


def _name(remedies: Mapping[RemedyTarget, Remedy], targets: Sequence[RemedyTarget]) -> dict[tuple[Key, str], Remedy]:
    return {(target.key, target.cause): remedies[target] for target in targets if target in remedies}


def _find_all(
    cases: Mapping[Key, Case], traced: BuildResult | None, given: Investigation
) -> list[tuple[Finding, RemedyTarget]]:
    """Return the findings of all `cases`, each with what selects its remedies."""
    own = {key: case.suspicions for key, case in cases.items()}
    let_follow(cases, given.everything)
    note_late_sources(cases, given.everything)
    trace = traced.trace if traced else None
    follow = track(cases, given, traced)
    tools_of = cache(partial(name_tools, trace)) if trace else lambda _: ()
    line_of = cache(lambda program: find_line(trace, program, given.tree) if trace else "")
    ran = name_programs(trace) if trace and not trace.gaps else frozenset()
    unsettled = still_open(cases, given.everything) if given.rebuilder else frozenset()
    told = list(conclude_all(cases, given.everything))
    divided = {key for key, case, _ in told if case is not cases[key] and case is not cases[key].hidden}
    found, seen = [], set[Key]()
    causes: dict[Key, set[str]] = {}
    for key, _, (name, _) in told:
        causes.setdefault(key, set()).add(name)
    # A place whose value tells its cause stands before those that only builds explain, such as the offsets after it.
    for key, case, cause in sorted(told, key=lambda one: one[2][0] not in one[1].evident):
        trail = _follow(key, case, cases, cause[0], follow)
        # The first finding of a place keeps it, so that all that differs is told.
        place = place_by_cause(case, cause[0], frozenset(causes[key] - {cause[0]})) if key in seen else case.place
        seen.add(key)
        finding, program = _find(key, replace(case, place=place), cause, trace, given, trail)
        if key in unsettled and not finding.confirmed and finding.cause != Cause.UNKNOWN:
            finding = _add_why(finding, MORE_TIME if given.is_late else _MORE_BUILDS)
        finding = replace(finding, command_line=line_of(program) if program else "")
        wrote = (program,) if program else trail.chain
        tools = tuple(
            dict.fromkeys((*(tool for one in wrote for tool in tools_of(one)), *_kinds(key, case, cause[0], cases)))
        )
        target = _target(key, case, finding, tools, _luck(key, case, cases, given))
        # Of a part, builds with a remedy show the whole place.
        alone = key not in divided and case is cases[key]
        found.append((finding, replace(target, place=cases[key].place, ran=ran, alone=alone)))
    for key, case in cases.items():
        # More builds may show that a place does not follow from another one.
        case.suspicions = own[key]
    return name_compiles(name_leading_commands(found, cases), trace, given.control, line_of)


def _add_why(finding: Finding, why: str) -> Finding:
    return replace(finding, why="; ".join(filter(None, (finding.why, why))))


def _kinds(key: Key, case: Case, cause: str, cases: Mapping[Key, Case]) -> tuple[str, ...]:
    """Return what values of `cause` tell for the choice of remedies: of what is computed, those that it is of."""
    of = [one for other, one in cases.items() if other[:2] == key[:2]] if case.place.note == FOLLOWS else [case]
    telling = ((one, next((each for each in one.suspicions if each.cause == cause), None)) for one in of)
    is_name = cause == Cause.RANDOM and any(is_name_in_path(one.place, told) for one, told in telling)
    return (TEMPORARY,) if is_name else ()


def _choose_remedies(
    targets: Sequence[RemedyTarget], remedies: Mapping[RemedyTarget, Remedy], cases: Mapping[Key, Case]
) -> Iterator[Remedy | None]:
    """Yield the remedy of each of `targets`; for one that follows from others theirs, if they have the same."""
    by_place = {target.key: remedies.get(target) for target in reversed(targets)}
    by_cause = {(target.key, target.cause): remedies.get(target) for target in targets}
    for target in targets:
        sources = cases[target.key].sources
        theirs = [by_cause.get((source, target.cause), by_place.get(source)) for source in sources]
        own: list[Remedy | None] = [one for source in sources if (one := by_cause.get((source, target.cause)))]
        # Advice for its cause is right whatever other causes it has; what heals one of them does not heal it.
        theirs = own if own and own[0] and not own[0].tried else theirs
        same = all(one == theirs[0] for one in theirs)
        yield (theirs[0] if same else None) if theirs else remedies.get(target)


def _build_on_both_machines(rebuilder: Rebuilder) -> Sequence[BuildResult]:
    return rebuilder.on_both_machines() if rebuilder.left >= 2 else ()


def _explain_machines(findings: Sequence[Finding], both: Callable[[], Sequence[BuildResult]]) -> list[Finding]:
    """Return the `findings`; those whose cause is the machine with what differs between the two machines.

    `both` returns builds on these; none if there are no builds left.
    """
    if not any(finding.cause == Cause.MACHINE for finding in findings) or not both():
        return list(findings)
    one, other = both()
    return [
        _add_why(finding, explain_machines(one, other, finding.command)) if finding.cause == Cause.MACHINE else finding
        for finding in findings
    ]


def _open_cases(experiment: BuildResult, given: Investigation) -> dict[Key, Case]:
    places = given.look(given.control, experiment)
    cases = {}
    for key, place in places.items():
        found = given.suspect(place, given.control, experiment)
        cases[key] = Case(place, found, [Observation(given.everything, True)])
        if len(places) <= MOST_WITH_PARTS:
            cases[key].beside = open_beside(place, found, given)
    return cases


def _sort(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    counts = Counter(finding.cause for finding in findings)
    return tuple(
        sorted(
            findings,
            key=lambda finding: (finding.cause == Cause.UNKNOWN, not finding.confirmed, -counts[finding.cause]),
        )
    )


def _origin(key: Key, case: Case, cases: Mapping[Key, Case]) -> tuple[Key, Case]:
    """Return where a place comes from: what follows from another place is due to the command that wrote that one."""
    source = next(iter(cases[key].sources), None)
    return (source, cases[source]) if source else (key, case)


def _follow(
    key: Key, case: Case, cases: Mapping[Key, Case], cause: str, follow: Callable[[Key, Case, str], Trail]
) -> Trail:
    """Return how the value of `cause` came here; the zone and the words of a time come with it."""
    own = follow(*_origin(key, case, cases), cause)
    time = _find_time_with(cause, cases[key].suspicions, known=own.program is not None)
    if not time:
        return own
    with_time = follow(*_origin(key, cases[key], cases), time)
    return with_time if with_time.program else own


def _find_time_with(cause: str, suspicions: Sequence[Suspicion], *, known: bool) -> str:
    """Return the cause of the time that has the value of `cause`, a zone or words, in it; empty if there is none.

    If it is not `known` who wrote that value, any time in the same place is one.
    """
    if cause not in (Cause.TIMEZONE, Cause.LOCALES):
        return ""
    value = next((one.control for one in suspicions if one.cause == cause), "")
    times = [one for one in suspicions if one.cause in (Cause.TIME, Cause.SOURCE_MTIME)]
    strong = [
        one for one in times if one.strength >= Strength.STRONG and (not known or (value and value in one.control))
    ]
    return strong[0].cause if strong else ""


def _find(
    key: Key,
    case: Case,
    cause: tuple[str, bool],
    trace: Trace | None,
    given: Investigation,
    trail: Trail,
) -> tuple[Finding, Program | None]:
    name, confirmed = cause
    telling = next((one for one in case.suspicions if one.cause == name), None)
    evidence = show_values(case.place, telling.control if telling else "", telling.experiment if telling else "")
    program = trail.program
    sibling = find_given(trace, program, evidence.control) if trace and program else None
    by_builds = why_by_builds(case, name, confirmed, given)
    finding = Finding(
        output=key.output,
        member=case.place.member,
        location=case.place.location,
        cause=str(name),
        confirmed=confirmed,
        builds=case.builds,
        evidence=evidence,
        command=program.argv if program else (),
        chain=tuple(one.argv for one in trail.chain) if len(trail.chain) > 1 else (),
        circumstances=describe_circumstances(trace, program, given.tree) if trace and program else "",
        given=sibling.argv if sibling else (),
        why="; ".join(filter(None, (telling.why if telling else "", by_builds))),
    )
    return finding, program


def _luck(key: Key, case: Case, cases: Mapping[Key, Case], given: Investigation) -> tuple[tuple[float, float], ...]:
    """Return rates at which two builds agree by luck, with their probabilities.

    A place that shows in the same builds as an evident one follows from it, and has its rates.
    """
    if case is cases[key].at_turn:
        # Builds with remedies run at other moments, at which it never differs.
        return _NO_PROOF
    alike = (case for other, case in cases.items() if other.output == key.output and case.pattern == cases[key].pattern)
    leader = next((case for case in alike if case.evident and not all(case.pattern)), cases[key])
    belief = (cases[key] if cases[key].evident else leader).believe(given.everything)
    by_clock = any(one.why == BY_ITS_CLOCK and one.strength >= Strength.STRONG for one in cases[key].suspicions)
    return belief.luck(follows_varied_clock=by_clock and Cause.TIME in given.everything)


def _target(
    key: Key, case: Case, finding: Finding, tools: tuple[str, ...], luck: tuple[tuple[float, float], ...]
) -> RemedyTarget:
    return RemedyTarget(
        key=key,
        place=case.place,
        cause=finding.cause,
        known=finding.confirmed or finding.cause in case.evident,
        tools=tools,
        luck=luck,
        values=next(_lasting_values(case, finding.cause), None),
        follows=bool(case.sources),
        is_told=finding.cause in _TOLD and any(_tells(one, finding.cause) for one in case.suspicions),
    )


def _tells(suspicion: Suspicion, cause: str) -> bool:
    return suspicion.cause == cause and suspicion.strength >= Strength.STRONG and suspicion.why not in BY_STOPPED_CLOCK


def _lasting_values(case: Case, cause: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the values that identify `cause` and are the same in all builds with its conditions."""
    for one in case.suspicions:
        lasts = one.cause == cause not in UNVARIED_TOO and one.strength >= Strength.STRONG and one.why != AT_TURN
        if lasts and one.control and one.experiment:
            yield one.control.encode("utf-8", "surrogateescape"), one.experiment.encode("utf-8", "surrogateescape")
