"""Explaining why an artifact differs: looks into its outputs, and has the differences diagnosed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.comparison.members.walk import walk
from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.diagnosis.canaries.planted import Window, planted_by
from pytest_ftc.diagnosis.canaries.search import suspect
from pytest_ftc.diagnosis.diagnose import diagnose
from pytest_ftc.diagnosis.places import Key, Places, leaf_of_manifest, leaf_of_names, pair_names, places_of, show_values
from pytest_ftc.diagnosis.plugin_diagnosers import Panel
from pytest_ftc.model import (
    Artifact,
    BuildResult,
    Conditions,
    Difference,
    DifferenceKind,
    Environment,
    Field,
    Finding,
    Machine,
    Metadata,
    OutputType,
    Place,
    RemedyTemplate,
    Snapshot,
    Suspicion,
)
from pytest_ftc.model.protocols import Executor
from pytest_ftc.verification.plan import Plan
from pytest_ftc.verification.rebuild import ArtifactRebuilder

_MOST_EXAMINED = 64
"""Outputs of one artifact that are looked into; of the others it is only known whether they differ."""
_EPOCH = 1_577_836_800
"""2020-01-01: the time that remedies set where the sources have no commit."""


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


def explain(
    artifact: Artifact,
    source: Snapshot,
    plan: Plan,
    builds: Sequence[BuildResult],
    differences: Sequence[Difference],
    executor: Executor,
    machine: Machine,
    *,
    rebuild: bool,
    max_builds: int,
    seconds: float,
    plugins: Plugins,
) -> Explained:
    """Return why the `builds` of `artifact` differ; `differences` are those found in the first that does.

    Without `rebuild` the values alone tell.  With it there are at most `max_builds` builds in all, and none is begun
    later than `seconds` from now.
    """
    control = builds[0]
    number = next(
        index
        for index, build in enumerate(builds[1:], start=1)
        if compare_manifests(control.outputs, build.outputs, artifact.metadata)
    )
    rebuilder = ArtifactRebuilder(
        artifact,
        source,
        plan,
        executor,
        machine,
        experiment=number,
        most=max(0, max_builds - len(builds)),
        seconds=seconds,
    )
    looker = _Looker(artifact.metadata, plugins.comparators)
    eyes = _Suspecter(rebuilder.environments, plan.owners, source, machine, plugins.diagnosers)
    findings = diagnose(
        control,
        builds[number],
        plan.varied,
        looker.look,
        eyes.suspect,
        rebuilder if rebuild else None,
        tree=plan.actions[0].environment.build_path,
        epoch=source.commit_time or _EPOCH,
        templates=plugins.templates,
    )
    places = looker.look(control, builds[number])
    return Explained(
        findings=findings,
        differences=tuple(_differences(places, differences)),
        builds=tuple(rebuilder.builds),
        notes=tuple(looker.notes),
    )


class _Looker:
    """Finds the places in which two builds differ; what was seen once is remembered."""

    def __init__(self, metadata: Metadata, comparators: ComparatorChain | None) -> None:
        self._metadata = metadata
        self._comparators = comparators
        self._seen: dict[tuple[str, str, str], tuple[Place, ...]] = {}
        self.notes: dict[str, None] = {}

    def look(self, control: BuildResult, other: BuildResult) -> Places:
        """Return all places; an output that has another name in the `other` build has its name as a place too."""
        differences = compare_manifests(control.outputs, other.outputs, self._metadata)
        pairs = pair_names(differences)
        new = {difference.output: difference.experiment for difference in differences}
        places: dict[Key, Place] = {}
        for number, difference in enumerate(differences):
            name = difference.output
            if name in pairs:
                renamed = replace(difference, kind=DifferenceKind.CONTENT, experiment=new[pairs[name]])
                places.update(places_of(name, [leaf_of_names(name, pairs[name])]))
                if _is_other_content(renamed):
                    places.update(
                        places_of(name, self._leaves(renamed, control, other, walked=number < _MOST_EXAMINED))
                    )
            elif name not in pairs.values():
                leaves = self._leaves(difference, control, other, walked=number < _MOST_EXAMINED)
                places.update(places_of(name, leaves))
        return places

    def _leaves(
        self, difference: Difference, control: BuildResult, other: BuildResult, *, walked: bool
    ) -> Sequence[Place]:
        one, two = difference.control, difference.experiment
        if difference.kind is not DifferenceKind.CONTENT or one is None or two is None:
            return [leaf_of_manifest(difference)]
        if not walked:
            return [_whole(f"not examined: only the first {_MOST_EXAMINED} differing outputs are")]
        key = difference.output, one.sha256, two.sha256
        if key not in self._seen:
            blobs = Path(control.blobs, one.sha256), Path(other.blobs, two.sha256)
            told = self._comparators.ask_others(difference, *blobs) if self._comparators else ()
            self._seen[key] = tuple(map(_leaf_of, told)) or self._walk(difference.output, *blobs)
        return self._seen[key]

    def _walk(self, output: str, control: Path, other: Path) -> tuple[Place, ...]:
        found = walk(control, other, output)
        self.notes.update(dict.fromkeys(f"{output}: {text}" for text in found.cut))
        return tuple(found.leaves) or (_whole(),)


def _leaf_of(told: Difference) -> Place:
    """Return the place that a comparator of a plugin has told; its values are those it shows."""
    values = (told.evidence.control, told.evidence.experiment) if told.evidence else ("", "")
    one, other = (text.encode("utf-8", "surrogateescape") for text in values)
    where = told.location or "the output itself"
    return Place(field=Field.CONTENT, location=where, member=told.member, control=one, experiment=other, note=told.note)


def _is_other_content(difference: Difference) -> bool:
    one, two = difference.control, difference.experiment
    return one is not None and two is not None and one.type is OutputType.FILE and one.sha256 != two.sha256


def _whole(note: str = "") -> Place:
    return Place(field=Field.CONTENT, location="the output itself", control=b"", experiment=b"", note=note)


class _Suspecter:
    """Asks what the values of a place point to, given what the two `environments` planted, by the id of the build."""

    def __init__(
        self,
        environments: Mapping[str, Environment],
        owners: Mapping[str, str],
        source: Snapshot,
        machine: Machine,
        panel: Panel | None,
    ) -> None:
        self._environments = environments
        self._owners = owners
        self._machine = machine
        self._panel = panel
        self._release = os.uname().release
        times = [path.lstat().st_mtime for path in source.path.rglob("*")]
        self._times = Window(min(times), max(times)) if times else None

    def suspect(self, leaf: Place, control: BuildResult, other: BuildResult) -> Sequence[Suspicion]:
        planted = [
            planted_by(
                self._environments[build.id],
                build,
                self._machine,
                source_times=self._times,
                release=self._release,
                owners=self._owners,
            )
            for build in (control, other)
        ]
        own = suspect(leaf, *planted)
        if self._panel is None:
            return own
        before, after = (
            Conditions(environment=self._environments[build.id], started=values.clock.start, ended=values.clock.end)
            for build, values in zip((control, other), planted, strict=True)
        )
        return self._panel.suspect(leaf, before, after, own)


def _differences(places: Mapping[Key, Place], examined: Sequence[Difference]) -> list[Difference]:
    """Return a difference for each place, with the full diff of its output if there is one."""
    by_output = {difference.output: difference for difference in reversed(examined)}
    told = [
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
    return [*told, *(difference for difference in examined if difference.output not in outputs)]
