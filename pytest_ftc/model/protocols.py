"""What the parts promise each other.  Each strategy is one of these plus one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from pytest_ftc.model import Action, BuildResult, Conditions, Difference, Environment, Machine, Place, Suspicion
    from pytest_ftc.model.digest import Digest
    from pytest_ftc.model.remedy import Changes


@runtime_checkable
class Variation(Protocol):
    """One axis on which the environments of control and experiment differ.

    Its answers depend on nothing but what it is given: builds that explain a difference are varied anew.  One that sets
    environment variables may name them in an attribute ``variables``; for an artifact that sets or passes one of them
    itself it is then not varied.
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
    """A variation that has a say in the control's environment too, from which all others are made."""

    def settle_control(self, environment: Environment) -> Environment:
        """Return the control's `environment` as this variation wants it."""


@runtime_checkable
class TakesTurns(Protocol):
    """A variation that has several values, for experiments beyond the first."""

    def take_turn(self, number: int) -> Variation:
        """Return the variation for the experiment `number`, counted from 1."""


@runtime_checkable
class HasLimits(Protocol):
    """A variation that some machines can apply only in part."""

    def limits(self, machine: Machine) -> str | None:
        """Return what of it `machine` cannot vary, so that it is applied and not claimed; None where all is varied."""


MayStart: TypeAlias = "Callable[[float], bool | None]"
"""Waits at most some seconds and tells whether a command may start; None when that is not known yet."""


def at_once(_: float) -> bool:
    """Let a command start when its environment stands."""
    return True


@runtime_checkable
class Executor(Protocol):
    """Runs builds, several at a time, each in the environment its action asks for."""

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """Run one build and return what came of it; a fault is a result with status ``lost``, not an exception.

        The contents of the outputs are files in a folder of the result's, ``blobs``, named by their sha256.

        `may_start` is asked when the environment stands; where the answer is no, the build is lost.  `started` is
        called once with the real time (seconds since 1970) at which the command starts.
        """

    def cancel(self) -> None:
        """Kill every build that runs and refuse new ones."""


class Rebuilder(Protocol):
    """Builds an artifact again for the diagnosis, within a budget of builds and of time."""

    @property
    def left(self) -> int:
        """How many more builds the budget allows."""

    def varying(self, groups: Sequence[Collection[str]], *, trace: bool = False) -> Sequence[BuildResult]:
        """Build at once, for each of `groups`, with only the variations it names; with `trace` the first is traced."""

    def at_the_time_of(self, build: BuildResult, lead: float) -> BuildResult:
        """Build in the control's environment once more, with the clock `lead` seconds short of the start of `build`."""

    def with_changes(self, changes: Changes) -> Sequence[BuildResult]:
        """Build a control and an experiment with all variations, both with `changes`; the second may be left out."""


@runtime_checkable
class Comparator(Protocol):
    """Says where inside a differing output the difference lies."""

    def examine(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        """Return `difference` with location, evidence, diff or note filled; several when members differ apart.

        `control` and `experiment` are files with the contents of the output.
        """


@runtime_checkable
class Diagnoser(Protocol):
    """Says what the two values of a place that differs point to."""

    def suspect(self, leaf: Place, control: Conditions, experiment: Conditions) -> Iterable[Suspicion] | None:
        """Return causes for which the values of `leaf` speak, or None; the others are what the two builds ran in."""


@runtime_checkable
class ContentStore(Protocol):
    """Keeps contents from session to session, by their digests."""

    def get_file(self, digest: Digest, to: Path) -> None:
        """Write a content to the new file `to`.  Raises MissingError where it is not kept, StoreUnavailableError."""

    def put_files(self, files: Mapping[Digest, Path]) -> None:
        """Keep the contents of `files`, which nobody writes to any more.  Raises StoreUnavailableError."""


@runtime_checkable
class ActionCache(Protocol):
    """Keeps one entry for each action, by the digest of the action.

    Entries are sealed under a key that the cache does not have: what it loses, mixes up or forges costs a rebuild.
    """

    def get_entry(self, action: str) -> bytes | None:
        """Return the entry of `action`, a hexadecimal digest; None if there is none.  Raises StoreUnavailableError."""

    def put_entry(self, action: str, entry: bytes) -> None:
        """Keep `entry` for `action`, in place of any other.  Raises StoreUnavailableError."""


@runtime_checkable
class Store(ContentStore, ActionCache, Protocol):
    """What sessions remember for each other."""

    @property
    def problems(self) -> Sequence[str]:
        """What went wrong so far, one sentence each, for the end of the session's report."""

    def close(self) -> None:
        """Let go of what is held; called once, when the session ends."""


class Images(Protocol):
    """Finds published files in registries of OCI artifacts."""

    def digests(self, name: str) -> Mapping[str, str]:
        """Return the sha256 of each file of the reference `name`, by file name.  Raises SourceError."""

    def fetch(self, name: str) -> Mapping[str, Path]:
        """Return each file of the reference `name`, its content checked.  Raises SourceError."""
