"""The fixture ``ftc``: builds that tests have verified."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from pytest_ftc.config.load import make_artifact
from pytest_ftc.model import Artifact, BuildResult, BuildStatus, Verdict, Verification
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.printable import printable
from pytest_ftc.model.support.service_commands import defuse
from pytest_ftc.plugin.callable_build import describe_call
from pytest_ftc.plugin.items import VerificationFailedError
from pytest_ftc.variations.specification import Vocabulary


class Host(Protocol):
    """The session that verifies, or that builds once where nothing is verified."""

    @property
    def root(self) -> Path:
        """The folder of the project."""

    @property
    def vocabulary(self) -> Vocabulary:
        """What specifications of variations may speak of."""

    @property
    def verifies(self) -> bool:
        """Whether pytest was started with ``--ftc-verify``."""

    def verify(self, artifact: Artifact) -> Verification:
        """Return the verification of `artifact`."""

    def build_once(self, artifact: Artifact) -> BuildResult:
        """Build `artifact` in a plain environment."""

    def accepts(self, verification: Verification) -> bool:
        """Return whether `verification` does not fail the session."""


class Answer:
    """A yes or no that says why when an assertion shows it."""

    def __init__(self, yes: bool, why: str) -> None:
        self._yes = yes
        self._why = why

    def __bool__(self) -> bool:
        return self._yes

    def __repr__(self) -> str:
        return self._why


class Outcome:
    """What came of ``ftc.verify``."""

    def __init__(self, verification: Verification | None) -> None:
        self._verification = verification

    @property
    def verification(self) -> Verification:
        """The whole record; without ``--ftc-verify`` there is none, and the test is skipped here."""
        if self._verification is None:
            pytest.skip("it was built once and not verified; run pytest with --ftc-verify")
        return self._verification

    @property
    def verdict(self) -> Verdict:
        """The verdict."""
        return self.verification.verdict

    @property
    def reproducible(self) -> Answer:
        """Whether the verdict is ``reproducible``."""
        return Answer(self.verdict is Verdict.REPRODUCIBLE, repr(self))

    def __repr__(self) -> str:
        if self._verification is None:
            return "<not verified>"
        return f"<{_describe(self._verification)}>"


class Ftc:
    """What the fixture ``ftc`` is."""

    def __init__(self, host: Host, nodeid: str, record: Callable[[Verification], None]) -> None:
        self._host = host
        self._nodeid = nodeid
        self._record = record
        self._count = 0

    def verify(
        self,
        build: str | Sequence[str] | Callable[..., object],
        outputs: Sequence[str],
        *,
        check: bool = True,
        **keys: Any,
    ) -> Outcome:
        """Rebuild in different environments, and compare.

        `build` is a command (text for the shell, or a list of words), or a function of a module, run by a fresh
        interpreter; arguments are given to it with `functools.partial`.  `outputs` and `keys` are as in
        ``[tool.ftc.artifacts]``.  With `check` anything but a good verdict raises, with the findings.  Without
        ``--ftc-verify`` it is built once.  Raises pytest.UsageError for what is no build.
        """
        __tracebackhide__ = True
        self._count += 1
        name = self._nodeid if self._count == 1 else f"{self._nodeid} ({self._count})"
        try:
            artifact = self._declare(name, build, outputs, keys)
        except ConfigurationError as error:
            raise pytest.UsageError(str(error)) from None
        if not self._host.verifies:
            result = self._host.build_once(artifact)
            if result.status is not BuildStatus.OK:
                told = f"{name}: the build failed: {printable(result.reason, keep='')}\n{printable(result.log_tail)}"
                pytest.fail(defuse(told), pytrace=False)
            return Outcome(None)
        verification = self._host.verify(artifact)
        self._record(verification)
        if check and not self._host.accepts(verification):
            raise VerificationFailedError(verification)
        return Outcome(verification)

    def _declare(
        self,
        name: str,
        build: str | Sequence[str] | Callable[..., object],
        outputs: Sequence[str],
        keys: dict[str, Any],
    ) -> Artifact:
        root = self._host.root
        table = {key: os.fspath(value) if isinstance(value, os.PathLike) else value for key, value in keys.items()}
        source = table.get("source", ".")
        table["outputs"] = list(outputs) if isinstance(outputs, tuple) else outputs
        if callable(build):
            # What is wrong with the source is told below.
            table["build"] = describe_call(build, (root / source).resolve() if isinstance(source, str) else root)
        else:
            table["build"] = list(build) if isinstance(build, tuple) else build
        return make_artifact(name, name, root, table, "ftc.verify()", self._host.vocabulary)


def _describe(verification: Verification) -> str:
    from pytest_ftc.reporting.findings import findings_of
    from pytest_ftc.reporting.sarif import describe

    told = [f"{verification.name}: {verification.verdict.value}", verification.reason]
    told += [describe(finding) for finding in findings_of(verification)[:3]]
    return defuse("; ".join(filter(None, told)))
