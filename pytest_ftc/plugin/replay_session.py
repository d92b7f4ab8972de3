"""A session of ``pytest --ftc-replay``: a single item, the build, and no tests."""

from __future__ import annotations

import faulthandler
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftc.model import Action, BuildResult, Replayed
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.plugin.result_folders import lasting_folder, record_folders
from pytest_ftc.plugin.settings import load_settings
from pytest_ftc.verification.replay.records import find_record
from pytest_ftc.verification.replay.replay import replay
from pytest_ftc.verification.replay.session import ReplaySession

if TYPE_CHECKING:
    from _pytest._code.code import ExceptionInfo, TerminalRepr
    from _pytest._io import TerminalWriter
    from _pytest.terminal import TerminalReporter


class DiffersError(Exception):
    """A replayed build did not repeat its result."""


class ReplayPlugin:
    """Replays the requested build instead of running tests, and reports how the results compare."""

    def __init__(self, config: pytest.Config) -> None:
        _check_usage(config)
        self._config = config
        self._settings, _ = load_settings(config)
        try:
            # The folder of --ftc-report comes first; the other may hold records of an earlier session.
            self.then = find_record(config.getoption("ftc_replay"), record_folders(config, self._settings))
        except ConfigurationError as error:
            raise pytest.UsageError(str(error)) from None
        executor = _choose_executor(config, self.then, has_farm=self._settings.remote is not None)
        self._settings = replace(self._settings, executor=executor)
        self._staging = ReplaySession(self._settings, self.then, lasting_folder(config) / "logs")
        self.replayed: Replayed | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        item = BuildItem.from_parent(session, name=self.then.id, nodeid=f"ftc-replay::{self.then.id}")
        item.bind(self)
        session.items = [item]
        session.testscollected = 1
        found = pytest.CollectReport("ftc-replay", "passed", None, [item])
        self._config.hook.pytest_collectreport(report=found)
        self._config.hook.pytest_collection_finish(session=session)
        return True

    def run(self) -> Replayed:
        """Run the build again.  Raises FtcError if it cannot be prepared."""
        keep, shell = (bool(self._config.getoption(name)) for name in ("ftc_keep", "ftc_shell"))
        try:
            stage = self._staging.open(shell=shell)
            kept = self._staging.folder_to_keep() if keep else None
            done = replay(self.then, stage, keep=kept, **({"enter": self._enter} if shell else {}))
            place = self._staging.preserve(kept, self.then.id) if kept else None
            self.replayed = replace(done, kept=str(place or ""))
        finally:
            self._staging.close()
        return self.replayed

    @contextmanager
    def _enter(self, action: Action) -> Iterator[Action]:
        """Replace the command of `action` by a shell on this terminal."""
        from pytest_ftc.reporting.terminal.replay import greeting
        from pytest_ftc.verification.replay.pty import JoinedTerminal
        from pytest_ftc.verification.replay.shell import RUN, shell_for

        with _without_capture(self._config):
            os.write(1, greeting(self.then, action, RUN).encode(errors="replace"))
            with JoinedTerminal() as terminal, shell_for(action, f"{self.then.id}$ ", terminal.inside) as shell:
                yield replace(action, shell=shell, timeout=_FOREVER)

    def panel(self, *, width: int, colour: bool) -> str:
        """Return the panel of the replay."""
        from pytest_ftc.reporting.terminal.replay import replay_panel

        assert self.replayed is not None
        return replay_panel(self.replayed, width=width, colour=colour, again=self.again)

    @property
    def again(self) -> str:
        """The command that repeats the replay."""
        report = self._config.getoption("ftc_report")
        return shlex.join(["pytest", f"--ftc-replay={self.then.id}", *([f"--ftc-report={report}"] if report else [])])

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        from pytest_ftc.reporting.terminal.style import fit_encoding

        # A failed replay is already shown as a failure.
        if self.replayed and passes(self.replayed) and terminalreporter.verbosity >= -1:
            writer = terminalreporter._tw
            terminalreporter.section("ftc replay")
            panel = self.panel(width=min(writer.fullwidth, 120), colour=writer.hasmarkup)
            terminalreporter.write(fit_encoding(panel, getattr(writer._file, "encoding", None)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._staging.close()
        # pytest --lf could not find a replay again.
        remembered = getattr(self._config.pluginmanager.getplugin("lfplugin"), "lastfailed", {})
        for one in [one for one in remembered if str(one) == f"ftc-replay::{self.then.id}"]:
            del remembered[one]

    def pytest_unconfigure(self) -> None:
        self._staging.close()


_FOREVER = 10 * 365 * 86400.0
"""Seconds: an interactive shell has no time limit."""


class BuildItem(pytest.Item):
    """The build that is replayed."""

    def bind(self, session: ReplayPlugin) -> None:
        """Set the session of this item."""
        self._ftc = session

    def runtest(self) -> None:
        # How long a build takes, or a shell in its environment, is no fault that the stacks of pytest would tell of.
        faulthandler.cancel_dump_traceback_later()
        if not passes(self._ftc.run()):
            raise DiffersError(self._ftc.then.id)

    def repr_failure(self, excinfo: ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        if isinstance(excinfo.value, DiffersError):
            return _panel_repr(self._ftc)
        if isinstance(excinfo.value, FtcError):
            return f"{self.name} could not be replayed: {excinfo.value}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.config.rootpath, None, f"ftc replay: {self.name}"


def passes(replayed: Replayed) -> bool:
    """Return whether the build repeated its result; a shell session passes if its environment could be created."""
    return replayed.same or (replayed.shell and replayed.is_comparable)


def _panel_repr(session: ReplayPlugin) -> TerminalRepr:
    from _pytest._code.code import TerminalRepr

    from pytest_ftc.reporting.terminal.style import fit_encoding

    class ReplayRepr(TerminalRepr):
        def __str__(self) -> str:
            return session.panel(width=100, colour=False)

        def toterminal(self, tw: TerminalWriter) -> None:
            panel = session.panel(width=min(tw.fullwidth, 120), colour=tw.hasmarkup)
            tw.write(fit_encoding(panel, getattr(tw._file, "encoding", None)))

    return ReplayRepr()


def _check_usage(config: pytest.Config) -> None:
    """Raise a usage error for incompatible options or a missing terminal."""
    if config.getoption("ftc_replay") is None:
        option = "--ftc-shell" if config.getoption("ftc_shell") else "--ftc-keep"
        raise pytest.UsageError(f"{option} needs --ftc-replay=BUILD_ID; reports list the ids of builds")
    if hasattr(config, "workerinput") or _is_distributed(config):
        raise pytest.UsageError("--ftc-replay runs one build in this process: omit -n and --dist, or add -n0")
    if config.getoption("ftc_shell"):
        # Pytest already captures input, but not yet output; it resumes both before the first test.
        if capture := config.pluginmanager.getplugin("capturemanager"):
            capture.suspend_global_capture(in_=True)
        missing = next((name for name, number in (("input", 0), ("output", 1)) if not os.isatty(number)), "")
        if missing:
            raise pytest.UsageError(f"--ftc-shell needs a terminal; standard {missing} is not a terminal")


def _choose_executor(config: pytest.Config, then: BuildResult, *, has_farm: bool) -> str:
    """Return where to run the build `then`: as the command line says, else where it ran.

    Raises a usage error for what a farm cannot do.
    """
    executor = config.getoption("ftc_executor") or (then.recipe.executor if then.recipe else "local")
    option = next((name for name in ("--ftc-shell", "--ftc-keep") if config.getoption(_destination(name))), "")
    if executor == "reapi" and option:
        raise pytest.UsageError(
            f"{option} needs the build on this machine, and {then.id} runs on a farm; add --ftc-executor=local"
        )
    if executor == "reapi" and not has_farm:
        raise pytest.UsageError(
            f"--ftc-replay: {then.id} runs on a farm: expected one in [tool.ftc.remote], found no such table; "
            "add --ftc-executor=local to run it here"
        )
    return str(executor)


def _destination(option: str) -> str:
    return option.strip("-").replace("-", "_")


def _is_distributed(config: pytest.Config) -> bool:
    return bool(config.getoption("numprocesses", None)) or config.getoption("dist", "no") != "no"


@contextmanager
def _without_capture(config: pytest.Config) -> Iterator[None]:
    """Restore the original standard streams."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        yield
        return
    capture.suspend(in_=True)
    try:
        yield
    finally:
        capture.resume()
