"""Gathers all that is known about an artifact in one folder."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc import __version__
from pytest_ftc.builds.inputs.host import describe_host
from pytest_ftc.builds.inputs.secrets import Secrets, read_secrets
from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.builds.machine import list_locales
from pytest_ftc.config.load import Config
from pytest_ftc.model import Artifact, BuildRecord
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.credentials import OURS
from pytest_ftc.model.support.printable import printable, shorten
from pytest_ftc.store.garbage_collection import take_stats
from pytest_ftc.store.history import History
from pytest_ftc.store.layout import Layout
from pytest_ftc.verification.cache.drift import Looks, find_drift_of
from pytest_ftc.verification.incident.folder import IncidentFolder
from pytest_ftc.verification.incident.results import Results, gather_results, read_results
from pytest_ftc.verification.incident.timeline import make_timeline
from pytest_ftc.verification.user_folders import search_path

_SECRET = re.compile(r"TOKEN|SECRET|PASS|KEY|CREDENTIAL|AUTH|PIN\b|DSN|COOKIE|PRIVATE", re.IGNORECASE)
"""In the names of variables whose values are masked everywhere."""
_SHOWN = re.compile(
    r"PATH|LANG|LC_[A-Z]+|TZ|TERM|SHELL|SOURCE_DATE_EPOCH|CI|FTC_STORE|PYTHONHASHSEED|CC|CXX|[A-Z]*FLAGS"
)
"""Names of variables whose values are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Where to look, and for what."""

    config: Config
    artifact: str
    """A name, or an id."""
    results: Path
    """The folder of a session's results: that of its report, or pytest's cache."""
    layout: Layout
    """The store."""

    @property
    def declared(self) -> Artifact | None:
        """The artifact as the project declares it now; None if it does not."""
        return next((one for one in self.config.artifacts if self.artifact in (one.id, one.name)), None)


def gather(incident: Incident, to: Path) -> IncidentFolder:
    """Gather what is known about an artifact in the new folder `to`.  Raises FtcError."""
    folder = IncidentFolder(to, make_mask(incident.declared, os.environ))
    history = History(incident.layout)
    try:
        results = read_results(incident.results, incident.artifact, folder)
        builds = _gather_store(incident, history, folder)
        config = incident.config
        attested = (
            config.attest.folder_of(config.root, incident.results)
            if config.attest
            else incident.results / "attestations"
        )
        gather_results(incident.results, attested, results, folder)
        _gather_environment(incident, history, folder)
    finally:
        history.close()
    folder.write("timeline.txt", make_timeline(results, builds).encode("utf-8", "backslashreplace"))
    folder.write("replay.txt", _replays(results, builds).encode("utf-8", "backslashreplace"))
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    folder.finish(f"All that is known of {printable(shorten(results.name, 100), keep='')}, gathered {when} UTC.")
    return folder


def make_mask(artifact: Artifact | None, environ: Mapping[str, str]) -> Callable[[bytes], bytes]:
    """Return what masks the secrets of `artifact`, and the values of variables of `environ` whose names say secret.

    What sessions keep has the secrets of builds masked already; this is for variables that nobody has declared secret,
    and for those of older sessions.
    """
    named = [f"env:{name}" for name in environ if name in OURS or _SECRET.search(name)]
    source = artifact.source if artifact else Path()
    known = [_find_secret(one, environ, source) for one in (*named, *(artifact.secrets if artifact else ()))]

    def mask(data: bytes) -> bytes:
        for secrets in filter(None, known):
            data = secrets.mask_bytes(data)
        return data

    return mask


def _find_secret(declared: str, environ: Mapping[str, str], source: Path) -> Secrets | None:
    """Return a secret; None if it is not on this machine, or too short to be found."""
    try:
        return read_secrets([declared], environ, source)
    except FtcError:
        return None


def _gather_store(incident: Incident, history: History, folder: IncidentFolder) -> list[BuildRecord]:
    """Write the state of the store, and the recorded builds; return these."""
    try:
        builds = history.of_artifact(incident.artifact, str(incident.config.root))
        state = {"stats": take_stats(incident.layout, history), "history": history.check()}
    except FtcError as error:
        folder.missing.append(f"store: {error.message}")
        return []
    folder.write_json("store.json", {"folder": str(incident.layout.root), **state})
    if builds:
        folder.write_json("history.json", builds)
    else:
        folder.missing.append(f"history: no build of it in {incident.config.root} is recorded")
    return builds


def _gather_environment(incident: Incident, history: History, folder: IncidentFolder) -> None:
    """Write what this machine is, the names of its variables, and what has changed since the last build."""
    variables = {name: value if _SHOWN.fullmatch(name) else "(not shown)" for name, value in os.environ.items()}
    described = {
        "pytest_ftc": __version__,
        "python": sys.version,
        "platform": platform.platform(),
        "host": dict(describe_host().facts),
        "locales": list_locales(),
        "folder": str(Path.cwd()),
        "variables": variables,
    }
    folder.write_json("environment.json", described)
    if incident.declared is None:
        folder.missing.append("drift: the artifact is not declared in the project's configuration")
        return
    try:
        root = str(incident.config.root)
        folder.write_json(
            "drift.json", find_drift_of(incident.declared, history, root, Looks(Toolchain(search_path())))
        )
    except FtcError as error:
        folder.missing.append(f"drift: {error.message}")


def _replays(results: Results, history: list[BuildRecord]) -> str:
    """Return the commands that run the builds again."""
    ids = [one.get("id") for one in results.builds]
    known = [one for one in ids if isinstance(one, str) and re.fullmatch(r"[A-Za-z0-9-]{1,120}", one)]
    begin = "# Each in the folder of the project, with the sources as they were.\n"
    if not known:
        lines = [f"# No build is known by its id{'' if history else ', and none is recorded'}: see builds/."]
        return begin + "\n".join([*lines, ""])
    return begin + "".join(f"pytest --ftc-replay={one}\n" for one in known)
