"""``ftc determinize``: prints the smallest set of proved remedies as configuration to paste."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_ftc.builds.inputs.snapshot import commit_time
from pytest_ftc.config.project import load_project
from pytest_ftc.model import Artifact
from pytest_ftc.model.artifact import wrap_build
from pytest_ftc.model.support.epoch import OF_COMMIT
from pytest_ftc.model.support.printable import printable, shorten
from pytest_ftc.model.support.service_commands import defuse, defuse_json
from pytest_ftc.plugin.headless import ask_plugins
from pytest_ftc.verification.determinize import Outcome, changes_of, determinize_artifact
from pytest_ftc.verification.rebuild import apply_changes

_EPOCH = "SOURCE_DATE_EPOCH"


def determinize(root: Path, name: str, say: Callable[[str], None]) -> Outcome:
    """Find the settings that make the artifact `name` of the project at `root` reproducible.

    `say` is called with progress messages.  Raises FtcError.
    """
    with ask_plugins(root) as asked:
        if asked.problem:
            say(asked.problem)
        return determinize_artifact(load_project(root, {}, asked.added, ini=asked.ini), asked.added, name, say)


def render(outcome: Outcome) -> str:
    """Return the configuration to paste, with comments on what was proved."""
    name = outcome.artifact.name
    if outcome.heals and not outcome.steps:
        return f"# {name} is reproducible as it is\n"
    changes = changes_of(outcome.steps)
    changed = apply_changes(outcome.artifact, changes, "")
    lines = [f"# proved: {name} is reproducible with this, and not with less"] if outcome.heals else []
    lines += [f"# this helps, but {name} is not reproducible with it"] if outcome.steps and not outcome.heals else []
    own: list[str] = []
    if changed.preset:
        own += _render_preset(changed)
    elif (build := wrap_build(changed)) != wrap_build(outcome.artifact) and isinstance(build, str):
        own.append(f"build = '''\n{build}\n'''")
    settings = {name: changed.env[name] for name in changes.settings}
    if settings.get(_EPOCH) == str(commit_time(outcome.artifact.source)):
        # The number would stay while the project goes on.
        del settings[_EPOCH]
        own.append(f'source_date_epoch = "{OF_COMMIT}"')
    if own:
        lines += [f"[{outcome.table}]", *own]
    if settings:
        lines += [f"[{outcome.table}.env]"]
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()]
    return "\n".join([*lines, *_render_left(outcome)]) + "\n"


def _render_preset(artifact: Artifact) -> Iterator[str]:
    assert artifact.preset is not None
    yield f"preset = {json.dumps(artifact.preset.rpartition('-')[2])}"
    for key, value in (("before", artifact.before), ("after", artifact.after)):
        if value:
            yield f"{key} = {json.dumps(value, ensure_ascii=False)}"


def _render_left(outcome: Outcome) -> Iterator[str]:
    if not outcome.heals:
        yield "# remaining differences:"
    for finding in outcome.left[:20]:
        place = " › ".join(filter(None, (finding.output, finding.member, finding.location)))
        advice = f"; {finding.remedy.summary}" if finding.remedy else ""
        yield f"#   {place}: {finding.cause}{advice}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc determinize``."""
    parser.add_argument("artifact", metavar="ARTIFACT", help="the artifact's name in [tool.ftc.artifacts]")


def _warn(text: str) -> None:
    print(defuse(f"ftc: {shorten(text)}"), file=sys.stderr)


def run(options: argparse.Namespace) -> int:
    """Print settings that make an artifact of the current project reproducible; progress goes to stderr."""

    outcome = determinize(Path.cwd(), options.artifact, _warn)
    print(defuse_json(printable(render(outcome))), end="")
    return 0 if outcome.heals else 1
