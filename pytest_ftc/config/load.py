"""Reads and checks ``[tool.ftc]`` or ``ftc.toml``: every mistake becomes one clear `ConfigurationError`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_ftc.attestation.sbom.settings import SbomSettings
from pytest_ftc.builds.inputs.secret_sources import NamedSecrets
from pytest_ftc.config import AUTO
from pytest_ftc.config.attest import ATTEST, AttestSettings, read_attest
from pytest_ftc.config.cost import COST, Prices, read_cost
from pytest_ftc.config.file import Tables, read_file, show
from pytest_ftc.config.location import Place, find_headers, quoted
from pytest_ftc.config.metrics import METRICS, MetricsSettings, read_metrics
from pytest_ftc.config.objectives import OBJECTIVES, ObjectiveSettings, read_objectives
from pytest_ftc.config.python_project import find_build_file, is_python, outputs_of, preset_of
from pytest_ftc.config.remote import REMOTE, RemoteSettings, read_remote
from pytest_ftc.config.sbom import TABLE, read_sbom
from pytest_ftc.config.schema import ARTIFACT_KEYS, SESSION_KEYS, Check, Key, Known
from pytest_ftc.config.secrets import TABLES, check_names, read_named_secrets
from pytest_ftc.config.shared.defaults import DEFAULTS, split_defaults, with_defaults
from pytest_ftc.config.shared.sets import SETS, read_sets
from pytest_ftc.config.table import UnexpectedError, reject_long_headers, reject_unknown
from pytest_ftc.config.traces import TRACES, TracesSettings, read_traces
from pytest_ftc.model import Artifact
from pytest_ftc.model.artifact import declared_id
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.limits import read_size
from pytest_ftc.model.verification import DiagnosisMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of one session."""

    root: Path
    file: Path | None
    """pyproject.toml or ftc.toml; None when the project has neither."""
    variations: str
    builds: int | None
    """None for two, and more where a build is quick."""
    jobs: int
    sample: float
    """Share of the artifacts that a session verifies."""
    most_left_out: int
    """Sessions in a row that may leave out an artifact."""
    retries: int
    """Further attempts at a build that failed for a transient reason."""
    report: Path | None
    json: Path | None
    keep_outputs: int
    """Most bytes of differing outputs that are kept after a session; 0 keeps none."""
    diagnose: DiagnosisMode
    max_builds: int | None
    """None for the default: some, and more while builds are cheap."""
    store: Path | None
    """Where what was verified is kept; None for the folder that is this user's own."""
    no_cache: bool
    """Whether everything is built, also what was verified before."""
    changed_first: str | None
    """A commit; artifacts whose sources have changed since come first."""
    durations: Path | None
    """The file of the seconds that artifacts take; None when there is none."""
    baseline: Path | None
    """The file of known findings; None when there is none."""
    update_baseline: bool
    executor: str
    """Where builds run: ``local`` or ``reapi``."""
    trace: bool
    strict: bool
    """Whether artifacts that do not say otherwise must not use anything beyond their declared inputs."""
    pass_sockets: tuple[str, ...]
    """Sockets of this machine that the builds of artifacts see that do not say otherwise."""
    artifacts: tuple[Artifact, ...]
    lines: Mapping[str, int]
    """Where in `file` each artifact is declared, by id."""
    build_file: Path | None
    """The file that makes the project one that PyPA's ``build`` builds; None when there is none."""
    defaults: bool | None = None
    """Whether the sdist and the wheel are artifacts without a table; None for only beside presets, or alone."""
    sbom: SbomSettings | None = None
    """What is asked of SBOMs; None if none is asked for."""
    secrets: NamedSecrets = field(default_factory=NamedSecrets)
    """The secrets that artifacts name, and how to get them."""
    attest: AttestSettings | None = None
    """How verdicts are attested; None where they are not."""
    cost: Prices | None = None
    """What CPU time and contents cost; None if that is unknown."""
    objectives: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    metrics: MetricsSettings | None = None
    """Where metrics go; None where nothing is measured."""
    traces: TracesSettings | None = None
    """Where traces go, beside the collector that variables name; None where they go nowhere else."""
    remote: RemoteSettings | None = None
    """A server for remote execution, and what it is used for; None if there is none."""
    written: tuple[Path, ...] = ()
    """What the session itself writes, and is no source: files, folders, globs."""
    sets: Mapping[str, str] = field(default_factory=dict)
    """Specifications of variations, by the names that the project has given them."""
    shared: Mapping[str, Any] = field(default_factory=dict)
    """Fields of all artifacts of the configuration that do not set them themselves."""
    discover: bool | tuple[str, ...] = False
    """Whether configurations in folders below are read too: all, or those of folders that match globs."""
    below: Mapping[str, Path] = field(default_factory=dict)
    """The files of artifacts that were found there, by id."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that declare artifacts, `file` first if it does."""
        return tuple(dict.fromkeys(filter(None, (self.file_of(one.id) for one in self.artifacts))))

    def file_of(self, artifact: str) -> Path | None:
        """Return the file that declares the artifact with this id."""
        return self.below.get(artifact, self.file)

    def artifacts_of(self, file: Path) -> tuple[Artifact, ...]:
        """Return the artifacts that `file` declares."""
        return tuple(one for one in self.artifacts if self.file_of(one.id) == file)


