"""What verifies the actions of an audit: a session, on this machine or on a farm."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.config.load import Config
from pytest_ftc.integrations.audit.described import DescribedAction
from pytest_ftc.model.errors import FtcError
from pytest_ftc.verification.open_session import RunningSession, SessionSettings, open_session
from pytest_ftc.verification.steps.context import VerificationContext

Platform = tuple[tuple[str, str], ...]
"""Properties that workers must have."""
_MOST = 64
"""Sessions: each examines the workers of its platform."""


class Sessions:
    """A session for each platform that actions ask for, opened when the first one does."""

    def __init__(self, configure: Callable[[Platform], Config], results: Path, *, one: bool) -> None:
        """`configure` returns the settings for a platform; if `one`, all platforms share one session."""
        self._configure = configure
        self._results = results
        self._one = one
        self._lock = threading.Lock()
        self._closed = False
        self._open: dict[Platform, tuple[RunningSession, Workspace] | FtcError] = {}

    def context(self, action: DescribedAction) -> VerificationContext:
        """Return what verifies `action`.  Raises FtcError, for all actions of a platform the same."""
        platform = () if self._one else action.platform
        with self._lock:
            if self._closed:
                raise FtcError("the audit was interrupted")
            if platform not in self._open:
                if len(self._open) >= _MOST:
                    raise FtcError(f"its platform is none of the first {_MOST}, for which there are sessions")
                self._open[platform] = self._try_open(platform)
            opened = self._open[platform]
        if isinstance(opened, FtcError):
            raise opened
        return opened[0].context

    def close(self) -> None:
        """End all sessions and what they run; may be called again."""
        with self._lock:
            self._closed = True
            opened = [one for one in self._open.values() if not isinstance(one, FtcError)]
            self._open.clear()
        for running, workspace in opened:
            running.close()
            workspace.close()

    def _try_open(self, platform: Platform) -> tuple[RunningSession, Workspace] | FtcError:
        workspace = Workspace()
        try:
            # What is audited is declared nowhere, and its verdicts are no project's.
            config = replace(
                self._configure(platform), artifacts=(), no_cache=True, trace=False, strict=False, keep_outputs=0
            )
            settings = SessionSettings(config=config, results=self._results)
            return open_session(settings, workspace), workspace
        except FtcError as error:
            workspace.close()
            return error
        except BaseException:
            workspace.close()
            raise
