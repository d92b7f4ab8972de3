"""The folder in the user's cache that declares what ``ftc verify 'COMMAND' OUTPUT...`` verifies.

The project's folder stays as it is.  Logs and records of builds are here too, so that builds can be replayed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
from glob import glob
from pathlib import Path

from pytest_ftc.cli.verify.ad_hoc import AdHoc, split_patterns
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.atomic_file import replace_file

_DAYS = 30
"""How long a folder is kept after its last use."""


def write_folder(asked: AdHoc, parent: Path) -> Path:
    """Return the folder below `parent` whose ftc.toml declares what is `asked`.  Raises FtcError.

    The same question has the same folder.
    """
    import tomlkit

    described = json.dumps([asked.artifacts, asked.source_pattern], sort_keys=True)
    folder = _make(parent, hashlib.sha256(described.encode("utf-8", "surrogateescape")).hexdigest()[:12])
    tables = asked.artifacts
    try:
        if asked.source_pattern:
            copy = folder / "source"
            _copy_matching(asked.source, asked.source_pattern, copy)
            tables = {name: {**table, "source": str(copy)} for name, table in tables.items()}
        replace_file(folder / "ftc.toml", tomlkit.dumps({"artifacts": tables}).encode())
        # The root of pytest's session, also where it is started elsewhere.
        replace_file(folder / "pytest.ini", b"")
    except OSError as error:
        raise FtcError(f"{folder} cannot be written: {error.strerror or error}") from error
    except UnicodeEncodeError:
        raise ConfigurationError("expected the command, its outputs and the path of its source in UTF-8") from None
    return folder


def _make(parent: Path, name: str) -> Path:
    """Return the folder `name` below `parent`, or a temporary one if it cannot be made; remove those long unused."""
    from pytest_ftc.store.layout import make_folder

    try:
        make_folder(parent, 0o700)
        _remove_old(parent)
        folder = parent / name
        folder.mkdir(exist_ok=True)
        folder.touch()
    except OSError:
        return Path(tempfile.mkdtemp(prefix="ftc-verify-"))
    return folder


def _remove_old(parent: Path) -> None:
    oldest = time.time() - _DAYS * 86400
    for folder in parent.iterdir():
        with contextlib.suppress(OSError):
            if folder.is_dir() and not folder.is_symlink() and folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)


def _copy_matching(source: Path, patterns: str, target: Path) -> None:
    """Copy what matches `patterns` in the folder `source` to the new folder `target`."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for pattern in split_patterns([patterns]):
        inside = not pattern.startswith("/") and ".." not in Path(pattern).parts
        # Not Path.glob, which refuses ".".
        matches = sorted(glob(pattern, root_dir=source, recursive=True)) if inside else []  # noqa: PTH207
        if not matches:
            raise ConfigurationError(f"--source-pattern: nothing in {source} matches {pattern!r}")
        for match in matches:
            _copy(source / match, target / match)


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.copytree(path, to, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(path, to, follow_symlinks=False)
