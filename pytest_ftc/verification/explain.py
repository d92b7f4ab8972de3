"""Explaining why an artifact differs: looks into its outputs, and has the differences diagnosed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.diagnosis.case import Investigation
from pytest_ftc.diagnosis.diagnose import diagnose
from pytest_ftc.diagnosis.examiner import Examiner
from pytest_ftc.diagnosis.places import Key, pair_names, show_values
from pytest_ftc.diagnosis.plugin_diagnosers import Panel
from pytest_ftc.diagnosis.suspects import Suspects
from pytest_ftc.model import (
    BuildResult,
    Difference,
    Finding,
    Metadata,
    Place,
    RemedyTemplate,
)
from pytest_ftc.model.protocols import Executor
from pytest_ftc.model.support.epoch import FALLBACK_EPOCH
from pytest_ftc.verification.plan import PlannedArtifact
from pytest_ftc.verification.rebuild import ArtifactRebuilder, RebuildBudget

_MOST_BUILDS, _MOST_CHEAP = 12, 48
"""Builds of one artifact where the user sets no bound: in any case, and while its diagnosis takes little time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """Who is asked beside our own diagnosis."""

    comparators: ComparatorChain | None = None
    """Those of plugins say where the difference lies, before our own look into the outputs."""
    diagnosers: Panel | None = None
    templates: Sequence[RemedyTemplate] = ()
    """Tried before those of the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """What is known of an artifact's differences."""

    findings: tuple[Finding, ...]
    differences: tuple[Difference, ...]
    """One for each finding's place."""
    builds: tuple[BuildResult, ...]
    """Those that the diagnosis took."""
    notes: tuple[str, ...]
    """What was not looked into, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisOptions:
    """How an artifact is diagnosed."""

    rebuild: bool
    """Whether to rebuild; otherwise only the values are examined."""
    max_builds: int | None
    """Builds of one artifact in total; None for `_MOST_BUILDS`, and `_MOST_CHEAP` while they are cheap."""
    seconds: float
    """After these no more build is begun."""
    plugins: Plugins


def explain(
    planned: PlannedArtifact,
    builds: Sequence[BuildResult],
    differences: Sequence[Difference],
    executor: Executor,
    options: DiagnosisOptions,
) -> Explained:
    """Return why the `builds` of an artifact differ; `differences` are those found in the first that does."""
    plan, source, plugins = planned.plan, planned.source, options.plugins
    control, number = builds[0], _first_that_differs(builds, planned.artifact.metadata)
    budget = _budget(options, len(builds))
    rebuilder = ArtifactRebuilder(planned, executor, experiment=number, budget=budget)
    examiner = Examiner(planned.artifact.metadata, plugins.comparators)
    suspects = Suspects(rebuilder.environments, plan.owners, source, planned.machine, plugins.diagnosers)
    given = Investigation(
        control=control,
        everything=frozenset(plan.varied),
        look=examiner.look,
        suspect=suspects.suspect,
        rebuilder=rebuilder if options.rebuild else None,
        tree=plan.actions[0].environment.build_path,
    )
    epoch = source.commit_time or FALLBACK_EPOCH
    findings = diagnose(builds[number], given, epoch=epoch, templates=plugins.templates)
    places = examiner.look(control, builds[number])
    return Explained(
        findings=findings,
        differences=tuple(_differences(places, differences)),
        builds=tuple(rebuilder.builds),
        notes=tuple(examiner.notes),
    )


def _budget(options: DiagnosisOptions, done: int) -> RebuildBudget:
    if options.max_builds:
        return RebuildBudget(builds=max(0, options.max_builds - done), seconds=options.seconds)
    # Those beyond the first two were quick ones.
    done = min(2, done)
    return RebuildBudget(builds=_MOST_BUILDS - done, cheap_builds=_MOST_CHEAP - done, seconds=options.seconds)


def locate(
    planned: PlannedArtifact, builds: Sequence[BuildResult], differences: Sequence[Difference], plugins: Plugins
) -> Explained:
    """Return the places in which the `builds` differ, in the words of `explain`, and look for no cause."""
    metadata = planned.artifact.metadata
    examiner = Examiner(metadata, plugins.comparators)
    places = examiner.look(builds[0], builds[_first_that_differs(builds, metadata)])
    return Explained(
        findings=(), differences=tuple(_differences(places, differences)), builds=(), notes=tuple(examiner.notes)
    )


def _first_that_differs(builds: Sequence[BuildResult], metadata: Metadata) -> int:
    return next(
        index
        for index, build in enumerate(builds[1:], start=1)
        if compare_manifests(builds[0].outputs, build.outputs, metadata)
    )


def _differences(places: Mapping[Key, Place], examined: Sequence[Difference]) -> list[Difference]:
    """Return a difference for each place, with the full diff of its output if there is one."""
    by_output = {difference.output: difference for difference in reversed(examined)}
    placed = [
        replace(
            by_output[key.output],
            member=leaf.member,
            location=leaf.location,
            evidence=show_values(leaf),
            note=leaf.note,
        )
        for key, leaf in places.items()
    ]
    outputs = {key.output for key in places} | set(pair_names(examined).values())
    return [*placed, *(difference for difference in examined if difference.output not in outputs)]
