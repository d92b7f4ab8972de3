"""Why an artifact differs: the cause of each difference, confirmed by rebuilding, who wrote it, and what helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_ftc.diagnosis.confirm import Case, Look, Suspect, conclude, confirm, let_follow
from pytest_ftc.diagnosis.culprits import describe_circumstances, find_culprit, find_given, find_source, name_tools
from pytest_ftc.diagnosis.group_testing import Group, Observation, narrowed, suspects_left
from pytest_ftc.diagnosis.origins import find_origin
from pytest_ftc.diagnosis.places import Key, show_values
from pytest_ftc.diagnosis.try_remedies import RemedyTarget, try_remedies
from pytest_ftc.model import BuildResult, Cause, Finding, Place, Program, RemedyTemplate, Strength, Trace
from pytest_ftc.model.cause import INHERENT
from pytest_ftc.model.protocols import Rebuilder


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
    templates: Sequence[RemedyTemplate] = (),
) -> tuple[Finding, ...]:
    """Return findings for each place in which `experiment` differs from `control`, the most explanatory cause first.

    Without a `rebuilder` the values alone tell, and nothing is confirmed.  `tree` is the build path of the control,
    `epoch` the time that a remedy sets, `templates` those that are tried before the catalogue's.
    """
    everything = frozenset(varied)
    places = look(control, experiment)
    cases = {key: Case(leaf, suspect(leaf, control, experiment)) for key, leaf in places.items()}
    for case in cases.values():
        case.observations.append(Observation(everything, True))
    trace = confirm(cases, control, everything, look, suspect, rebuilder, tree) if rebuilder else None
    let_follow(cases, everything)
    values = _tell_values(cases)
    found = [
        (key, *_find(key, case, cause, trace, tree, everything, values[key.output, case.leaf.member]))
        for key, case in cases.items()
        for cause in conclude(case, everything)
    ]
    if rebuilder:
        targets = [_patient(key, cases[key], finding, program, trace) for key, finding, program in found]
        remedies = try_remedies(targets, look, rebuilder, epoch, templates)
        findings = [
            replace(finding, remedy=remedies.get(target))
            for target, (_, finding, _) in zip(targets, found, strict=True)
        ]
    else:
        findings = [finding for _, finding, _ in found]
    counts = Counter(finding.cause for finding in findings)
    return tuple(
        sorted(
            findings,
            key=lambda finding: (finding.cause == Cause.UNKNOWN, not finding.confirmed, -counts[finding.cause]),
        )
    )


def _find(
    key: Key,
    case: Case,
    cause: tuple[str, bool],
    trace: Trace | None,
    tree: str,
    everything: Group,
    beside: Sequence[str],
) -> tuple[Finding, Program | None]:
    name, confirmed = cause
    telling = next((one for one in case.suspicions if one.cause == name), None)
    evidence = show_values(case.leaf, telling.control if telling else "", telling.experiment if telling else "")
    program = _find_program(trace, f"{tree}/{key.output}", case.leaf, evidence.control, beside) if trace else None
    given = find_given(trace, program, evidence.control) if trace and program else None
    finding = Finding(
        output=key.output,
        member=case.leaf.member,
        location=case.leaf.location,
        cause=str(name),
        confirmed=confirmed,
        evidence=evidence,
        command=program.argv if program else (),
        circumstances=describe_circumstances(trace, program, tree) if trace and program else "",
        given=given.argv if given else (),
        why="; ".join(filter(None, (telling.why if telling else "", _tell_builds(case, name, confirmed, everything)))),
    )
    return finding, program


def _find_program(trace: Trace, output: str, leaf: Place, value: str, beside: Sequence[str]) -> Program | None:
    path = find_source(trace, output, leaf, [value])
    program = find_culprit(trace, path, [value], leaf.format)
    return find_origin(trace, program, path, value, beside) if program else None


def _tell_values(cases: Mapping[Key, Case]) -> dict[tuple[str, str], list[str]]:
    """Return for each file that differs, by output and member, the values that point to a cause."""
    told: dict[tuple[str, str], list[str]] = {}
    for key, case in cases.items():
        values = [one.control for one in case.suspicions if one.strength >= Strength.STRONG and one.control]
        told.setdefault((key.output, case.leaf.member), []).extend(values)
    return told


def _patient(key: Key, case: Case, finding: Finding, program: Program | None, trace: Trace | None) -> RemedyTarget:
    return RemedyTarget(
        key=key,
        leaf=case.leaf,
        cause=finding.cause,
        known=finding.confirmed or finding.cause in case.evident,
        tools=name_tools(trace, program) if trace and program else (),
    )


def _tell_builds(case: Case, cause: str, confirmed: bool, everything: Group) -> str:
    """Return what the builds told of a cause that no value speaks for."""
    repeats = [one.shows for one in case.observations if not one.varied]
    if cause in INHERENT and any(repeats):
        return f"it differs in {sum(repeats)} of {len(repeats)} more builds in the same environment"
    if cause in INHERENT and not confirmed:
        return "it is intermittent, or needs several variations at once"
    left = suspects_left(everything, case.observations)
    if cause == Cause.UNKNOWN and len(case.observations) > 1 and (names := narrowed(everything, case.observations)):
        return f"the cause is one of {', '.join(sorted(names))}; a larger --ftc-max-builds=N can narrow it down"
    if not confirmed and cause in left and cause not in case.suspects and len(left) > 1:
        return f"builds have ruled out all but {', '.join(sorted(left))}"
    if cause in case.suspects or not confirmed:
        return ""
    return f"it differs when {cause} is varied, and not otherwise"
