"""One session of ``pytest --ftc-replay``: a single item, the build, and no tests."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftc.model import Action, Replayed
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
    """A build did not do again what it did."""


class ReplayPlugin:
    """Replays the build that was asked for, in the place of all tests, and tells how it compares."""

    def __init__(self, config: pytest.Config) -> None:
        _check_usage(config)
        self._config = config
        self._settings, _ = load_settings(config)
        try:
            # What is given is looked through first; an earlier session may have left the other.
            self.then = find_record(config.getoption("ftc_replay"), record_folders(config, self._settings))
        except ConfigurationError as error:
            raise pytest.UsageError(str(error)) from None
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
        """Run the build again.  Raises FtcError when it cannot be prepared."""
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
        """Put a shell on this terminal in the place of the command of `action`."""
        from pytest_ftc.reporting.terminal.replay import greeting
        from pytest_ftc.verification.replay.pty import JoinedTerminal
        from pytest_ftc.verification.replay.shell import RUN, shell_for

        with _without_capture(self._config):
            os.write(1, greeting(self.then, action, RUN).encode(errors="replace"))
            with JoinedTerminal() as terminal, shell_for(action, f"{self.then.id}$ ", terminal.inside) as shell:
                yield replace(action, shell=shell, timeout=_FOREVER)

    def panel(self, *, width: int, colour: bool) -> str:
        """Return what to show of the replay."""
        from pytest_ftc.reporting.terminal.replay import replay_panel

        assert self.replayed is not None
        return replay_panel(self.replayed, width=width, colour=colour, again=self.again)

    @property
    def again(self) -> str:
        """The command that replays the build."""
        report = self._config.getoption("ftc_report")
        return shlex.join(["pytest", f"--ftc-replay={self.then.id}", *([f"--ftc-report={report}"] if report else [])])

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        from pytest_ftc.reporting.terminal.style import fit_encoding

        # One that failed is told of already.
        if self.replayed and passes(self.replayed) and terminalreporter.verbosity >= -1:
            writer = terminalreporter._tw
            terminalreporter.section("ftc replay")
            panel = self.panel(width=min(writer.fullwidth, 120), colour=writer.hasmarkup)
            terminalreporter.write(fit_encoding(panel, getattr(writer._file, "encoding", None)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._staging.close()
        # A replay is no test that pytest --lf could find again.
        remembered = getattr(self._config.pluginmanager.getplugin("lfplugin"), "lastfailed", {})
        for one in [one for one in remembered if str(one) == f"ftc-replay::{self.then.id}"]:
            del remembered[one]

    def pytest_unconfigure(self) -> None:
        self._staging.close()


_FOREVER = 10 * 365 * 86400.0
"""Seconds; nobody hurries a person."""


class BuildItem(pytest.Item):
    """The build that is replayed."""

    def bind(self, session: ReplayPlugin) -> None:
        """Say whose item this is."""
        self._ftc = session

    def runtest(self) -> None:
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
    """Return whether the build did as it did then; what a person does in a shell is right as it is."""
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
    """Raise a usage error for options that do not go together, or a terminal that is not there."""
    if config.getoption("ftc_replay") is None:
        option = "--ftc-shell" if config.getoption("ftc_shell") else "--ftc-keep"
        raise pytest.UsageError(f"{option} needs --ftc-replay=BUILD_ID: which build?  Reports name their builds")
    if hasattr(config, "workerinput") or _is_distributed(config):
        raise pytest.UsageError("--ftc-replay runs one build, in this process: leave out -n and --dist, or add -n0")
    if config.getoption("ftc_shell"):
        # Output is not captured yet, input is; pytest resumes both before the first test.
        if capture := config.pluginmanager.getplugin("capturemanager"):
            capture.suspend_global_capture(in_=True)
        missing = next((name for name, number in (("input", 0), ("output", 1)) if not os.isatty(number)), "")
        if missing:
            raise pytest.UsageError(f"--ftc-shell needs a terminal, and the standard {missing} is none")


def _is_distributed(config: pytest.Config) -> bool:
    return bool(config.getoption("numprocesses", None)) or config.getoption("dist", "no") != "no"


@contextmanager
def _without_capture(config: pytest.Config) -> Iterator[None]:
    """Have the standard streams as pytest found them."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        yield
        return
    capture.suspend(in_=True)
    try:
        yield
    finally:
        capture.resume()
