"""The collected nodes: the configuration file, its group ``ftc``, and one item per artifact."""

from __future__ import annotations

import faulthandler
import itertools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import pytest

from pytest_ftc.model import Verification
from pytest_ftc.model.artifact import declared_name

if TYPE_CHECKING:
    from pathlib import Path

    from _pytest._code.code import ExceptionInfo, TerminalRepr

    from pytest_ftc.model import Artifact


LEFT_OUT = pytest.StashKey[str]()
"""Why a test is not in the session's sample."""
VERIFICATIONS = pytest.StashKey[list[Verification]]()
"""What a test has verified."""


def leave_out(item: pytest.Item, why: str) -> NoReturn:
    """Skip the test `item`, which is not in the session's sample."""
    item.stash[LEFT_OUT] = why
    pytest.skip(why)


class Owner(Protocol):
    """The session that collects artifacts and verifies them."""

    def artifacts_of(self, file: Path) -> tuple[Artifact, ...]:
        """Return the artifacts that `file` declares."""

    def verify(self, artifact: Artifact) -> Verification:
        """Return the verification of `artifact`."""

    def keep(self, item: pytest.Item, verification: Verification) -> None:
        """Add `verification` to the reports."""

    def accepts(self, verification: Verification) -> bool:
        """Return whether `verification` passes."""

    def represent(self, verification: Verification, nodeid: str, item: pytest.Item) -> TerminalRepr:
        """Return what pytest shows for a bad `verification` by the test `item`, which `nodeid` runs again."""

    def why_left_out(self, artifact: Artifact) -> str:
        """Return why `artifact` is not verified in this session; empty if it is."""


class VerificationFailedError(Exception):
    """A verdict is not ``reproducible``, or the artifact violates another requirement, such as ``strict``."""

    def __init__(self, verification: Verification) -> None:
        super().__init__(f"{verification.name}: {verification.verdict.value}")
        self.verification = verification


class ConfigurationFile(pytest.File):
    """The file that declares artifacts.  Its node id is its name, as in ``pyproject.toml::ftc::wheel``."""

    ftc: Owner

    def collect(self) -> Iterator[pytest.Collector]:
        group = ArtifactGroup.from_parent(self, name="ftc")
        group.ftc = self.ftc
        yield group


class NotTests(pytest.File):
    """An empty collector in place of the test module for a configuration file such as ``setup.py``."""

    def collect(self) -> Iterator[pytest.Collector]:
        yield from ()


class ArtifactGroup(pytest.Collector):
    """The middle part of a node id, which separates artifacts from items of other plugins in the same file."""

    ftc: Owner

    def collect(self) -> Iterator[pytest.Item]:
        for artifact in self.ftc.artifacts_of(self.path):
            item = ArtifactItem.from_parent(self, name=declared_name(artifact.id))
            item.bind(artifact, self.ftc)
            yield item


class ArtifactItem(pytest.Item):
    """One artifact to verify."""

    artifact: Artifact
    verification: Verification | None = None

    def bind(self, artifact: Artifact, ftc: Owner) -> None:
        """Set the artifact to verify and the session that verifies it."""
        self.artifact = artifact
        self._ftc = ftc
        # For -k: the name of one in a folder below has that folder, and its node id has it in the path.
        self.extra_keyword_matches.add(artifact.name)
        for name in ("ftc", *artifact.tags):
            self.add_marker(name)

    def runtest(self) -> None:
        if why := self._ftc.why_left_out(self.artifact):
            leave_out(self, why)
        # It waits for builds, which have limits of their own: that it takes long is no fault that stacks would tell of.
        faulthandler.cancel_dump_traceback_later()
        self.verification = self._ftc.verify(self.artifact)
        self._ftc.keep(self, self.verification)
        if not self._ftc.accepts(self.verification):
            raise VerificationFailedError(self.verification)

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        if isinstance(excinfo.value, VerificationFailedError):
            return self._ftc.represent(excinfo.value.verification, self._typed_id(), self)
        return super().repr_failure(excinfo)

    def _typed_id(self) -> str:
        """Return the node id relative to the folder in which pytest was started."""
        file = os.path.relpath(self.path, self.config.invocation_params.dir)
        return "::".join((file, *self.nodeid.split("::")[1:]))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"ftc: {self.artifact.name}"


def properties_of(verification: Verification) -> list[tuple[str, str]]:
    """Return the properties of a test report for `verification`."""
    from pytest_ftc.model.support.printable import shorten
    from pytest_ftc.reporting.findings import findings_of

    causes = dict.fromkeys(finding.cause for finding in findings_of(verification))
    values = {
        "ftc_verdict": verification.verdict.value,
        "ftc_causes": ",".join(causes),
        "ftc_varied": ",".join(verification.varied),
        "ftc_not_varied": ",".join(gap.variation for gap in verification.not_varied),
        "ftc_builds": str(len(verification.builds)),
        "ftc_cached": str(verification.cached).lower(),
        "ftc_tags": ",".join(verification.tags),
        "ftc_owner": shorten(verification.owner, 1000),
        "ftc_reason": shorten(verification.reason, 1000),
    }
    return [(name, value) for name, value in values.items() if value]


def replace_by_id(known: list[Verification], new: list[Verification]) -> list[Verification]:
    """Return `known` with `new` appended; after a rerun, the new verification of an artifact replaces the old one."""
    ids = {one.id for one in new}
    return [*(one for one in known if one.id not in ids), *new]


def keep_verification(item: pytest.Item, verification: Verification) -> None:
    """Add a `verification` requested by the test `item` to the reports."""
    found = replace_by_id(item.stash.get(VERIFICATIONS, []), [verification])
    item.stash[VERIFICATIONS] = found
    others = [entry for entry in item.user_properties if not entry[0].startswith("ftc_")]
    item.user_properties = [*others, *itertools.chain.from_iterable(map(properties_of, found))]