def load_config(root: Path, given: Mapping[str, str | bool | None], known: Known) -> Config:
    """Return the settings for the project at `root`; what the command line has `given` wins over the file.

    Raises ConfigurationError.
    """
    return read_config(root, read_file(root), given, known)


def read_config(
    root: Path, read: tuple[Path | None, Tables], given: Mapping[str, str | bool | None], known: Known
) -> Config:
    """Return what the file says that was `read` in `root`, as `load_config` does.  Raises ConfigurationError."""
    file, tables = read
    place = Place(file.name if file else "pyproject.toml", tables.text, tables.prefix)
    others = (TABLE, *TABLES, ATTEST, COST, OBJECTIVES, METRICS, REMOTE, TRACES, SETS, "artifacts")
    reject_long_headers(place, tables.ftc)
    reject_unknown(place, tables.ftc, [*SESSION_KEYS, *others])
    known = read_sets(place, tables.ftc, known)
    session, shared = split_defaults(place, tables.ftc)
    settings = _read_settings(place, session, root, given, known)
    secrets = read_named_secrets(place, tables.ftc)
    shared_values = _read_values(place.below(DEFAULTS), shared, known)
    artifacts = tuple(
        with_session_settings(artifact, settings, table)
        for artifact, table in _read_artifacts(place, with_defaults(session.get("artifacts", {}), shared), file, known)
    )
    check_names(place, artifacts, secrets)
    return Config(
        root=root,
        file=file,
        artifacts=artifacts,
        lines=_find_lines(place, tables.ftc.get("artifacts", {})),
        build_file=find_build_file(root, has_build_system=tables.build_system),
        sbom=read_sbom(place, tables.ftc),
        secrets=secrets,
        attest=read_attest(place, tables.ftc, root),
        cost=read_cost(place, tables.ftc),
        objectives=read_objectives(place, tables.ftc),
        metrics=read_metrics(place, tables.ftc, root),
        traces=read_traces(place, tables.ftc, root),
        remote=read_remote(place, tables.ftc, root),
        sets=known.named,
        shared=shared_values,
        **settings,
    )


def with_session_settings(artifact: Artifact, settings: Mapping[str, Any], table: Mapping[str, Any]) -> Artifact:
    """Return `artifact` with those of the session's `settings` that its own `table` does not have."""
    names = [name for name in ("strict", "pass_sockets") if name not in table]
    return replace(artifact, **{name: settings[name] for name in names})


def _read_settings(
    place: Place, table: Mapping[str, Any], root: Path, given: Mapping[str, str | bool | None], known: Known
) -> dict[str, Any]:
    """Return the fields of `Config` that have a key: as given on the command line, in `table`, or by default."""
    settings: dict[str, Any] = {}
    for name, key in SESSION_KEYS.items():
        settings[name] = key.default
        if given.get(name) is not None:
            settings[name] = _check_given(name, given[name], key, known)
        elif name in table:
            settings[name] = _check(place, name, table[name], key.check, known)
        if key.type and key.type.form == "path" and settings[name]:
            base = root if given.get(name) is None else Path()
            settings[name] = (base / settings[name]).absolute()
    settings["jobs"] = settings["jobs"] or _usable_cpus()
    settings["builds"] = None if settings["builds"] == AUTO else settings["builds"]
    settings["diagnose"] = DiagnosisMode(settings["diagnose"])
    settings["baseline"] = settings["baseline"] or _usual(root / "ftc-baseline.toml", settings["update_baseline"])
    settings["durations"] = settings["durations"] or _usual(root / "ftc-durations.json")
    settings["keep_outputs"] = read_size(settings["keep_outputs"]) or 0
    settings["most_left_out"] = settings.pop("sampling")
    return settings


