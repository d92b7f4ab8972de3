"""Proving a change of the project's files by rebuilding: with it alone, or with settings beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.diagnosis.examiner import Examiner
from pytest_ftc.diagnosis.places import Key, Places
from pytest_ftc.diagnosis.side_effects import changed_outputs
from pytest_ftc.model import Artifact, BuildResult, Place, Role, Verdict, Verification
from pytest_ftc.verification.determinize.in_project.change import Edit, ProjectChange
from pytest_ftc.verification.determinize.in_project.propose import Proposal
from pytest_ftc.verification.determinize.steps import EPOCH, Step

Judge = Callable[[Verification], bool]
"""Returns whether a verification is what was wanted, while its outputs are still there."""
Verify = Callable[[ProjectChange, Sequence[Step], Judge], bool]
"""Verifies the artifact with a change of its files and steps from outside, and judges the result."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A change of the project's files with which the artifact is reproducible."""

    change: ProjectChange
    steps: tuple[Step, ...]
    """What it needs from outside beside it."""


def prove(
    proposal: Proposal, steps: Sequence[Step], artifact: Artifact, first: Verification, verify: Verify
) -> Proof | None:
    """Return the least of `proposal`, and of the `steps` beside it, with which builds are equal; None if none is.

    `first` is the verification without changes: a change that alters more of the outputs than what differs in it is
    no remedy.
    """
    unchanged = _Unchanged(artifact, first)

    def heals(some: Sequence[Edit], beside: Sequence[Step]) -> bool:
        change = proposal.change(some)
        return change.can_be_tried and verify(change, beside, partial(unchanged.is_healed, change))

    edits, least = proposal.edits, proposal.steps
    more = (*least, *(step for step in steps if not (least and step.name == EPOCH)))
    beside = next((some for some in dict.fromkeys([least, more]) if heals(edits, some)), None)
    if beside is None:
        return None
    whole = edits, beside
    for edit in edits:
        fewer = tuple(one for one in edits if one is not edit)
        if proposal.change(fewer) == proposal.change(edits) or heals(fewer, beside):
            edits = fewer
    for step in beside:
        less = tuple(one for one in beside if one != step)
        if less and heals(edits, less):
            beside = less
    # What was left out may have been missed by luck: what is told was equal twice.
    options = dict.fromkeys([(edits, beside), whole])
    return next((Proof(proposal.change(some), steps) for some, steps in options if heals(some, steps)), None)


class _Unchanged:
    """What builds without a change left, by which those with one are judged."""

    def __init__(self, artifact: Artifact, found: Verification) -> None:
        self._artifact = artifact
        self._found = found
        self._look = Examiner(artifact.metadata, ComparatorChain(), artifact.timeout).look

    @cached_property
    def _known(self) -> Places:
        """The places that differ."""
        control = _control(self._found)
        known: dict[Key, Place] = {}
        for build in self._found.builds:
            if control and build.role is Role.EXPERIMENT and build.outputs:
                known.update(self._look(control, build))
        return known

    def is_healed(self, change: ProjectChange, found: Verification) -> bool:
        """Return whether builds with `change` are equal, and differ from these only where these differ."""
        control, healed = _control(self._found), _control(found)
        if found.verdict is not Verdict.REPRODUCIBLE or control is None or healed is None:
            return False
        places = _leave_out_own(self._look(control, healed), change)
        rewritten = {one.path for one in control.outputs} if change.sorts else set[str]()
        return not changed_outputs(self._known, control, healed, places, rewritten)


def _leave_out_own(places: Places, change: ProjectChange) -> Places:
    """Return `places` without those in copies of the changed files, as in a source archive."""
    return {
        key: place
        for key, place in places.items()
        if not any(
            name == path or name.endswith(f"/{path}") for name in (key.output, key.member) for path in change.files
        )
    }


def _control(verification: Verification) -> BuildResult | None:
    return next((build for build in verification.builds if build.role is Role.CONTROL), None)
