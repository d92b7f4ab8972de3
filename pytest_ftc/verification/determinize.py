"""Finding the smallest set of proved remedies that make an artifact reproducible."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from pytest_ftc.builds.requirements.python import OUTPUTS
from pytest_ftc.config.contributions import Contributions
from pytest_ftc.config.load import Config
from pytest_ftc.config.project import declaration_of
from pytest_ftc.model import Artifact, Finding, Verdict, Verification
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.remedy import Changes, add_setting
from pytest_ftc.model.support.suggestion import suggest
from pytest_ftc.model.verification import DiagnosisMode
from pytest_ftc.verification.rebuild import apply_changes
from pytest_ftc.verification.session import Verifier


class Step(NamedTuple):
    """One change to a build: a variable to set, or a command to run before or after it."""

    kind: str
    """``set``, ``before`` or ``after``."""
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result for one artifact."""

    artifact: Artifact
    table: str
    """The table that declares it: ``tool.ftc.artifacts.wheel``."""
    steps: tuple[Step, ...]
    """The necessary steps; none can be omitted."""
    heals: bool
    """Whether the artifact is reproducible with them."""
    left: tuple[Finding, ...]
    """The differences that remain or have no proved remedy."""


def determinize_artifact(config: Config, added: Contributions, name: str, say: Callable[[str], None]) -> Outcome:
    artifact = _choose(config.artifacts, name)
    inside = config.file and config.file.name != "ftc.toml" and (config.root / "pyproject.toml").exists()
    table = f"{'tool.ftc.artifacts' if inside else 'artifacts'}.{name}"
    with tempfile.TemporaryDirectory(prefix="ftc-determinize-") as folder:
        say("verifying it unchanged, and trying remedies")
        first = _verify(replace(config, diagnose=DiagnosisMode.FULL), added, artifact, Path(folder, "first"))
        if first.verdict is Verdict.REPRODUCIBLE:
            return Outcome(artifact=artifact, table=table, steps=(), heals=True, left=())
        if first.verdict is not Verdict.UNREPRODUCIBLE:
            raise FtcError(f"{name} is {first.verdict.value}: {first.reason}")
        steps = tuple(dict.fromkeys(_steps(first)))
        trials = _Trials(replace(config, diagnose=DiagnosisMode.FAST), added, artifact, Path(folder))
        with_all = trials.verify(steps, say) if steps else first
        if with_all.verdict is not Verdict.REPRODUCIBLE:
            return Outcome(artifact=artifact, table=table, steps=steps, heals=False, left=with_all.findings)
        for step in steps:
            fewer = tuple(other for other in trials.best if other != step)
            trials.verify(fewer, say)
        return Outcome(artifact=artifact, table=table, steps=trials.best, heals=True, left=())


class _Trials:
    """Verifies one artifact with sets of steps; `best` is the last set with which it was reproducible."""

    def __init__(self, config: Config, added: Contributions, artifact: Artifact, folder: Path) -> None:
        self._config = config
        self._added = added
        self._artifact = artifact
        self._folder = folder
        self._number = 0
        self.best: tuple[Step, ...] = ()

    def verify(self, steps: tuple[Step, ...], say: Callable[[str], None]) -> Verification:
        self._number += 1
        say(f"verifying it with {', '.join(_describe(step) for step in steps) or 'nothing'}")
        changed = apply_changes(self._artifact, changes_of(steps), str(self._artifact.source))
        found = _verify(self._config, self._added, changed, self._folder / str(self._number))
        if found.verdict is Verdict.REPRODUCIBLE:
            self.best = steps
        return found


def _verify(config: Config, added: Contributions, artifact: Artifact, results: Path) -> Verification:
    verifier = Verifier(config, results, added)
    try:
        return verifier.result(artifact)
    finally:
        verifier.close()


def _choose(artifacts: Sequence[Artifact], name: str) -> Artifact:
    for artifact in artifacts:
        if artifact.name == name:
            return artifact
    names = [artifact.name for artifact in artifacts]
    near = suggest(name, names, cutoff=0.6)
    hint = f"did you mean {near!r}?" if near else f"declared: {', '.join(names)}"
    if name in OUTPUTS:
        hint = f"only declared artifacts are verified: {', '.join(names)}; {declaration_of(name)}"
    raise FtcError(f"there is no artifact {name!r}; {hint}")


def _steps(verification: Verification) -> Iterator[Step]:
    for finding in verification.findings:
        remedy = finding.remedy
        if remedy and remedy.proved:
            yield from (Step("set", *item) for item in remedy.settings.items())
            if remedy.before:
                yield Step("before", "", remedy.before)
            if remedy.after:
                yield Step("after", "", remedy.after)


def changes_of(steps: Sequence[Step]) -> Changes:
    exports = [step for step in steps if step.kind == "set" and "$PWD" in step.value]
    settings: dict[str, str] = {}
    for step in steps:
        if step.kind == "set" and step not in exports:
            settings[step.name] = add_setting(settings, step.name, step.value)
    return Changes(
        settings=settings,
        before=(*map(_export, exports), *(step.value for step in steps if step.kind == "before")),
        after=tuple(step.value for step in steps if step.kind == "after"),
    )


def _export(step: Step) -> str:
    return f'export {step.name}="${{{step.name}-}} {step.value}"'


def _describe(step: Step) -> str:
    return f"{step.name}={step.value}" if step.kind == "set" else step.value