def _usual(file: Path, is_written: bool = False) -> Path | None:
    """Return a `file` that nobody has named, if it is there or to be written."""
    return file if is_written or file.is_file() else None


def _find_lines(place: Place, tables: Mapping[str, Any]) -> dict[str, int]:
    below, headers = place.below("artifacts"), find_headers(place.text)
    found = {name: headers.get(below.below(quoted(name)).table) for name in tables}
    return {declared_id(str(place.file), name): line for name, line in found.items() if line is not None}


def _read_artifacts(
    place: Place, tables: Any, file: Path | None, known: Known
) -> tuple[tuple[Artifact, Mapping[str, Any]], ...]:
    """Return the artifacts, each with the table that declares it."""
    if not isinstance(tables, dict):
        place.fail("artifacts", f"expected a table of artifacts, found {show(tables)}")
    assert file is not None or not tables
    return tuple(
        (_read_artifact(place.below("artifacts"), name, table, file, known), table)
        for name, table in tables.items()
        if file
    )


def _read_artifact(parent: Place, name: str, table: Any, file: Path, known: Known) -> Artifact:
    place = parent.below(quoted(name))
    if problem := why_no_name(name):
        parent.fail(name, about="", problem=problem)
    if not isinstance(table, dict):
        parent.fail(name, f"expected a table, found {show(table)}")
    return _read_table(place, table, declared_id(file.name, name), name, file.parent, known)


def make_artifact(identity: str, name: str, root: Path, table: Mapping[str, Any], place: str, known: Known) -> Artifact:
    """Return the artifact that `table` declares, as it would in a file in `root`; errors name the `place`.

    Raises ConfigurationError.
    """
    return _read_table(Place(place, "", ""), table, identity, name, root, known)


def _read_table(
    place: Place, table: Mapping[str, Any], identity: str, name: str, folder: Path, known: Known
) -> Artifact:
    """Return the artifact that `table` declares; its paths count from `folder`."""
    reject_unknown(place, table, list(ARTIFACT_KEYS))
    _reject_missing(place, table)
    values = _read_values(place, table, known)
    source = (folder / values.pop("source", ARTIFACT_KEYS["source"].default)).resolve()
    if not source.is_dir():
        place.fail("source", f"expected an existing folder, found {show(table['source'])}")
    _check_preset(place, source, values)
    return Artifact(id=identity, name=name, source=source, declared=folder, **values)


def _read_values(place: Place, table: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Return what `table` says of an artifact; what a preset says stands where the table does not."""
    values = {key: _check(place, key, value, ARTIFACT_KEYS[key].check, known) for key, value in table.items()}
    if "preset" in values:
        values = {"build": (), "outputs": (outputs_of(values["preset"]),), **values}
        values["preset"] = preset_of(values["preset"])
    return values


def _check_preset(place: Place, source: Path, values: Mapping[str, Any]) -> None:
    if "preset" in values and not is_python(source):
        place.fail("preset", f"expected a Python project, and {source} has neither pyproject.toml nor setup.py")


def why_no_name(name: str) -> str:
    """Return what is wrong with `name` as that of an artifact; empty if nothing is."""
    if name and not any(part in name for part in ("::", "/", "[", "]")) and name.isprintable():
        return ""
    return f"{name!r} is no name for an artifact; expected printable text without '::', '/', '[' and ']'"


def _check(place: Place, key: str, value: Any, check: Check, known: Known) -> Any:
    try:
        return check(value, known)
    except UnexpectedError as error:
        place.fail(key, f"expected {error}, found {show(value)}")
    except ConfigurationError as error:
        place.fail(key, error.message)


def _check_given(name: str, given: Any, key: Key, known: Known) -> Any:
    text, flag = str(given), f"--ftc-{name.replace('_', '-')}"
    number = key.type is not None and key.type.form.startswith("whole number")
    value = int(text) if number and re.fullmatch(r"-?[0-9]{1,9}", text) else given
    try:
        return key.check(value, known)
    except UnexpectedError as error:
        raise ConfigurationError(f"{flag}: expected {error}, found {text!r}") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{flag}: {error.message}") from None


def _reject_missing(place: Place, table: Mapping[str, Any]) -> None:
    if "preset" in table and "build" in table:
        place.fail("build", "expected only one of build and preset")
    for key in ("build", "outputs"):
        if key not in table and "preset" not in table:
            place.fail("", f"key {key!r} is missing; expected {ARTIFACT_KEYS[key].expected}", about="")


def _usable_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
