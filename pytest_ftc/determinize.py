"""What makes an artifact reproducible, as configuration to paste: the smallest set of proved remedies."""

from __future__ import annotations

import difflib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from pytest_ftc.configuration import Config
from pytest_ftc.contributions import Contributions
from pytest_ftc.errors import FtcError
from pytest_ftc.model import Artifact, Finding, Verdict, Verification
from pytest_ftc.outside import ask_plugins
from pytest_ftc.planning.plan import wrap_build
from pytest_ftc.rebuilding import Changes, apply_changes
from pytest_ftc.workshop import Verifier, load_project


class Step(NamedTuple):
    """One thing to do about a build: a variable to set, or a command before or after it."""

    kind: str
    """``set``, ``before`` or ``after``."""
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was found out about an artifact."""

    artifact: Artifact
    table: str
    """Where it is declared: ``tool.ftc.artifacts.wheel``."""
    steps: tuple[Step, ...]
    """None of these can be left out."""
    heals: bool
    """Whether it is reproducible with them."""
    left: tuple[Finding, ...]
    """What differs even so, or has no remedy that was proved."""


def determinize(root: Path, name: str, say: Callable[[str], None]) -> Outcome:
    """Find out what makes the artifact `name` of the project at `root` reproducible.  Raises FtcError.

    What goes on is told to `say`.
    """
    with ask_plugins(root) as asked:
        return _determinize(load_project(root, {}, asked.added, ini=asked.ini), asked.added, name, say)


def _determinize(config: Config, added: Contributions, name: str, say: Callable[[str], None]) -> Outcome:
    artifact = _choose(config.artifacts, name)
    inside = config.file and config.file.name != "ftc.toml" and (config.root / "pyproject.toml").exists()
    table = f"{'tool.ftc.artifacts' if inside else 'artifacts'}.{name}"
    with tempfile.TemporaryDirectory(prefix="ftc-determinize-") as folder:
        say("verifying it as it is, and trying remedies")
        first = _verify(replace(config, diagnose="full"), added, artifact, Path(folder, "first"))
        if first.verdict is Verdict.REPRODUCIBLE:
            return Outcome(artifact=artifact, table=table, steps=(), heals=True, left=())
        if first.verdict is not Verdict.UNREPRODUCIBLE:
            raise FtcError(f"{name} is {first.verdict.value}: {first.reason}")
        steps = tuple(dict.fromkeys(_steps(first)))
        trials = _Trials(replace(config, diagnose="fast"), added, artifact, Path(folder))
        with_all = trials.verify(steps, say) if steps else first
        if with_all.verdict is not Verdict.REPRODUCIBLE:
            return Outcome(artifact=artifact, table=table, steps=steps, heals=False, left=with_all.findings)
        for step in steps:
            fewer = tuple(other for other in trials.best if other != step)
            trials.verify(fewer, say)
        return Outcome(artifact=artifact, table=table, steps=trials.best, heals=True, left=())


class _Trials:
    """Verifies one artifact with sets of steps; `best` is the last set that made it reproducible."""

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
        changed = apply_changes(self._artifact, _changes(steps), str(self._artifact.source))
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
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
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


def _changes(steps: Sequence[Step]) -> Changes:
    exports = [step for step in steps if step.kind == "set" and "$PWD" in step.value]
    return Changes(
        settings={step.name: step.value for step in steps if step.kind == "set" and step not in exports},
        before=(*map(_export, exports), *(step.value for step in steps if step.kind == "before")),
        after=tuple(step.value for step in steps if step.kind == "after"),
    )


def _export(step: Step) -> str:
    return f'export {step.name}="${{{step.name}-}} {step.value}"'


def _describe(step: Step) -> str:
    return f"{step.name}={step.value}" if step.kind == "set" else step.value


def render(outcome: Outcome) -> str:
    """Return the configuration to paste, with comments that say what is known of it."""
    name = outcome.artifact.name
    if outcome.heals and not outcome.steps:
        return f"# {name} is reproducible as it is\n"
    changes = _changes(outcome.steps)
    changed = apply_changes(outcome.artifact, changes, "")
    lines = [f"# proved: {name} is reproducible with this, and not with less"] if outcome.heals else []
    lines += [f"# this helps, but {name} is not reproducible with it"] if outcome.steps and not outcome.heals else []
    if changed.preset:
        lines += [f"[{outcome.table}]", *_render_preset(changed)]
    elif (build := wrap_build(changed)) != wrap_build(outcome.artifact) and isinstance(build, str):
        lines += [f"[{outcome.table}]", f"build = '''\n{build}\n'''"]
    if changes.settings:
        lines += [f"[{outcome.table}.env]"]
        lines += [f"{key} = {json.dumps(changed.env[key], ensure_ascii=False)}" for key in changes.settings]
    return "\n".join([*lines, *_tell_left(outcome)]) + "\n"


def _render_preset(artifact: Artifact) -> Iterator[str]:
    assert artifact.preset is not None
    yield f"preset = {json.dumps(artifact.preset.rpartition('-')[2])}"
    for key, value in (("before", artifact.before), ("after", artifact.after)):
        if value:
            yield f"{key} = {json.dumps(value, ensure_ascii=False)}"


def _tell_left(outcome: Outcome) -> Iterator[str]:
    if not outcome.heals:
        yield "# what differs still:"
    for finding in outcome.left[:20]:
        place = " › ".join(filter(None, (finding.output, finding.member, finding.location)))
        advice = f"; {finding.remedy.summary}" if finding.remedy else ""
        yield f"#   {place}: {finding.cause}{advice}"
