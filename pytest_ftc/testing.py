"""The fixture ``ftc`` and the marker ``ftc``: artifacts that tests declare."""

from __future__ import annotations

import base64
import inspect
import os
import pickle
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from pytest_ftc.configuration import make_artifact
from pytest_ftc.errors import ConfigurationError
from pytest_ftc.items import VerificationFailedError
from pytest_ftc.model import Artifact, BuildResult, BuildStatus, Verdict, Verification
from pytest_ftc.planning.specification import Vocabulary

OUTPUT = "FTC_OUTPUT"
"""The variable that tells a test in a build where ``ftc_output`` is."""
_FOLDER = "ftc-output"
_CALL = (
    "import base64, importlib, pickle, sys; sys.path.insert(0, sys.argv[1]); "
    "function = importlib.import_module(sys.argv[2]); "
    "exec('for name in sys.argv[3].split(\".\"): function = getattr(function, name)'); "
    "args, keywords = pickle.loads(base64.b64decode(sys.argv[4])); function(*args, **keywords)"
)


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
        self, build: str | list[str] | Callable[..., object], outputs: list[str], *, check: bool = True, **keys: Any
    ) -> Outcome:
        """Rebuild in different environments, and compare.

        `build` is a command (text for the shell, or a list of words), or a function of a module, run by a fresh
        interpreter; arguments are given to it with `functools.partial`.  `outputs` and `keys` are as in
        ``[tool.ftc.artifacts]``.  With `check` anything but a good verdict raises, with the findings.  Without
        ``--ftc-verify`` it is built once.  Raises pytest.UsageError for what is no build.
        """
        self._count += 1
        name = self._nodeid if self._count == 1 else f"{self._nodeid} ({self._count})"
        try:
            source = (self._host.root / keys.get("source", ".")).resolve()
            command = describe_call(build, source) if callable(build) else build
            table = {"build": command, "outputs": outputs, **keys}
            artifact = make_artifact(name, name, self._host.root, table, "ftc.verify()", self._host.vocabulary)
        except ConfigurationError as error:
            raise pytest.UsageError(str(error)) from None
        if not self._host.verifies:
            result = self._host.build_once(artifact)
            if result.status is not BuildStatus.OK:
                pytest.fail(f"{name}: the build failed: {result.reason}\n{result.log_tail}", pytrace=False)
            return Outcome(None)
        verification = self._host.verify(artifact)
        self._record(verification)
        if check and not self._host.accepts(verification):
            raise VerificationFailedError(verification)
        return Outcome(verification)


def describe_call(function: Callable[..., object], source: Path) -> list[str]:
    """Return the command that calls `function`, of a module below `source`, in a fresh interpreter.

    Raises ConfigurationError for one that cannot be found by its name, or arguments that cannot be pickled.
    """
    bound = function if isinstance(function, partial) else partial(function)
    target, args, keywords = bound.func, bound.args, bound.keywords
    name = getattr(target, "__qualname__", "")
    told = f"ftc.verify(): build: {name or function!r}"
    if "<" in name or not name or not inspect.isfunction(target):
        kind = (
            "a lambda" if "<lambda>" in name else "defined inside a function" if "<locals>" in name else "no function"
        )
        raise ConfigurationError(f"{told} is {kind}; expected a function of a module, which another process can import")
    file = Path(inspect.getfile(target)).resolve()
    if not file.is_relative_to(source):
        raise ConfigurationError(f"{told} is in {file}; expected a module below the source {source}")
    folder, module = _importable(target.__module__, file)
    try:
        given = base64.b64encode(pickle.dumps((args, keywords), protocol=4)).decode()
    except Exception as error:
        raise ConfigurationError(f"{told}: its arguments cannot be pickled: {error}") from None
    return [sys.executable, "-c", _CALL, os.path.relpath(folder, source), module, name, given]


def _importable(module: str, file: Path) -> tuple[Path, str]:
    """Return the folder from which, and the name under which, the module in `file` is imported."""
    parts = module.split(".")
    path = file.parent if file.name == "__init__.py" else file.with_suffix("")
    if list(path.parts[-len(parts) :]) == parts:
        return path.parents[len(parts) - 1], module
    return path.parent, path.name  # as --import-mode=importlib names it


def declare_test(item: pytest.Function, root: Path, known: Vocabulary) -> Artifact:
    """Return the artifact that a test marked with ``ftc`` is: it runs by its node id, alone.  Raises UsageError.

    `known` are the variations that there are.
    """
    marker = item.get_closest_marker("ftc")
    assert marker is not None
    keys = dict(marker.kwargs)
    outputs = keys.pop("outputs", None)
    try:
        if marker.args or not isinstance(outputs, (list, tuple)):
            raise ConfigurationError('expected a list of outputs: @pytest.mark.ftc(outputs=["report.pdf"])')
        mode = item.config.getoption("importmode")
        # Options of the project may ask for more workers, or for this plugin, again.
        words = [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--override-ini=addopts=",
            f"--import-mode={mode}", "--rootdir=.", item.nodeid,
        ]  # fmt: skip
        table = {"build": words, "outputs": [f"{_FOLDER}/{glob}" for glob in outputs], **keys}
        artifact = make_artifact(item.nodeid, item.nodeid, root, table, "@pytest.mark.ftc", known)
    except ConfigurationError as error:
        raise pytest.UsageError(f"{item.nodeid}: {error}") from None
    return replace(artifact, env={**artifact.env, OUTPUT: _FOLDER})


def is_rebuilt(item: pytest.Item) -> bool:
    """Return whether the test `item` is an artifact: it is marked, and asks where to write."""
    return item.get_closest_marker("ftc") is not None and "ftc_output" in getattr(item, "fixturenames", ())


def output_folder(environ: Mapping[str, str], otherwise: Callable[[], Path]) -> Path:
    """Return where a test writes: in a build its own folder there, else the one it would have anyway."""
    if OUTPUT not in environ:
        return otherwise()
    folder = Path(environ[OUTPUT]).absolute()
    folder.mkdir(exist_ok=True)
    return folder


def _describe(verification: Verification) -> str:
    from pytest_ftc.reporting.findings import findings_of
    from pytest_ftc.reporting.sarif import describe

    told = [f"{verification.name}: {verification.verdict.value}", verification.reason]
    told += [describe(finding) for finding in findings_of(verification)[:3]]
    return "; ".join(filter(None, told))
