"""What a session left of one artifact: its entry in the report, its record, logs, diffs and attestations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_ftc.model import Verification
from pytest_ftc.model.artifact import name_of, slug
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.reporting.verification_files import FOLDER, read_verification_file
from pytest_ftc.verification.incident.folder import MOST_BYTES, IncidentFolder, read_json

_OF_BUILD = re.compile(r"(control|experiment|repeat|bisect|remedy)(-[0-9]+)?(-attempt-[0-9]+)?\.(log|json)")
"""The part of a file's name after the artifact's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What was found in the folder of a session's results."""

    name: str
    """Of the artifact."""
    entry: Mapping[str, Any] = field(default_factory=dict)
    """Its part of report.json; empty if there is none."""
    session: Mapping[str, Any] = field(default_factory=dict)
    """The session of report.json."""
    verification: Verification | None = None
    """Its record."""

    @property
    def builds(self) -> tuple[Mapping[str, Any], ...]:
        """The builds in the report: only what has the form of one."""
        builds = self.entry.get("builds", ())
        return tuple(one for one in builds if isinstance(one, dict)) if isinstance(builds, list) else ()


def read_results(folder: Path, artifact: str, incident: IncidentFolder) -> Results:
    """Return what the report in `folder` says of `artifact`, a name or an id; `incident` notes what is missing."""
    entry, session = _read_report(folder / "report.json", artifact, incident)
    name = entry.get("name", name_of(artifact))
    name = name if isinstance(name, str) else name_of(artifact)
    return Results(
        name=name, entry=entry, session=session, verification=_read_record(folder, name, incident) if entry else None
    )


def list_reported(folder: Path) -> list[str]:
    """Return the ids of the artifacts in the report in `folder`; none if it cannot be read."""
    try:
        return [one["id"] for one in read_json(folder / "report.json")["artifacts"] if isinstance(one["id"], str)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def gather_results(folder: Path, attested: Path, results: Results, incident: IncidentFolder) -> None:
    """Copy what a session left in `folder`, and in `attested`, the folder of attestations.  Raises FtcError."""
    if results.entry:
        document = {"version": 1, "session": results.session, "artifacts": [results.entry]}
        incident.write_json("report.json", document)
        incident.copy(folder / FOLDER / f"{slug(results.name)}.json", "verification.json")
    _gather_trace(results, incident)
    for part in ("logs", "builds"):
        found = list(_files_of(folder / part, results.name))
        for path in found:
            incident.copy(path, f"{part}/{path.name}", is_log=part == "logs")
        if not found:
            incident.missing.append(f"{part}: none of the artifact in {folder / part}")
    _gather_diffs(folder, results, incident)
    begin = f"{slug(results.name)}."
    found = [path for path in _list(attested) if path.name.startswith(begin)]
    for path in found:
        incident.copy(path, f"attestations/{path.name}")
    if not found:
        incident.missing.append(f"attestations: none of the artifact in {attested}")


def _read_report(path: Path, artifact: str, incident: IncidentFolder) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    try:
        document = read_json(path)
        entries = [one for one in document["artifacts"] if artifact in (one["id"], one["name"])]
        session = document.get("session", {})
    except FileNotFoundError:
        incident.missing.append(f"report: there is no {path}; pytest --ftc-verify --ftc-report=DIR writes one")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        incident.missing.append(f"report: {path} cannot be read: {error!r}")
    else:
        if entries:
            return entries[0], session if isinstance(session, dict) else {}
        incident.missing.append(f"report: {path} has no artifact of this name")
    return {}, {}


def _read_record(folder: Path, name: str, incident: IncidentFolder) -> Verification | None:
    path = folder / FOLDER / f"{slug(name)}.json"
    try:
        if path.is_symlink() or path.stat().st_size > MOST_BYTES:
            raise ConfigurationError(f"{path}: a symlink, or larger than {MOST_BYTES >> 20} MiB")
        return read_verification_file(path)
    except (OSError, ConfigurationError) as error:
        incident.missing.append(f"record: {error}")
        return None


def _gather_trace(results: Results, incident: IncidentFolder) -> None:
    """Write the phases of the verification, and the trace of its control build."""
    known = results.verification
    phases = results.entry.get("phases") or (known.phases if known else ())
    traces = {build.id: build.trace for build in known.builds if build.trace} if known else {}
    if phases or traces:
        incident.write_json("trace.json", {"phases": phases, "builds": traces})
    if not phases:
        incident.missing.append("trace: it lacks the phases of the verification")
    if not traces:
        incident.missing.append("trace: it lacks what builds use; --ftc-trace records that")


def _gather_diffs(folder: Path, results: Results, incident: IncidentFolder) -> None:
    """Copy the full diffs that the report names, from the folder of diffs only: a report may name anything."""
    differences = results.entry.get("differences", ())
    named = [one.get("diff") for one in differences if isinstance(one, dict)] if isinstance(differences, list) else []
    names = {Path(one).name for one in named if isinstance(one, str) and one}
    for path in _list(folder / "diffs"):
        if path.name in names:
            incident.copy(path, f"diffs/{path.name}", is_log=True)


def _files_of(folder: Path, name: str) -> Iterator[Path]:
    begin = f"{slug(name)}-"
    for path in _list(folder):
        if path.name.startswith(begin) and _OF_BUILD.fullmatch(path.name, len(begin)):
            yield path


def _list(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
