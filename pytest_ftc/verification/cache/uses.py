"""The observed uses of files outside the sources: a cached verdict is valid while these are unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_ftc.builds.inputs.dependencies import ChangedError, Dependencies
from pytest_ftc.builds.inputs.source_state import SourceState, digest_repository
from pytest_ftc.model import BuildResult
from pytest_ftc.store.action_cache import Entry

# Keys in stored entries, which must not change.
_ORDER = "the order of the times of the sources"
_REPOSITORY = "the configuration or a reference of the repository"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """The uses of one build."""

    tokens: Mapping[str, str] = field(default_factory=dict)
    """A token for each path."""
    unseen: str = ""
    """Why the tokens may be incomplete."""
    changed: str = ""
    """A used path that was changed meanwhile; there are no tokens then."""


def describe_uses(control: BuildResult, dependencies: Dependencies, source: Path, state: SourceState) -> Uses:
    """Return the uses of the build `control` of `source` in that `state`."""
    try:
        return _describe_uses(control, dependencies, source, state)
    except ChangedError as error:
        return Uses(changed=str(error))


def _describe_uses(control: BuildResult, dependencies: Dependencies, source: Path, state: SourceState) -> Uses:
    trace, order = control.trace, {_ORDER: state.order}
    if trace is None:
        unseen = control.not_followed or "it was not traced"
        return Uses(tokens={**order, **_all_of_repository(source, state)}, unseen=unseen)
    return Uses(tokens={**order, **dependencies.describe(trace.outside, control.started)}, unseen=trace.outside_gap)


def find_changes(tokens: Mapping[str, str], dependencies: Dependencies, source: Path, state: SourceState) -> list[str]:
    """Return the used paths that no longer match `tokens`; `source` is now in that `state`."""
    now = {
        **({_ORDER: state.order} if _ORDER in tokens else {}),
        **(_all_of_repository(source, state) if _REPOSITORY in tokens else {}),
    }
    own = [name for name, token in now.items() if tokens[name] != token]
    return own + dependencies.find_changes({path: token for path, token in tokens.items() if path not in now})


def _all_of_repository(source: Path, state: SourceState) -> dict[str, str]:
    """Return a token for everything that a build may have read in a visible repository."""
    return {_REPOSITORY: digest_repository(source)} if state.repository else {}


def describe_unseen(entry: Entry) -> tuple[str, ...]:
    """Return a note for a reused verdict if the record of its build's uses is incomplete."""
    if not entry.unseen:
        return ()
    return (
        (
            "cached, but the build may use files that were not observed and its command does not name "
            f"({entry.unseen}); --ftc-no-cache rebuilds it"
        ),
    )
