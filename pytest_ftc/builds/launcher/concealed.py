"""Secrets as files: those that a build is given, in memory, and those of others, which it does not see."""

from __future__ import annotations

import base64
import contextlib
import os

from pytest_ftc.builds.launcher import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


def show_secrets(new_root: str, files: dict[str, str], uid: int, gid: int) -> None:
    """Write `files` (base64 by path) to `new_root`, which is in memory, for the user of the build alone.

    Raises OSError.
    """
    for path, text in files.items():
        os.makedirs(os.path.dirname(new_root + path), exist_ok=True)
        with open(os.open(new_root + path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o400), "wb") as file:
            file.write(base64.b64decode(text))
            # In a user namespace it is the build's already.
            with contextlib.suppress(OSError):
                os.fchown(file.fileno(), uid, gid)


def conceal(new_root: str, scratch: str, paths: Collection[str], hidden: Collection[str]) -> None:
    """Mount an empty file or folder over each of `paths` in `new_root`.

    Those in the `hidden` folders are already invisible.  Raises OSError.
    """
    no_file, no_folder = os.path.join(scratch, "no-file"), os.path.join(scratch, "no-folder")
    os.close(os.open(no_file, os.O_CREAT | os.O_WRONLY, 0o444))
    os.mkdir(no_folder)
    for path in map(os.path.realpath, paths):
        if not any(path.startswith(folder.rstrip("/") + "/") for folder in hidden) and os.path.exists(path):
            # In a folder that this user may not enter, neither mounting nor reading is possible; others may vanish.
            with contextlib.suppress(PermissionError, FileNotFoundError, NotADirectoryError):
                kernel.bind(no_folder if os.path.isdir(path) else no_file, new_root + path)
