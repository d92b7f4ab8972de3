"""The protocols between the parts.  Each implementation is one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from pytest_ftc.model import (
        Action,
        BuildResult,
        Conditions,
        Difference,
        Environment,
        Machine,
        Place,
        Replica,
        Suspicion,
    )
    from pytest_ftc.model.digest import Digest
    from pytest_ftc.model.remedy import Changes
    from pytest_ftc.model.store import TierUse


@runtime_checkable
class Variation(Protocol):
    """One axis on which the environments of control and experiment differ.

    Its methods are pure functions of their arguments, since diagnosis builds are varied again.  A variation that sets
    environment variables may list them in an attribute ``variables``; it is then skipped for artifacts that set or
    pass one of them.
    """

    @property
    def name(self) -> str:
        """The variation's name in configuration and reports, also the name of the cause."""

    @property
    def mechanism(self) -> str:
        """How it is applied, in a few words."""

    def unavailable(self, machine: Machine) -> str | None:
        """Return why `machine` cannot vary this and what would allow it, or None when it can."""

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        """Return `environment` with this variation's field changed, `token` planted in it where it can be."""

    def describe(self, environment: Environment) -> str:
        """Return the value `environment` has on this axis, for reports."""


@runtime_checkable
class SettlesControl(Protocol):
    """A variation that also adjusts the control's environment, from which all others are derived."""

    def settle_control(self, environment: Environment) -> Environment:
        """Return the control's `environment`, adjusted for this variation."""


@runtime_checkable
class TakesTurns(Protocol):
    """A variation that has several values, for experiments beyond the first."""

    def take_turn(self, number: int) -> Variation:
        """Return the variation for the experiment `number`, counted from 1."""


@runtime_checkable
class HasLimits(Protocol):
    """A variation that some machines can only partly apply."""

    def limits(self, machine: Machine) -> str | None:
        """Return what `machine` cannot vary of it, so that it is applied but not claimed; None if nothing."""


MayStart: TypeAlias = "Callable[[float], bool | None]"
"""Waits at most the given seconds and returns whether a command may start; None if undecided."""


def at_once(_: float) -> bool:
    """Let a command start as soon as its environment is ready."""
    return True


@runtime_checkable
class Executor(Protocol):
    """Runs builds, several at a time, each in the environment its action asks for."""

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """Run one build and return its result; an infrastructure error gives the status ``lost``, not an exception.

        The contents of the outputs are files in the result's folder ``blobs``, named by their sha256.

        `may_start` is called when the environment is ready; if it returns false, the build is lost.  `started` is
        called once with the real time (seconds since 1970) at which the command starts.
        """

    def cancel(self) -> None:
        """Kill all running builds and refuse new ones."""


class Rebuilder(Protocol):
    """Builds an artifact again for the diagnosis, within a budget of builds and of time."""

    @property
    def left(self) -> int:
        """How many more builds the budget allows."""

    @property
    def is_late(self) -> bool:
        """Whether none is left because the time for them is up."""

    def varying(self, groups: Sequence[Collection[str]], *, trace: bool = False) -> Sequence[BuildResult]:
        """Build in parallel, one build per group, varying only that group; with `trace` the first is traced."""

    def at_the_time_of(self, build: BuildResult, lead: float) -> BuildResult:
        """Repeat the control build, with the clock `lead` seconds before the start of `build`."""

    def with_a_stopped_clock(self, build: BuildResult, groups: Sequence[Collection[str]]) -> Sequence[BuildResult]:
        """Build as `varying` does, with a clock that stands still at the start of `build`.

        A build that waits for its clock to advance does not end, so their time limit is short.
        """

    def at_the_turn_of_a_year(self, groups: Sequence[Collection[str]]) -> Sequence[BuildResult]:
        """Build as `varying` does, at a moment at which the varied time zone has another year than the control's."""

    def on_both_machines(self) -> Sequence[BuildResult]:
        """Repeat the control, and once more on the machine of the experiment; both list the files that they use."""

    def with_changes(self, changes: Changes, only: Collection[str] | None = None) -> Sequence[BuildResult]:
        """Build a control and an experiment with all variations, or `only` these, both with `changes`.

        The second may be left out.
        """


@runtime_checkable
class RemoteExecutor(Executor, Protocol):
    """Runs builds elsewhere."""

    @property
    def replicas(self) -> Sequence[Replica]:
        """The kinds of workers that environments choose from; empty if all are alike."""

    def survey(self, replica: Replica | None = None) -> Machine:
        """Return what the machines that run the builds, or those of one kind, can do.  Raises FtcError."""

    def close(self) -> None:
        """Disconnect; called once, when nobody reads outputs any more."""


@runtime_checkable
class Comparator(Protocol):
    """Locates the difference inside an output."""

    def examine(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        """Return `difference` with location, evidence, diff or note filled; several if members differ independently.

        `control` and `experiment` are files with the contents of the output.
        """


@runtime_checkable
class Diagnoser(Protocol):
    """Suggests causes from the two values of a place that differs."""

    def suspect(self, leaf: Place, control: Conditions, experiment: Conditions) -> Iterable[Suspicion] | None:
        """Return the causes that the values of `leaf` suggest, or None, given the conditions of both builds."""


@runtime_checkable
class ContentStore(Protocol):
    """Keeps contents across sessions, by digest."""

    def get_file(self, digest: Digest, to: Path) -> None:
        """Write a content to the new file `to`.  Raises MissingError if it is absent, StoreUnavailableError."""

    def put_files(self, files: Mapping[Digest, Path]) -> None:
        """Store the contents of `files`, which must no longer be written to.  Raises StoreUnavailableError."""


@runtime_checkable
class ActionCache(Protocol):
    """Keeps one entry per action, by the action's digest.

    Entries are authenticated with a key that the cache does not have: a lost, swapped or forged entry costs a rebuild.
    """

    def get_entry(self, action: str) -> bytes | None:
        """Return the entry of `action`, a hexadecimal digest; None if there is none.  Raises StoreUnavailableError."""

    def put_entry(self, action: str, entry: bytes) -> None:
        """Store `entry` for `action`, replacing any other.  Raises StoreUnavailableError."""


@runtime_checkable
class Store(ContentStore, ActionCache, Protocol):
    """What sessions share: contents and cached verdicts."""

    @property
    def problems(self) -> Sequence[str]:
        """Problems so far, one sentence each, for the end of the session's report."""

    def close(self) -> None:
        """Release all resources; called once, when the session ends."""


@runtime_checkable
class Tiered(Store, Protocol):
    """A store with another one behind it, which machines share."""

    @property
    def use(self) -> TierUse:
        """How both were used so far."""

    @property
    def is_remote_paused(self) -> bool:
        """Whether the shared store is not used now because it failed repeatedly."""


class Images(Protocol):
    """Finds published files in registries of OCI artifacts."""

    def digests(self, name: str) -> Mapping[str, str]:
        """Return the sha256 of each file of the reference `name`, by file name.  Raises SourceError."""

    def fetch(self, name: str) -> Mapping[str, Path]:
        """Return each file of the reference `name`, its content verified.  Raises SourceError."""
