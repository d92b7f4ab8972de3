"""Verifying artifacts with proved remedies until no more is needed, and nothing more can be left out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.builds.inputs.snapshot import commit_of_sources
from pytest_ftc.config.contributions import Contributions
from pytest_ftc.config.load import Config
from pytest_ftc.model import Artifact, Finding, Verdict, Verification
from pytest_ftc.model.verification import DiagnosisMode
from pytest_ftc.verification.determinize.in_project import ProjectChange, Proof, propose, prove
from pytest_ftc.verification.determinize.settings import apply_settings, settings_of
from pytest_ftc.verification.determinize.steps import Step, has_gone, open_steps, proved_steps
from pytest_ftc.verification.session import Verifier

_MOST_ROUNDS = 4
"""Diagnoses of one artifact: what one remedy leaves may have remedies that showed nothing before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result for one artifact."""

    artifact: Artifact
    table: str
    """The table that declares it: ``tool.ftc.artifacts.wheel``."""
    steps: tuple[Step, ...]
    """The steps that help; where they heal it, none of them can be omitted."""
    heals: bool
    """Whether the artifact is reproducible with them."""
    left: tuple[Finding, ...]
    """The differences that remain or have no proved remedy."""
    breaking: tuple[tuple[Step, str], ...] = ()
    """Steps that help alone, but with which together the build is not sound, each with what it is then."""
    tried: frozenset[Step] = frozenset()
    """Steps tried beside those of proved remedies."""
    suspected: bool = False
    """Whether a cause that the steps heal was only suspected: then luck is not ruled out."""
    in_project: Proof | None = None
    """The change of the project's own files that heals it too; None if none is known."""
    failure: str = ""
    """Why nothing could be tested, such as ``broken is failed: exit status 1``; empty if it could."""


def determinize_artifacts(
    config: Config,
    added: Contributions,
    artifacts: Sequence[Artifact],
    table_of: Callable[[Artifact], str],
    say: Callable[[str], None],
) -> Iterator[Outcome]:
    """Yield the outcome for each of `artifacts`, in order.

    `table_of` returns the name of the table of an artifact, and `say` is called with progress messages.
    """
    with tempfile.TemporaryDirectory(prefix="ftc-determinize-") as folder:
        full = replace(config, diagnose=DiagnosisMode.FULL, keep_outputs=0)
        verifier = Verifier(full, Path(folder, "first"), added)
        try:
            verifier.start(artifacts)
            for number, artifact in enumerate(artifacts):
                alone = f" {artifact.name}" if len(artifacts) > 1 else " it"
                say(f"verifying{alone} unchanged, and trying remedies")
                first = verifier.result(artifact)
                trials = _Trials(full, added, artifact, Path(folder, str(number)), say)
                outcome = _determinize(trials, first, table_of(artifact))
                yield replace(outcome, in_project=_find_in_project(trials, first, outcome))
        finally:
            verifier.close()


def _determinize(trials: _Trials, first: Verification, table: str) -> Outcome:
    artifact = trials.artifact
    outcome = Outcome(artifact=artifact, table=table, steps=(), heals=first.verdict is Verdict.REPRODUCIBLE, left=())
    if outcome.heals:
        return outcome
    if first.verdict is not Verdict.UNREPRODUCIBLE:
        return replace(outcome, failure=f"{artifact.name} is {first.verdict.value}: {first.reason}")
    search = _Search(trials, first)
    for _ in range(_MOST_ROUNDS):
        if search.last.verdict is Verdict.REPRODUCIBLE or not (search.add_proved() or search.add_others()):
            break
    if search.last.verdict is not Verdict.REPRODUCIBLE:
        breaking = tuple(search.breaking.items())
        return replace(outcome, steps=search.steps, left=search.last.findings, breaking=breaking, tried=search.tried)
    steps = search.steps
    for step in steps:
        fewer = tuple(other for other in steps if other != step)
        # Without any it was unreproducible at first.
        if fewer and trials.verify(fewer, DiagnosisMode.OFF).verdict is Verdict.REPRODUCIBLE:
            steps = fewer
    return replace(outcome, steps=steps, heals=True, suspected=search.suspected)


def _find_in_project(trials: _Trials, first: Verification, outcome: Outcome) -> Proof | None:
    """Return a change of the project's own files with which the artifact is reproducible, if one is known."""
    if outcome.failure or not first.findings:
        return None
    proposal = propose(trials.artifact, (*first.findings, *outcome.left), outcome.steps, trials.commit)
    if not proposal.edits:
        return None
    with trials.verified((), DiagnosisMode.OFF, ProjectChange(files={})) as unchanged:
        return prove(proposal, outcome.steps, trials.artifact, unchanged, trials.verify_change)


