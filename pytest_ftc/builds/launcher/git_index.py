"""The index of git, made to fit the files of a build, as that of a fresh clone fits its own.

git compares the times and numbers of files with those in its index.  In a copy they are others, so that commands which
do not refresh the index themselves, such as ``git diff-index --quiet HEAD``, would take a clean checkout for a changed
one, see git-update-index(1).
"""

from __future__ import annotations

import contextlib
import os
import signal

from pytest_ftc.builds.launcher import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LARGEST = 1 << 20
"""Bytes of an index of about ten thousand files: with more, it takes longer than most builds are worth."""
_NO_CTIME = "[core]\n\ttrustctime = false\n"
"""The build sees the times at which files were changed moved, as its clock is."""
_SETTINGS = ("safe.directory=*", "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.preloadIndex=false")
"""Whoever owns the files; nothing else is started, and no threads."""
_PATIENCE = 20
"""Seconds for git."""


def refresh_index(spec: dict[str, Any]) -> None:
    """Have git refresh the index of the copy of a repository that the build of `spec` sees, if it can."""
    folder = f"{spec['build_path']}/.git"
    with contextlib.suppress(OSError):
        # A link may lead to the repository itself, as git-new-workdir makes them.
        if os.path.islink(f"{folder}/index") or os.stat(f"{folder}/index").st_size > _LARGEST:
            return
        config = os.open(f"{folder}/config", os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(config, "a") as file:
            file.write(f"\n{_NO_CTIME}")
        pid = os.fork()
        if pid == 0:
            try:
                _become_git(spec)
            finally:
                os._exit(1)
        os.waitpid(pid, 0)


def _become_git(spec: dict[str, Any]) -> None:
    """Execute git with no more rights than the build has: its settings may name programs to run."""
    processes.renounce(spec)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    signal.alarm(_PATIENCE)
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    words = ["git", *settings, "-C", spec["build_path"], "update-index", "-q", "--refresh"]
    os.execvpe("git", words, {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_NOSYSTEM": "1"})
