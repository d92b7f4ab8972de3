"""The index of git, made to fit the files of a build, as that of a fresh clone fits its own.

git compares the times and numbers of files with those in its index.  In a copy they are others, so that commands which
do not refresh the index themselves, such as ``git diff-index --quiet HEAD``, would take a clean checkout for a changed
one, see git-update-index(1).
"""

from __future__ import annotations

import contextlib
import os

_LARGEST = 1 << 20
"""Bytes of an index of about ten thousand files: with more, it takes longer than most builds are worth."""
_NO_CTIME = "[core]\n\ttrustctime = false\n"
"""The build sees the times at which files were changed moved, as its clock is."""
_SETTINGS = ("safe.directory=*", "core.fsmonitor=false", "core.preloadIndex=false")
"""Whoever owns the files; nothing else is started, and no threads."""


def refresh_index(tree: str) -> None:
    """Have git refresh the index of the copy of a repository in `tree`; where that fails, it stays as it is."""
    with contextlib.suppress(OSError):
        index, config = (f"{tree}/.git/{name}" for name in ("index", "config"))
        # A link may lead to the repository itself, as git-new-workdir makes them.
        if os.path.islink(index) or os.stat(index).st_size > _LARGEST:
            return
        descriptor = os.open(config, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "a") as file:
            file.write(f"\n{_NO_CTIME}")
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0)
        pid = os.posix_spawnp(
            "git",
            ["git", *settings, "-C", tree, "update-index", "-q", "--refresh"],
            {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_NOSYSTEM": "1"},
            file_actions=[null, (os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)],
        )
        os.waitpid(pid, 0)
