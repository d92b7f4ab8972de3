"""The configuration to paste, with what was proved and what is left as comments."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

from pytest_ftc.builds.inputs.snapshot import commit_of_sources
from pytest_ftc.cli.determinize.keys import keys_of, preset_key
from pytest_ftc.config.editing.artifact_table import quote, write_text
from pytest_ftc.model import Artifact, Finding
from pytest_ftc.model.artifact import wrap_build
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.reporting.findings import fold, show_certainty
from pytest_ftc.verification.determinize import Outcome, settings_of
from pytest_ftc.verification.determinize.settings import Settings, apply_settings
from pytest_ftc.verification.determinize.steps import steps_of

_MOST_LEFT = 20
"""The most kinds of remaining differences that are printed."""
_WIDTH = 79

COMMIT_FIRST = (
    "there is no commit yet, whose time source_date_epoch takes; 2020-01-01 stood in for it. Commit the sources first: "
    'git init && git add . && git commit -m "..."'
)


def render(outcome: Outcome, *, tables: bool = True) -> str:
    """Return the configuration to paste, with comments on what was proved; these alone if not `tables`."""
    name = outcome.artifact.name
    if outcome.heals and not outcome.steps:
        return f"# {name} is reproducible as it is\n"
    commit = commit_of_sources(outcome.artifact.source)
    settings = settings_of(outcome.artifact, outcome.steps, commit)
    table = _table(outcome, settings, commit) if tables else ()
    lines = [*_head(outcome), *table, *_left(outcome), *_in_project(outcome)]
    if settings.of_commit and commit is None:
        lines[1:1] = _comment(COMMIT_FIRST)
    return "\n".join(lines) + "\n"


def _head(outcome: Outcome) -> Iterator[str]:
    name = outcome.artifact.name
    if outcome.heals and outcome.suspected:
        yield from _comment(
            f"{name} was reproducible with this, but a cause of its differences was only suspected: "
            "luck is not ruled out"
        )
    elif outcome.heals:
        yield f"# proved: {name} is reproducible with this, and not with less"
    elif outcome.steps:
        yield f"# this helps, but {name} is not reproducible with it"
    else:
        yield f"# no setting is known that helps {name}"


def _table(outcome: Outcome, settings: Settings, commit: int | None) -> Iterator[str]:
    artifact = outcome.artifact
    own = [f"{key} = {write_text(value)}" for key, value in keys_of(artifact, settings).items()]
    build = wrap_build(apply_settings(artifact, settings, commit))
    alone = not (artifact.preset or artifact.before or artifact.after)
    if alone and build != artifact.build and isinstance(build, str):
        # One value to paste over another.
        own = [f"build = '''\n{build}\n'''", *(line for line in own if line.startswith("source_date_epoch"))]
    if own:
        yield from (f"[{outcome.table}]", *(f"{key} = {quote(value)}" for key, value in preset_key(artifact)), *own)
    if settings.env:
        yield f"[{outcome.table}.env]"
        yield from (f"{key} = {quote(value)}" for key, value in settings.env.items())


def _left(outcome: Outcome) -> Iterator[str]:
    for step, why in outcome.breaking:
        yield from _comment(f"left out, since the build with it and the rest is {shorten(why)}: {shorten(str(step))}")
    if outcome.heals:
        return
    yield "# remaining differences:"
    groups = fold(outcome.left)
    for group in groups[:_MOST_LEFT]:
        yield from _describe(group, outcome)
    if len(groups) > _MOST_LEFT:
        yield f"#   and {len(groups) - _MOST_LEFT} more kinds: pytest --ftc-verify"


def _in_project(outcome: Outcome) -> Iterator[str]:
    """Yield the change of the project's own files, as comments."""
    proof = outcome.in_project
    if proof is None:
        return
    beside = f", with {', '.join(map(str, proof.steps))} beside it" if proof.steps else ""
    command = f"ftc determinize --in-project {shlex.quote(outcome.artifact.name)}"
    yield "#"
    yield from _comment(
        f"or change the project itself ({command} | patch -p1, or --write); it is reproducible with this{beside}, "
        "which was proved as well:"
    )
    yield from (f"# {line}".rstrip() for line in proof.change.diff(_folder_of(outcome.artifact)).splitlines())


def render_in_project(outcome: Outcome) -> str:
    """Return the change of the project's own files as a diff, with what it needs beside it as comments."""
    proof, name = outcome.in_project, outcome.artifact.name
    if proof is None:
        return f"# {name} is reproducible as it is\n"
    lines = [f"# proved: {name} is reproducible with this, and not with less"]
    if proof.steps:
        commit = commit_of_sources(outcome.artifact.source)
        lines[0] += ", beside these settings:"
        settings = settings_of(outcome.artifact, proof.steps, commit)
        lines += [f"# {line}" for text in _table(outcome, settings, commit) for line in text.splitlines()]
    return "\n".join(lines) + "\n" + proof.change.diff(_folder_of(outcome.artifact))


def _folder_of(artifact: Artifact) -> str:
    """Return the folder of the sources relative to the current one; empty if they are elsewhere."""
    here = Path.cwd()
    return str(artifact.source.relative_to(here)) if artifact.source.is_relative_to(here) else ""


def _describe(group: list[Finding], outcome: Outcome) -> Iterator[str]:
    first = group[0]
    place = shorten(" › ".join(filter(None, (first.output, first.member, first.location))))
    more = f" and {len(group) - 1} more places" if len(group) > 1 else ""
    yield from _comment(f"{place}{more}: {first.cause} ({show_certainty(first)})", first="  ", rest="      ")
    yield from _comment(_explain(first, outcome), first="      ", rest="      ")


def _explain(finding: Finding, outcome: Outcome) -> str:
    """Return why nothing was done about `finding`."""
    remedy = finding.remedy
    if remedy is None:
        return "no remedy is known that works from outside; change the build"
    steps = steps_of(finding, outcome.artifact)
    tried = remedy.tried or (bool(steps) and outcome.tried.issuperset(steps))
    in_vain = [remedy.summary] if tried and not remedy.proved else []
    failed = "; ".join([*(shorten(text) for text in (*remedy.also_tried, *in_vain)), *map(shorten, remedy.rejected)])
    told = [f"tried, not sufficient: {failed}"] if failed else []
    if remedy.proved:
        told.append(f"helps alone: {shorten(remedy.summary)}")
    elif not tried:
        told.append(f"to do in the project: {shorten(remedy.summary)}")
    return ". ".join(told)


def _comment(text: str, first: str = "", rest: str = "  ") -> list[str]:
    """Return `text` as lines of a comment."""
    return textwrap.wrap(
        text.replace("\n", " "),
        _WIDTH,
        initial_indent=f"# {first}",
        subsequent_indent=f"# {rest}",
        break_long_words=False,
        break_on_hyphens=False,
    )