class _Search:
    """Looks for the steps that help one artifact."""

    def __init__(self, trials: _Trials, first: Verification) -> None:
        self._trials = trials
        self._why = ""
        self.last = first
        """The verification with `steps`."""
        self.suspected = _has_suspected(first)
        """Whether `last`, or one before, had a cause that was not confirmed."""
        self.steps: tuple[Step, ...] = ()
        """What helps."""
        self.breaking: dict[Step, str] = {}
        """What was proved alone, but breaks the build together with `steps`, and what the build is then."""
        self.tried: frozenset[Step] = frozenset()
        """What has been tried beside `steps` that no build of a diagnosis had proved."""

    def add_proved(self) -> bool:
        """Add the steps that the last diagnosis has proved; return whether there were any new ones."""
        proved = proved_steps(self.last, self._trials.artifact)
        new = tuple(step for step in proved if step not in self.steps and step not in self.breaking)
        if not new or self._accept(new):
            return bool(new)
        # Each was proved alone; together some of them break the build.
        for step in new:
            if not self._accept((step,)):
                self.breaking[step] = self._why
        return True

    def add_others(self) -> bool:
        """Add the steps of other remedies with which their findings are gone; return whether there are any."""
        known = {*self.steps, *self.tried}
        options = {
            step: findings
            for step, findings in open_steps(self.last, self._trials.artifact).items()
            if step not in known
        }
        if not options:
            return False
        self.tried |= options.keys()
        found = self._trials.verify((*self.steps, *options))
        if not _is_sound(found):
            return False
        helpful = tuple(
            step for step, findings in options.items() if any(has_gone(finding, found) for finding in findings)
        )
        if len(helpful) == len(options):
            self._take(helpful, found)
            return True
        return bool(helpful) and self._accept(helpful)

    def _accept(self, new: tuple[Step, ...]) -> bool:
        """Add `new` if the build is sound with them; return whether it is."""
        found = self._trials.verify((*self.steps, *new))
        if _is_sound(found):
            self._take(new, found)
            return True
        self._why = f"{found.verdict.value}: {found.reason}"
        return False

    def _take(self, new: tuple[Step, ...], found: Verification) -> None:
        self.steps, self.last = (*self.steps, *new), found
        self.suspected = self.suspected or _has_suspected(found)


def _has_suspected(found: Verification) -> bool:
    return not all(finding.confirmed for finding in found.findings)


def _is_sound(found: Verification) -> bool:
    return found.verdict in (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE)


class _Trials:
    """Verifies one artifact with sets of steps."""

    def __init__(
        self, config: Config, added: Contributions, artifact: Artifact, folder: Path, say: Callable[[str], None]
    ) -> None:
        self.artifact = artifact
        self._config = config
        self._added = added
        self._folder = folder
        self._say = say
        self.commit = commit_of_sources(artifact.source)
        self._number = 0

    def verify(self, steps: tuple[Step, ...], diagnose: DiagnosisMode = DiagnosisMode.FULL) -> Verification:
        """Verify the artifact with the settings of these `steps`, exactly as they would be in its table."""
        self._say(f"verifying it with {', '.join(map(str, steps)) or 'nothing'}")
        with self.verified(steps, diagnose) as found:
            return found

    def verify_change(
        self, change: ProjectChange, steps: Sequence[Step], judge: Callable[[Verification], bool]
    ) -> bool:
        """Verify the artifact with a `change` of its files and `steps` from outside; return what `judge` says."""
        beside = f" and {', '.join(map(str, steps))}" if steps else ""
        self._say(f"verifying it with changes of {', '.join(change.files)}{beside}")
        with self.verified(steps, DiagnosisMode.OFF, change) as found:
            return judge(found)

    @contextmanager
    def verified(
        self, steps: Sequence[Step], diagnose: DiagnosisMode, change: ProjectChange | None = None
    ) -> Iterator[Verification]:
        """Give the verification with `steps`, and its outputs while they are needed if there is a `change`."""
        self._number += 1
        changed = apply_settings(self.artifact, settings_of(self.artifact, steps, self.commit), self.commit)
        config = replace(self._config, diagnose=diagnose, no_cache=self._config.no_cache or change is not None)
        verifier = Verifier(config, self._folder / str(self._number), self._added)
        try:
            yield verifier.result(change.apply_to(changed) if change else changed)
        finally:
            verifier.close()
