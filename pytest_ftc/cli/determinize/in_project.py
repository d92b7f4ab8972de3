"""Making changes of the project's own files that were proved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.cli.determinize.texts import read_text, replace_text
from pytest_ftc.model.errors import FtcError
from pytest_ftc.verification.determinize import Outcome

NO_CHANGE = "no change of the project's own files is known that makes it reproducible; without --in-project: settings"


def is_healed(outcome: Outcome) -> bool:
    """Return whether the artifact is reproducible as it is, or with a change of the project's files."""
    return outcome.in_project is not None or (outcome.heals and not outcome.steps)


def write_changes(outcomes: Sequence[Outcome], say: Callable[[str], None]) -> Iterator[Outcome]:
    """Make the proved changes of `outcomes`; yield each with the steps that are left to write as settings.

    `say` is called with what was done and what was not.  A file that is no longer as it was is left alone, with all
    others of its change.
    """
    for outcome in outcomes:
        proof = outcome.in_project
        if proof is None:
            yield replace(outcome, steps=(), heals=is_healed(outcome))
            continue
        try:
            _write(outcome.artifact.source, proof.change.files)
        except FtcError as error:
            say(f"{outcome.artifact.name} is not changed: {error}")
            yield replace(outcome, steps=(), heals=False, in_project=None)
            continue
        say(f"changed for {outcome.artifact.name}: {', '.join(proof.change.files)}")
        yield replace(outcome, steps=proof.steps, heals=True)


def _write(source: Path, files: Mapping[str, tuple[str, str]]) -> None:
    now = {path: read_text(source / path) for path in files}
    for path, texts in files.items():
        if now[path] not in texts:
            raise FtcError(f"{path} was changed meanwhile; run ftc determinize --in-project again")
    for path, (old, new) in files.items():
        if now[path] != new:
            replace_text(source / path, old, new)
