"""The fixture ``ftc``, with which tests verify builds."""

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
    """A session that verifies builds or, without ``--ftc-verify``, runs each once."""

    @property
    def root(self) -> Path:
        """The project's root folder."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The names that specifications of variations may use."""

    @property
    def verifies(self) -> bool:
        """Whether pytest was started with ``--ftc-verify``."""

    def verify(self, artifact: Artifact) -> Verification:
        """Return the verification of `artifact`."""

    def build_once(self, artifact: Artifact) -> BuildResult:
        """Build `artifact` once in a plain environment."""

    def accepts(self, verification: Verification) -> bool:
        """Return whether `verification` passes."""


class Answer:
    """A boolean whose `repr` gives the reason, for the messages of failed assertions."""

    def __init__(self, yes: bool, why: str) -> None:
        self._yes = yes
        self._why = why

    def __bool__(self) -> bool:
        return self._yes

    def __repr__(self) -> str:
        return self._why


class Outcome:
    """The result of ``ftc.verify``."""

    def __init__(self, verification: Verification | None) -> None:
        self._verification = verification

    @property
    def verification(self) -> Verification:
        """The full verification; without ``--ftc-verify`` there is none, and the test is skipped."""
        if self._verification is None:
            pytest.skip("built once but not verified; run pytest with --ftc-verify")
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
    """The value of the fixture ``ftc``."""

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
        """Verify a build: run it in different environments and compare its outputs.

        `build` is a command (a string for the shell, or a list of words) or a module-level function, which runs in a
        fresh interpreter; bind its arguments with `functools.partial`.  `outputs` and `keys` are those of
        ``[tool.ftc.artifacts]``.  With `check`, a bad verdict raises an exception that shows the findings.  Without
        ``--ftc-verify``, the build runs once.  Raises pytest.UsageError for invalid arguments.
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
                text = f"{name}: the build failed: {printable(result.reason, keep='')}\n{printable(result.log_tail)}"
                pytest.fail(defuse(text), pytrace=False)
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
            # make_artifact reports an invalid source.
            table["build"] = describe_call(build, (root / source).resolve() if isinstance(source, str) else root)
        else:
            table["build"] = list(build) if isinstance(build, tuple) else build
        return make_artifact(name, name, root, table, "ftc.verify()", self._host.vocabulary)


def _describe(verification: Verification) -> str:
    from pytest_ftc.reporting.findings import findings_of
    from pytest_ftc.reporting.sarif import describe

    parts = [f"{verification.name}: {verification.verdict.value}", verification.reason]
    parts += [describe(finding) for finding in findings_of(verification)[:3]]
    return defuse("; ".join(filter(None, parts)))
