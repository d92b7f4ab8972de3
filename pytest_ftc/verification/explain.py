"""Explaining why an artifact differs: examines its outputs, then diagnoses the differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.diagnosis.case import Investigation
from pytest_ftc.diagnosis.diagnose import diagnose
from pytest_ftc.diagnosis.examiner import Examiner, files_of
from pytest_ftc.diagnosis.places import leaf_of_manifest
from pytest_ftc.diagnosis.suspects import Suspects
from pytest_ftc.model import (
    Artifact,
    BuildResult,
    Difference,
    Finding,
    Metadata,
    Place,
)
from pytest_ftc.model.protocols import Executor
from pytest_ftc.model.remedy import add_setting
from pytest_ftc.model.support.epoch import FALLBACK_EPOCH
from pytest_ftc.model.support.limits import MOST_DIFFED
from pytest_ftc.verification.full_diffs import FullDiffs, Written, place
from pytest_ftc.verification.plan import PlannedArtifact
from pytest_ftc.verification.rebuild import PATIENCE, ArtifactRebuilder, RebuildBudget
from pytest_ftc.verification.steps.context import Plugins

_MOST_BUILDS, _MOST_CHEAP = 12, 48
"""Most builds of one artifact without a limit from the user: in general, and while its diagnosis is quick."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The differences of an artifact, with their findings."""

    findings: tuple[Finding, ...]
    differences: tuple[Difference, ...]
    """One for each place with a finding."""
    builds: tuple[BuildResult, ...]
    """The builds of the diagnosis."""
    notes: tuple[str, ...]
    """What was not examined, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisOptions:
    """How to diagnose an artifact."""

    rebuild: bool
    """Whether to rebuild; otherwise only the values are examined."""
    max_builds: int | None
    """Most builds of one artifact; None for `_MOST_BUILDS`, or `_MOST_CHEAP` while they are cheap."""
    seconds: float
    """Time after which no further build is started."""
    plugins: Plugins
    patience: float = PATIENCE
    """Seconds in which quick builds may be more than `_MOST_BUILDS`."""


def explain(
    planned: PlannedArtifact,
    builds: Sequence[BuildResult],
    executor: Executor,
    options: DiagnosisOptions,
    *,
    planned_as: int | None = None,
    bisected: int = 0,
) -> Explained:
    """Return why the `builds` of an artifact differ.

    They are those of the plan, in order, or the control and one that stands for the number `planned_as` of the plan,
    after a search of `bisected` builds for what breaks it.
    """
    plan, source, plugins = planned.plan, planned.source, options.plugins
    control, number = builds[0], _first_that_differs(builds, planned.artifact.metadata)
    budget = replace(_budget(options, len(builds) + bisected), numbered_from=1 + bisected)
    experiment = planned_as or number
    rebuilder = ArtifactRebuilder(planned, executor, experiment=experiment, budget=budget, began=control.started)
    examiner = Examiner(planned.artifact.metadata, plugins.comparators, planned.artifact.timeout)
    suspects = Suspects(rebuilder.environments, plan.owners, source, planned.machine, plugins.diagnosers)
    given = Investigation(
        control=control,
        experiment=builds[number],
        everything=frozenset(plan.varied),
        look=examiner.look,
        suspect=suspects.suspect,
        rebuilder=rebuilder if options.rebuild else None,
        tree=plan.actions[0].environment.build_path,
        twins=examiner.twins,
        renamed=examiner.renamed,
        experiments=[build for index, build in enumerate(builds) if index not in (0, number)],
        notes=examiner.notes,
    )
    with _writing_diffs(planned, control, builds[number], plugins.comparators) as written:
        epoch = source.commit_time or FALLBACK_EPOCH
        findings = diagnose(builds[number], given, epoch=epoch, templates=plugins.templates)
        differences = tuple(_differences(planned, control, builds[number], examiner, written))
    told = tuple(_keep_settings(one, planned.artifact) for one in findings)
    made, notes = tuple(rebuilder.builds), tuple(examiner.notes)
    return Explained(findings=told, differences=differences, builds=made, notes=notes)


def _keep_settings(finding: Finding, artifact: Artifact) -> Finding:
    """Return `finding` with the options of its remedy behind those of the artifact, which its settings replace."""
    remedy = finding.remedy
    if remedy is None:
        return finding
    settings = {name: add_setting(artifact.env, name, value) for name, value in remedy.settings.items()}
    return replace(finding, remedy=replace(remedy, settings=settings))


def _budget(options: DiagnosisOptions, done: int) -> RebuildBudget:
    if options.max_builds:
        return RebuildBudget(builds=max(0, options.max_builds - done), seconds=options.seconds)
    # Builds beyond the first two were quick and do not count.
    done = min(2, done)
    return RebuildBudget(
        builds=_MOST_BUILDS - done,
        cheap_builds=_MOST_CHEAP - done,
        seconds=options.seconds,
        patience=options.patience,
    )


def locate(planned: PlannedArtifact, builds: Sequence[BuildResult], comparators: ComparatorChain) -> Explained:
    """Return the places where the `builds` differ, like `explain`, but without causes."""
    examiner = Examiner(planned.artifact.metadata, comparators, planned.artifact.timeout)
    other = builds[_first_that_differs(builds, planned.artifact.metadata)]
    with _writing_diffs(planned, builds[0], other, comparators) as written:
        differences = tuple(_differences(planned, builds[0], other, examiner, written))
    return Explained(findings=(), differences=differences, builds=(), notes=tuple(examiner.notes))


def _first_that_differs(builds: Sequence[BuildResult], metadata: Metadata) -> int:
    return next(
        index
        for index, build in enumerate(builds[1:], start=1)
        if compare_manifests(builds[0].outputs, build.outputs, metadata)
    )


def _writing_diffs(
    planned: PlannedArtifact, control: BuildResult, other: BuildResult, comparators: ComparatorChain
) -> AbstractContextManager[Written]:
    """Write the full diffs of the outputs while the diagnosis builds."""
    differences = compare_manifests(control.outputs, other.outputs, planned.artifact.metadata)[:MOST_DIFFED]
    asked = [(one, files) for one in differences if one.contents and (files := files_of(one, control, other))]
    return FullDiffs(comparators, planned.artifact.timeout).in_background(asked)


def _differences(
    planned: PlannedArtifact,
    control: BuildResult,
    other: BuildResult,
    examiner: Examiner,
    written: Written,
) -> Iterator[Difference]:
    """Yield a difference for each place, with the full diff of its output if there is one."""
    differences = compare_manifests(control.outputs, other.outputs, planned.artifact.metadata)
    places: dict[str, list[Place]] = {}
    for key, leaf in examiner.look(control, other).items():
        places.setdefault(key.output, []).append(leaf)
    files = {one.output: both for one in differences if (both := files_of(one, control, other))}
    entries = {one.output: leaf_of_manifest(one) for one in differences if not one.contents}
    renamed = set(examiner.renamed(control, other).values()) - places.keys()
    for difference in differences:
        output, leaves = difference.output, places.get(difference.output, [])
        if difference.contents:
            yield from place(written(difference), [leaf for leaf in leaves if leaf != entries.get(output)])
        elif output in files:
            # The output has two differences; the places in its contents belong to the other.
            yield from place(difference, [entries[output]])
        elif output not in renamed:
            yield from place(difference, leaves)
