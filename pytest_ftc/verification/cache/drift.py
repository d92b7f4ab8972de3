"""Drift: what of this machine differs from the one on which an artifact was last built."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pytest_ftc.builds.inputs.dependencies import Dependencies
from pytest_ftc.builds.inputs.environment_variables import passed_variables
from pytest_ftc.builds.inputs.host import describe_host
from pytest_ftc.builds.inputs.toolchain import PACKAGES, Toolchain
from pytest_ftc.builds.machine import list_locales
from pytest_ftc.model import Artifact, BuildResult
from pytest_ftc.model.artifact import wrap_build
from pytest_ftc.store.history import History
from pytest_ftc.verification.cache.context import CacheQuery
from pytest_ftc.verification.cache.miss import describe_query, name_some
from pytest_ftc.verification.cache.uses import Uses
from pytest_ftc.verification.claims.gap import GAP, needs_gap

_MOST_FILES = 5000
"""Most used files to record; of more, the shared libraries."""
_LIBRARY = re.compile(r"\.(so|a|dylib|jar)(\.[0-9.]+)?$")
_FILES = "sf"
"""The kinds of tokens of files that were read, see `pytest_ftc.builds.inputs.dependencies`."""
_PYTHON_PACKAGES = ("site-packages", "dist-packages")
_SHOWN = 12
"""Digits of a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One thing that differs."""

    kind: str
    """``tool``, ``packages``, ``library``, ``file``, ``locale``, or a fact of the machine such as ``kernel``."""
    name: str
    """A path, or the name of a locale; empty for a fact of the machine."""
    then: str
    """What it was when the artifact was last built; empty if it was not there, or is known to be another only."""
    now: str
    """What it is; empty if it is not there any more, or is known to be another only."""

    @property
    def phrase(self) -> str:
        """What differs, in a few words."""
        if not self.name:
            return f"{self.kind} {self.now or 'unknown'}, was {self.then or 'unknown'}"
        if bool(self.then) == bool(self.now):
            return f"{self.kind} {self.name} changed"
        return f"{self.kind} {self.name} {'is new' if self.now else 'was removed'}"


def describe_surroundings(
    uses: Uses, tools: Mapping[str, str], control: BuildResult, source: str = ""
) -> dict[str, Any]:
    """Return what is recorded of this machine and of what the `control` on it used, beside its `tools`.

    What is below the folder `source`, such as the commit in ``.git``, is the project's, not the machine's.
    """
    facts, locales = _describe_machine()
    files = {path: token for path, token in uses.tokens.items() if path.startswith("/") and token[:1] in _FILES}
    own = f"{source}/" if source else "//"
    read = {path: token for path, token in files.items() if path not in tools and not path.startswith(own)}
    if len(read) > _MOST_FILES:
        read = {path: token for path, token in read.items() if _LIBRARY.search(path)}
    read = read if len(read) <= _MOST_FILES else {}
    return {"machine": dict(facts), "locales": locales, "uses": read, GAP: needs_gap(control)}


def describe_last(query: CacheQuery, uses: Uses, control: BuildResult) -> str:
    """Return what is recorded of the last build of an artifact, so that the next session can name what has changed."""
    return describe_query(query, describe_surroundings(uses, query.tools, control, str(query.artifact.source)))


def find_drift(before: str, tools: Mapping[str, str], dependencies: Dependencies) -> list[Drift] | None:
    """Return what differs from what was recorded `before`; the tools of the build are now `tools`.

    None if the record is of an earlier version, or there is none.
    """
    try:
        then = json.loads(before)
        return [*_tools(then["tools"], tools), *_others(then, dependencies)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def add_drift(why: str, before: str, dependencies: Dependencies) -> str:
    """Return `why` an artifact is built again, and what of this machine differs from what was recorded `before`."""
    try:
        found = list(_others(json.loads(before), dependencies))
    except (ValueError, KeyError, TypeError, AttributeError):
        return why
    phrases = [one.phrase for one in found if not (one.name and one.name in why)]
    return f"{why}; this machine differs from that of the last build: {name_some(phrases)}" if phrases else why


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactDrift:
    """What differs for one artifact."""

    artifact: str
    """Its name."""
    built: float | None
    """When it was last built, seconds since 1970; None if that is not recorded."""
    verdict: str
    machine: str
    """The host name of the machine."""
    drift: Sequence[Drift] | None
    """None if nothing was recorded to compare with."""


def find_drift_of(artifact: Artifact, history: History, project: str, looks: Looks) -> ArtifactDrift:
    """Return what differs from when `artifact` was last built in `project`.

    Raises StoreUnavailableError, or another FtcError if its source cannot be read.
    """
    last = next(iter(history.of_artifact(artifact.id, project, most=1)), None)
    variables = {**passed_variables(artifact.pass_env, os.environ), **artifact.env}
    tools = looks.toolchain.describe(wrap_build(artifact), variables, artifact.source)
    return ArtifactDrift(
        artifact=artifact.name,
        built=last.started if last else None,
        verdict=last.verdict if last else "",
        machine=last.machine if last else "",
        drift=find_drift(history.inputs_of(project, artifact.id), tools, looks.dependencies),
    )


@dataclass(frozen=True, slots=True)
class Looks:
    """What looks at files; each is looked at once for all artifacts."""

    toolchain: Toolchain
    dependencies: Dependencies = field(default_factory=Dependencies)


@cache
def _describe_machine() -> tuple[Mapping[str, str], list[str]]:
    """Return facts of this machine, and its locales; they do not change while a session runs."""
    library, version = platform.libc_ver()
    facts = {
        **describe_host().facts,
        "architecture": platform.machine(),
        "C library": f"{library} {version}".strip(),
        "Python": platform.python_version(),
    }
    return facts, sorted(list_locales())


def _tools(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Drift]:
    for path in sorted({*then, *now}):
        if then.get(path) != now.get(path):
            kind = "packages" if path in PACKAGES or path.endswith(_PYTHON_PACKAGES) else "tool"
            yield Drift(kind=kind, name=path, then=then.get(path, "")[:_SHOWN], now=now.get(path, "")[:_SHOWN])


def _others(then: Mapping[str, Any], dependencies: Dependencies) -> Iterator[Drift]:
    facts, locales = _describe_machine()
    for kind, was in then["machine"].items():
        if (found := facts.get(kind, "")) != was:
            yield Drift(kind=kind, name="", then=was, now=found)
    for name in sorted({*then["locales"]} ^ {*locales}):
        yield Drift(
            kind="locale", name=name, then=name if name in then["locales"] else "", now=name if name in locales else ""
        )
    for path in dependencies.find_changes(then["uses"]):
        is_there = os.path.lexists(path)
        kind = "library" if _LIBRARY.search(path) else "file"
        yield Drift(kind=kind, name=path, then="" if is_there else path, now="")
