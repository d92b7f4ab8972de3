"""What steps change of an artifact, as its table declares it: settings that stay right as the project goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_ftc.model import Artifact
from pytest_ftc.model.remedy import add_setting, escape_quoted, holds_options
from pytest_ftc.model.support.epoch import FALLBACK_EPOCH, OF_COMMIT, UNSET
from pytest_ftc.verification.determinize.steps import EPOCH, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is set of an artifact, beside what it has."""

    env: Mapping[str, str]
    """Variables, each with the options that the artifact already has in it."""
    before: tuple[str, ...]
    """Commands before those that the artifact has."""
    after: tuple[str, ...]
    """Commands behind those that the artifact has."""
    of_commit: bool
    """Whether SOURCE_DATE_EPOCH is the time of the last commit."""


def settings_of(artifact: Artifact, steps: Sequence[Step], commit: int | None) -> Settings:
    """Return what `steps` set of `artifact`; `commit` is the time of the last commit, in seconds since 1970.

    That time is never part of them as a number, which would stay while the project goes on.
    """
    env: dict[str, str] = {}
    exports: list[str] = []
    dated = False
    for step in steps:
        if step.kind != "set":
            continue
        if step.name == EPOCH:
            dated = True
        elif (text := name_commit(step.value, commit)) != step.value or "$PWD" in step.value:
            dated |= text != step.value
            exports.append(_export(step.name, text))
        else:
            env[step.name] = add_setting({**artifact.env, **env}, step.name, step.value)
    return Settings(
        env=env,
        before=(*exports, *_values(steps, "before")),
        after=tuple(_values(steps, "after")),
        of_commit=dated and EPOCH not in artifact.env and artifact.source_date_epoch == UNSET,
    )


def apply_settings(artifact: Artifact, settings: Settings, commit: int | None) -> Artifact:
    """Return `artifact` with `settings`; without a `commit`, a fixed time stands in for the time of the last one."""
    epoch = (FALLBACK_EPOCH if commit is None else OF_COMMIT) if settings.of_commit else artifact.source_date_epoch
    return replace(
        artifact,
        env={**artifact.env, **settings.env},
        before="\n".join(filter(None, (*settings.before, artifact.before))),
        after="\n".join(filter(None, (artifact.after, *settings.after))),
        source_date_epoch=epoch,
    )


def _values(steps: Sequence[Step], kind: str) -> Iterator[str]:
    return (step.value for step in steps if step.kind == kind)


def name_commit(value: str, commit: int | None) -> str:
    """Return `value` with the time of the `commit`, in seconds since 1970, as a variable of the shell."""
    return value if commit is None else re.sub(rf"(?<!\d){commit}(?!\w)", f"${EPOCH}", value)


def _export(name: str, text: str) -> str:
    inner = escape_quoted(text, "PWD", EPOCH)
    own = f"${{{name}-}} " if holds_options(name) else ""
    return f'export {name}="{own}{inner}"'
