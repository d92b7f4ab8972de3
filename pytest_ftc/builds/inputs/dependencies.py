"""What a build used outside its sources, as text for each path that changes when that does.

The tokens begin with a letter for their kind:

- ``-``: nothing is there;
- ``l``: something is there, of this type and with these permissions; it was looked at and not opened.  Of a file also
  its size, and its time and owner, unless an installation or a checkout sets these anew;
- ``s``: a file of the system's packages, by size and time; the database of the packages is a tool of every build;
- ``f``: a file, by its permissions, its identity, and the digest of its content;
- ``d``: a folder, by its identity, and the digest of the names in it.

After ``>`` comes the digest of the text of a link, empty for what is no link; tokens of earlier versions end before.
Where the identity is still the same, the digest need not be made again.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import threading
from collections.abc import Iterable, Mapping

FILE, FOLDER, LOOKED_AT, ABSENT = "file", "folder", "looked at", "absent"
"""How a trace says that a path was used, see `pytest_ftc.model.Trace`."""

_SYSTEM = ("/bin/", "/gnu/store/", "/lib/", "/lib32/", "/lib64/", "/libx32/", "/nix/store/", "/sbin/", "/usr/")
_NOT_SYSTEM = ("/usr/local/",)
_SHOWN_ANEW = frozenset({"/etc/group", "/etc/hostname", "/etc/hosts", "/etc/machine-id", "/etc/passwd"})
"""Files in whose place builds see files of their own."""
_SET_ANEW = ("/etc/", "/run/", "/var/run/")
"""Where the times of files are those of the start of a machine or container."""
_PACKAGES = ("/site-packages/", "/dist-packages/")
_BYTECODE = "__pycache__"
_LINK = ">"
_CHUNK = 1 << 20
_TICK = 0.02
"""Seconds by which the clock of files may be behind, see CLOCK_REALTIME_COARSE in clock_gettime(2)."""


class ChangedError(Exception):
    """A path was changed while a build used it; the text is the path."""


class Dependencies:
    """Looks at what builds use outside their sources; what was looked at for an answer is not looked at again."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str], str] = {}
        self._digests: dict[tuple[str, str], str] = {}
        self._checkouts: dict[str, bool] = {}
        self._lock = threading.Lock()

    def describe(self, uses: Iterable[tuple[str, str]], began: float) -> dict[str, str]:
        """Return a token for each path in `uses` of a build that `began` then.  Raises ChangedError."""
        tokens: dict[str, str] = {}
        for used, use in uses:
            path = _place(used, use)
            if not path or (use == LOOKED_AT and path in tokens):
                continue
            status = _stat(path)
            if (status is None) != (use == ABSENT):
                raise ChangedError(path)
            if status and self._changed(path, use, status) > began - _TICK:
                raise ChangedError(path)
            tokens[path] = self._describe(path, use, status) + _describe_link(path)
        return tokens

    def find_changes(self, tokens: Mapping[str, str]) -> list[str]:
        """Return the paths that are not as in `tokens` any more."""
        return [path for path, token in tokens.items() if not self._is_still(path, token)]

    def _is_still(self, path: str, token: str) -> bool:
        kind = token[:1]
        if (path, kind) not in self._tokens:
            self._tokens[path, kind] = self._now(path, token)
        now = self._tokens[path, kind]
        if _LINK not in token:
            now = now.partition(_LINK)[0]
            if kind == "l":
                return now == token or now.startswith(f"{token}.")
        return now == token or (kind in "fd" and _without_identity(now) == _without_identity(token))

    def _now(self, path: str, token: str) -> str:
        return self._now_behind(path, token) + _describe_link(path)

    def _now_behind(self, path: str, token: str) -> str:
        """Return the token of what is at `path`, or what a link there leads to."""
        token = token.partition(_LINK)[0]
        status = _stat(path)
        kind = token[:1]
        if status is None or kind == "-":
            return "-" if status is None else "there"
        if kind == "l":
            return self._describe_look(path, status)
        if kind == "s":
            return _describe_system(status)
        is_folder = stat.S_ISDIR(status.st_mode)
        if is_folder != (kind == "d"):
            return "another"
        identity = _identify(status)
        if identity and token.split(" ")[1:2] == [identity] and token.split(" ")[0] == f"{kind}{_mode(status)}":
            return token
        return self._describe(path, FOLDER if is_folder else FILE, status)

    def _describe(self, path: str, use: str, status: os.stat_result | None) -> str:
        if status is None:
            return "-"
        if use == FOLDER and stat.S_ISDIR(status.st_mode):
            return f"d{_mode(status)} {_identify(status)} {self._digest(path, status)}"
        if use != FILE or not stat.S_ISREG(status.st_mode):
            return self._describe_look(path, status)
        if _is_of_system(path):
            return _describe_system(status)
        return f"f{_mode(status)} {_identify(status)} {self._digest(path, status)}"

    def _changed(self, path: str, use: str, status: os.stat_result) -> float:
        """Return when what counts of `path` was changed."""
        if use != LOOKED_AT:
            return status.st_ctime
        return status.st_mtime if self._has_lasting_time(path, status) else 0

    def _describe_look(self, path: str, status: os.stat_result) -> str:
        look = f"l{stat.S_IFMT(status.st_mode):o}.{_mode(status)}"
        if not stat.S_ISREG(status.st_mode):
            return look
        if not self._has_lasting_time(path, status):
            return f"{look}.{status.st_size}"
        return f"{look}.{status.st_size}.{status.st_mtime_ns}.{status.st_uid}.{status.st_gid}"

    def _has_lasting_time(self, path: str, status: os.stat_result) -> bool:
        """Return whether a new time of the file says that somebody changed it, and not only that it was put there anew.

        Folders get a new time with every file in them, and are looked at on the way to others.
        """
        if not stat.S_ISREG(status.st_mode) or path.startswith(_SET_ANEW) or _is_of_system(path):
            return False
        if any(part in path for part in _PACKAGES) or (sys.prefix != sys.base_prefix and path.startswith(sys.prefix)):
            return False
        return not self._is_checked_out(path.rpartition("/")[0])

    def _is_checked_out(self, folder: str) -> bool:
        """Return whether `folder` is in a repository's working tree, where each clone has other times."""
        if folder not in self._checkouts:
            above = folder.rpartition("/")[0]
            self._checkouts[folder] = os.path.lexists(f"{folder}/.git") or (
                above != folder and self._is_checked_out(above)
            )
        return self._checkouts[folder]

    def _digest(self, path: str, status: os.stat_result) -> str:
        identity = _identify(status)
        with self._lock:
            known = self._digests.get((path, identity)) if identity else None
        if known is None:
            known = _digest_names(path) if stat.S_ISDIR(status.st_mode) else _digest_content(path)
            with self._lock:
                self._digests[path, identity] = known
        return known


