"""The full record of each verification, from which it can be attested later."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.model import BuildResult, Role, Verification
from pytest_ftc.model.artifact import slug
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.model.trace import Trace

FOLDER = "verifications"
_VERSION = 1


def write_verifications(folder: Path, verifications: Sequence[Verification], version: str) -> None:
    """Write each verification to a file of its own below `folder`, made by this `version`.  Raises FtcError."""
    records = folder / FOLDER
    try:
        records.mkdir(parents=True, exist_ok=True)
        for one in verifications:
            document = {"version": _VERSION, "tool": version, "verification": to_json(_without_logs(one))}
            replace_file(records / f"{slug(one.name)}.json", json.dumps(document, indent=1).encode())
    except OSError as error:
        raise FtcError(f"the report cannot be written to {records}: {error.strerror or error}") from error


def read_verification_file(path: Path) -> Verification:
    """Return the verification in the file `path`.  Raises ConfigurationError."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror or error}") from None
    except (RecursionError, ValueError) as error:
        raise ConfigurationError(f"{path}: no valid JSON: {error}") from None
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise ConfigurationError(f"{path}: expected the record of a verification, version {_VERSION}")
    try:
        return from_json(Verification, document["verification"])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path}: this record cannot be read: {error!r}") from None


def find_verification_files(path: Path) -> list[Path]:
    """Return the records in `path`: a report's folder, or one record.  Raises ConfigurationError."""
    if path.is_file():
        return [path]
    folder = path / FOLDER if (path / FOLDER).is_dir() else path
    found = sorted(folder.glob("*.json")) if folder.name == FOLDER else []
    if not found:
        raise ConfigurationError(
            f"{path}: no verification was recorded there",
            advice="pytest --ftc-verify --ftc-report=DIR records each verification in DIR/verifications/",
        )
    return found


def _without_logs(verification: Verification) -> Verification:
    builds = tuple(
        replace(one, log="", log_tail="", blobs="", trace=_kept(verification, one), recipe=None)
        for one in verification.builds
    )
    return replace(verification, builds=builds)


def _kept(verification: Verification, build: BuildResult) -> Trace | None:
    """Return the trace of the control build, if one was asked for, without what files held."""
    if not verification.traced or build.role is not Role.CONTROL or build.trace is None:
        return None
    programs = tuple(replace(program, hash_seed=None) for program in build.trace.programs)
    return replace(build.trace, programs=programs, contents=())
