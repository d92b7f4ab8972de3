"""The records of builds: one JSON file each, in the folder of a session's results."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from pytest_ftc.model import BuildResult, Environment, Recipe, Verification
from pytest_ftc.model.artifact import slug
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.model.support.suggestion import suggest

_FOLDER = "builds"
_VERSION = 1
_ID = re.compile(r"[A-Za-z0-9-]{1,120}")
_ATTEMPT = re.compile(r"-attempt-[0-9]+$")
_REST = re.compile(r"-(?:control|experiment|repeat|bisect|remedy)(?:-[0-9]+)?\.json\Z")
"""The part of a record's name after the artifact's name."""
_MOST_BYTES = 256 << 20
_EXECUTORS = ("local", "reapi")


def _write_records(folder: Path, verification: Verification, earlier: Iterable[str]) -> None:
    """Record the builds of `verification` in `folder`, and remove the `earlier` records of its artifact.

    Raises OSError.
    """
    records = folder / _FOLDER
    records.mkdir(parents=True, exist_ok=True)
    written = set(_names(verification))
    for build in verification.builds:
        if build.recipe:
            lasting = replace(build, log="", log_tail="", blobs="", trace=None)
            _write(records / f"{build.id}.json", {"version": _VERSION, "build": to_json(lasting)}, _stamp(build))
    for name in earlier:
        if name not in written:
            (records / name).unlink(missing_ok=True)


def _names(verification: Verification) -> list[str]:
    return [f"{build.id}.json" for build in verification.builds if build.recipe]


def _list_records(folder: Path) -> dict[str, list[str]]:
    """Return the names of the records in `folder`, by what they begin with: artifacts.  Raises OSError."""
    found: dict[str, list[str]] = {}
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(folder / _FOLDER):  # noqa: PTH208
            if rest := _REST.search(name):
                found.setdefault(name[: rest.start()], []).append(name)
    return found


def _stamp(build: BuildResult) -> int:
    """Return the mtime for the record of `build` in nanoseconds: the start time, which distinguishes equal IDs."""
    return int(build.started * 1_000_000) * 1000


def _are_written(records: Path, verification: Verification) -> bool:
    return all(_is_written(records, build) for build in verification.builds)


def _is_written(records: Path, build: BuildResult) -> bool:
    """Return whether the record of `build` exists already, or none is needed."""
    try:
        return build.recipe is None or (records / f"{build.id}.json").stat().st_mtime_ns == _stamp(build)
    except OSError:
        return False


def _write(path: Path, document: Any, stamp: int) -> None:
    replace_file(path, json.dumps(document).encode("ascii"), mode=0o600, mtime_ns=stamp, durable=False)


def find_record(build: str, folders: Sequence[Path]) -> BuildResult:
    """Return the record of the build with the ID `build`, or of the build that it is an attempt at.

    The first of `folders` wins.  Raises ConfigurationError if there is none, or it cannot be used.
    """
    wanted = _ATTEMPT.sub("", build)
    for folder in folders:
        path = folder / _FOLDER / f"{wanted}.json"
        if _ID.fullmatch(wanted) and path.is_file():
            return _read(path, wanted)
    raise ConfigurationError(_explain_missing(build, folders))


def _explain_missing(build: str, folders: Sequence[Path]) -> str:
    known = sorted(dict.fromkeys(_known(folders)))
    near = suggest(build, known, cutoff=0.3)
    places = " and ".join(str(folder / _FOLDER) for folder in folders)
    head = f"--ftc-replay: no build {shorten(build, 100)!r} is recorded in {places}"
    if not known:
        return f"{head}, nor any other.  Run pytest --ftc-verify first, or set a report's folder with --ftc-report=DIR"
    others = ", ".join(known[:8]) + (f" and {len(known) - 8} more" if len(known) > 8 else "")
    return f"{head}; " + (f"did you mean {near!r}?  " if near else "") + f"Known: {others}"


def _known(folders: Iterable[Path]) -> Iterable[str]:
    for folder in folders:
        with contextlib.suppress(OSError):
            names = [path.stem for path in (folder / _FOLDER).iterdir() if path.suffix == ".json"]
            yield from filter(_ID.fullmatch, names)


def _read(path: Path, wanted: str) -> BuildResult:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("it is too large")
        document = json.loads(path.read_bytes())
        if document["version"] != _VERSION:
            raise ValueError(f"it has version {document['version']!r}, expected {_VERSION}")
        build = from_json(BuildResult, document["build"])
        check_record(build, wanted)
    except OSError as error:
        raise ConfigurationError(f"--ftc-replay: {path} cannot be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        told = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
        raise ConfigurationError(
            f"--ftc-replay: {path} is not a valid record of a build: {shorten(told, 200)}.  Verify the artifact again"
        ) from None
    return build


def check_record(build: BuildResult, wanted: str) -> None:
    """Check that a record, which may come from elsewhere, uses only its own folders.  Raises ValueError."""
    recipe = build.recipe
    if build.id != wanted or recipe is None:
        raise ValueError(f"it is about {build.id!r}")
    if not recipe.command or not recipe.command[0] or any("\0" in word for word in recipe.command):
        raise ValueError("it has no command")
    _check_environment(recipe.environment)
    for glob in recipe.outputs:
        if glob.startswith("/") or ".." in glob.split("/") or not glob.strip("./ ") or "\0" in glob:
            raise ValueError(f"expected an output below the source folder, found {glob!r}")
    if not recipe.outputs:
        raise ValueError("it has no outputs")
    if not 0 < recipe.timeout < float("inf"):
        raise ValueError(f"expected a number of seconds above 0, found {recipe.timeout!r}")
    if recipe.executor not in _EXECUTORS:
        raise ValueError(f"expected 'local' or 'reapi' as its executor, found {recipe.executor!r}")
    _check_root(recipe)


def _check_environment(environment: Environment) -> None:
    for path in (environment.build_path, environment.home, environment.temp_dir):
        parts = PurePosixPath(path).parts
        if parts[:1] != ("/",) or len(parts) < 2 or ".." in parts or "\0" in path:
            raise ValueError(f"expected an absolute path, found {path!r}")
    for name, value in environment.variables.items():
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(f"expected the name of a variable, found {name!r}")
    for text in (environment.host, environment.domain):
        if text and not re.fullmatch(r"[A-Za-z0-9.-]{1,64}", text):
            raise ValueError(f"expected a host name, found {text!r}")


def _check_root(recipe: Recipe) -> None:
    """Check that a build's folders do not exist on the machine; without namespaces, that all are below one folder."""
    environment = recipe.environment
    for path in (environment.build_path, environment.home, environment.temp_dir):
        if recipe.root and not path.startswith(f"{recipe.root}/"):
            raise ValueError(f"expected a path below {recipe.root}, found {path!r}")
        top = PurePosixPath(path).parts[1]
        if not recipe.root and top != "tmp" and os.path.lexists(f"/{top}"):
            raise ValueError(f"expected a folder that the machine does not have, found {path!r}")


class RecipeFolders:
    """The folders with the records of builds, from which they can be replayed."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._lock = threading.Lock()
        self._known: dict[Path, dict[str, list[str]]] = {}
        """The names of the records in each folder, by artifact: with thousands, to list them again takes long."""
        self.problem = ""
        """Why builds could not be recorded."""

    def write(self, verification: Verification) -> Verification:
        """Record the builds of `verification`, even if it is cached, and return it."""
        try:
            for folder in self._folders:
                if not (verification.cached and _are_written(folder / _FOLDER, verification)):
                    _write_records(folder, verification, self._take_known(folder, verification))
        except OSError as error:
            self.problem = f"not all builds can be replayed: {error.filename}: {error.strerror or error}"
        return verification

    def _take_known(self, folder: Path, verification: Verification) -> Sequence[str]:
        """Return the names of the artifact's records in `folder`, in whose place those of `verification` come."""
        with self._lock:
            if folder not in self._known:
                self._known[folder] = _list_records(folder)
            key = slug(verification.name)
            earlier = self._known[folder].get(key, [])
            self._known[folder][key] = _names(verification)
            return earlier