def _place(path: str, use: str) -> str:
    """Return the path that counts for `path`: of bytecode the source; empty for what does not count.

    Of a repository, the objects never change, and the index is a part of the source.
    """
    parts = path.split("/")
    if parts[-1] == _BYTECODE or path in _SHOWN_ANEW:
        return ""
    if parts[-2:-1] == [_BYTECODE]:
        source = "/".join((*parts[:-2], f"{parts[-1].partition('.')[0]}.py"))
        return "" if use == ABSENT else source if os.path.exists(source) else path  # noqa: PTH110
    if ".git" in parts:
        below = parts[parts.index(".git") + 1 :]
        if "refs" not in below and ("objects" in below or below[-1:] in (["index"], ["index.lock"])):
            return ""
    return path


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        return None


def _mode(status: os.stat_result) -> str:
    return f"{stat.S_IMODE(status.st_mode):o}"


def _is_of_system(path: str) -> bool:
    return path.startswith(_SYSTEM) and not path.startswith(_NOT_SYSTEM)


def _describe_link(path: str) -> str:
    """Return the end of a token: the text of a link, which a build may have read itself."""
    try:
        text = os.readlink(os.fsencode(path))  # noqa: PTH115
    except (OSError, ValueError):
        return _LINK
    return _LINK + hashlib.blake2b(text, digest_size=6).hexdigest()


def _describe_system(status: os.stat_result) -> str:
    return f"s{_mode(status)}.{status.st_size}.{status.st_mtime_ns}"


def _identify(status: os.stat_result) -> str:
    """Return what changes whenever the content does, see inode(7)."""
    facts = f"{status.st_ino}.{status.st_size}.{status.st_mtime_ns}.{status.st_ctime_ns}"
    return hashlib.blake2b(facts.encode(), digest_size=6).hexdigest()


def _without_identity(token: str) -> list[str]:
    return token.split(" ")[::2]


def _digest_names(folder: str) -> str:
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except OSError as error:
        return f"unreadable:{error.errno}"
    kept = sorted(os.fsencode(name) for name in names if name != _BYTECODE and not name.endswith(".pyc"))
    return hashlib.blake2b(b"\0".join(kept), digest_size=16).hexdigest()


def _digest_content(path: str) -> str:
    hashed = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while data := file.read(_CHUNK):
                hashed.update(data)
    except OSError as error:
        return f"unreadable:{error.errno}"
    return hashed.hexdigest()[:32]
