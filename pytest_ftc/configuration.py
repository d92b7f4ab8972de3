"""Reads and checks ``[tool.ftc]`` or ``ftc.toml``: every mistake becomes one clear `ConfigurationError`."""

from __future__ import annotations

import difflib
import math
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pytest_ftc.errors import ConfigurationError
from pytest_ftc.model import Artifact, Metadata
from pytest_ftc.model.image import is_image, parse_image
from pytest_ftc.planning.specification import Vocabulary, parse_specification

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")

Known = Vocabulary
"""The variations, presets and parameters there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings of one session."""

    root: Path
    file: Path | None
    """pyproject.toml or ftc.toml; None when the project has neither."""
    variations: str
    builds: int
    jobs: int
    sample: float
    """Share of the artifacts that a session verifies."""
    most_left_out: int
    """Sessions in a row that may leave out an artifact."""
    retries: int
    """Further attempts at a build that failed for a transient reason."""
    report: Path | None
    json: Path | None
    diagnose: str
    """``off``, ``fast`` or ``full``."""
    max_builds: int
    store: Path | None
    """Where what was verified is kept; None for the folder that is this user's own."""
    no_cache: bool
    """Whether everything is built, also what was verified before."""
    changed_first: str
    """A commit: artifacts whose sources are not as they were there come first; empty for none."""
    baseline: Path | None
    """The file of known findings; None when there is none."""
    update_baseline: bool
    trace: bool
    strict: bool
    """Whether artifacts that do not say otherwise must not use anything beyond their declared inputs."""
    artifacts: tuple[Artifact, ...]
    lines: Mapping[str, int]
    """Where in `file` each artifact is declared, by id."""
    build_file: Path | None
    """The file that makes the project one that PyPA's ``build`` builds; None when there is none."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file a value stands, for messages."""

    file: str
    text: str
    table: str
    """As TOML writes it, such as ``tool.ftc.artifacts.wheel``."""

    def fail(self, key: str, problem: str, *, about: str | None = None) -> NoReturn:
        """Raise the one error for the value of `key`; the text names it as `about`, or as ``key:``."""
        line = find_line(self.text, self.table, key)
        words = [
            f"{self.file}:{line}:" if line else f"{self.file}:",
            f"[{self.table}]" if self.table else "",
            f"{key}:" if about is None else about,
            problem,
        ]
        raise ConfigurationError(" ".join(filter(None, words)))

    def below(self, name: str) -> Place:
        return Place(self.file, self.text, f"{self.table}.{name}" if self.table else name)


def load_config(root: Path, given: Mapping[str, str | bool | None], known: Known) -> Config:
    """Return the settings for the project at `root`; what the command line has `given` wins over the file.

    Raises ConfigurationError.
    """
    file, tables = _read_file(root)
    place = Place(file.name if file else "pyproject.toml", tables.text, tables.prefix)
    _reject_unknown(place, tables.ftc, [*_CHECKS, "artifacts"])
    settings: dict[str, Any] = {}
    for name, check in _CHECKS.items():
        if given.get(name) is not None:
            settings[name] = _check_given(name, given[name], check, known)
        elif name in tables.ftc:
            settings[name] = _check(place, name, tables.ftc[name], check, known)
            if name in ("report", "json", "store", "baseline"):
                settings[name] = str(root / settings[name])
    return Config(
        root=root,
        file=file,
        variations=settings.get("variations", "all"),
        builds=settings.get("builds", 2),
        jobs=settings.get("jobs", _usable_cpus()),
        sample=settings.get("sample", 1.0),
        most_left_out=settings.get("sampling", 5),
        retries=settings.get("retries", 2),
        report=Path(settings["report"]).absolute() if "report" in settings else None,
        json=Path(settings["json"]).absolute() if "json" in settings else None,
        diagnose=settings.get("diagnose", "full"),
        max_builds=settings.get("max_builds", 12),
        store=Path(settings["store"]).absolute() if "store" in settings else None,
        no_cache=settings.get("no_cache", False),
        changed_first=settings.get("changed_first", ""),
        baseline=_find_baseline(root, settings),
        update_baseline=settings.get("update_baseline", False),
        trace=settings.get("trace", False),
        strict=settings.get("strict", False),
        artifacts=tuple(
            artifact if "strict" in table else replace(artifact, strict=settings.get("strict", False))
            for artifact, table in _read_artifacts(place, tables.ftc.get("artifacts", {}), file, known)
        ),
        lines=_find_lines(place, tables.ftc.get("artifacts", {})),
        build_file=_find_build_file(root, has_build_system=tables.build_system),
    )


def _find_baseline(root: Path, settings: Mapping[str, Any]) -> Path | None:
    """Return the file that was named, or the usual one if it is there or to be written."""
    if "baseline" in settings:
        return Path(settings["baseline"]).absolute()
    usual = root / "ftc-baseline.toml"
    return usual if settings.get("update_baseline") or usual.is_file() else None


def _find_lines(place: Place, tables: Mapping[str, Any]) -> dict[str, int]:
    below = place.below("artifacts")
    found = {name: find_line(place.text, below.below(_quoted(name)).table, "") for name in tables}
    return {f"{place.file}::ftc::{name}": line for name, line in found.items() if line is not None}


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'


def _find_build_file(root: Path, *, has_build_system: bool) -> Path | None:
    """Return pyproject.toml or, for a project from before PEP 518, setup.py."""
    project, legacy = root / "pyproject.toml", root / "setup.py"
    if has_build_system or (project.is_file() and legacy.is_file()):
        return project
    return legacy if legacy.is_file() else None


@dataclass(frozen=True, slots=True)
class _Tables:
    ftc: Mapping[str, Any]
    text: str
    prefix: str
    build_system: bool


def _read_file(root: Path) -> tuple[Path | None, _Tables]:
    project, own = root / "pyproject.toml", root / "ftc.toml"
    document, text = _parse(project) if os.path.lexists(project) else ({}, "")
    tool = document.get("tool", {})
    ftc = tool.get("ftc", {}) if isinstance(tool, dict) else {}
    build_system = "build-system" in document
    if os.path.lexists(own):
        if ftc:
            raise ConfigurationError(
                "ftc.toml and [tool.ftc] in pyproject.toml both configure pytest-ftc; expected only one of them"
            )
        document, text = _parse(own)
        return own, _Tables(document, text, "", build_system)
    if not isinstance(ftc, dict):
        raise ConfigurationError(f"pyproject.toml: tool.ftc: expected a table, found {_show(ftc)}")
    return project if text or document else None, _Tables(ftc, text, "tool.ftc", build_system)


def _parse(file: Path) -> tuple[dict[str, Any], str]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text.replace("\r\n", "\n")), text
    except OSError as error:
        raise ConfigurationError(f"{file.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{file.name}: expected UTF-8, found the byte {error.object[error.start]:#04x}"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(_explain_syntax(file.name, str(error))) from None
    except RecursionError:
        raise ConfigurationError(f"{file.name}: nested too deeply") from None


def _explain_syntax(name: str, message: str) -> str:
    match = re.search(r" \(at line (\d+), column (\d+)\)", message)
    where = f"{name}:{match[1]}" if match else name
    plain = message[: match.start()] if match else message
    if "Cannot declare" in plain or "Cannot overwrite" in plain:
        names = re.findall(r"'([^']*)'", plain)
        declared = f"[{'.'.join(names)}]" if names else "a key"
        return f"{where}: {declared} is declared twice; expected each name once"
    return f"{where}: not valid TOML: {plain}"


def _read_artifacts(
    place: Place, tables: Any, file: Path | None, known: Known
) -> tuple[tuple[Artifact, Mapping[str, Any]], ...]:
    """Return the artifacts, each with the table that declares it."""
    if not isinstance(tables, dict):
        place.fail("artifacts", f"expected a table of artifacts, found {_show(tables)}")
    assert file is not None or not tables
    return tuple(
        (_read_artifact(place.below("artifacts"), name, table, file, known), table)
        for name, table in tables.items()
        if file
    )


def _read_artifact(parent: Place, name: str, table: Any, file: Path, known: Known) -> Artifact:
    place = parent.below(_quoted(name))
    if problem := why_no_name(name):
        parent.fail(name, about="", problem=problem)
    if not isinstance(table, dict):
        parent.fail(name, f"expected a table, found {_show(table)}")
    _reject_unknown(place, table, list(_ARTIFACT_CHECKS))
    _reject_missing(place, table)
    values = {key: _check(place, key, value, _ARTIFACT_CHECKS[key], known) for key, value in table.items()}
    source = (file.parent / values.pop("source", ".")).resolve()
    if not source.is_dir():
        place.fail("source", f"expected an existing folder, found {_show(table['source'])}")
    return Artifact(id=f"{file.name}::ftc::{name}", name=name, source=source, declared=file.parent, **values)


def make_artifact(identity: str, name: str, root: Path, table: Mapping[str, Any], place: str, known: Known) -> Artifact:
    """Return the artifact that `table` declares, as it would in a file in `root`; errors name the `place`.

    Raises ConfigurationError.
    """
    where = Place(place, "", "")
    _reject_unknown(where, table, list(_ARTIFACT_CHECKS))
    _reject_missing(where, table)
    values = {key: _check(where, key, value, _ARTIFACT_CHECKS[key], known) for key, value in table.items()}
    source = (root / values.pop("source", ".")).resolve()
    if not source.is_dir():
        where.fail("source", f"expected an existing folder, found {_show(table['source'])}")
    return Artifact(id=identity, name=name, source=source, declared=root, **values)


def why_no_name(name: str) -> str:
    """Return what is wrong with `name` as that of an artifact; empty if nothing is."""
    if name and not any(part in name for part in ("::", "/", "[", "]")) and name.isprintable():
        return ""
    return f"{name!r} is no name for an artifact; expected printable text without '::', '/', '[' and ']'"


class _UnexpectedError(Exception):
    """A value is not what it has to be; the text says what was expected."""


def _expect(condition: bool, expected: str) -> None:
    if not condition:
        raise _UnexpectedError(expected)


def _check(place: Place, key: str, value: Any, check: Callable[[Any, Known], T], known: Known) -> T:
    try:
        return check(value, known)
    except _UnexpectedError as error:
        place.fail(key, f"expected {error}, found {_show(value)}")
    except ConfigurationError as error:
        place.fail(key, error.message)


def _check_given(name: str, given: Any, check: Callable[[Any, Known], Any], known: Known) -> Any:
    text, flag = str(given), f"--ftc-{name.replace('_', '-')}"
    value = int(text) if name in ("builds", "jobs", "max_builds") and re.fullmatch(r"-?[0-9]{1,9}", text) else given
    try:
        return check(value, known)
    except _UnexpectedError as error:
        raise ConfigurationError(f"{flag}: expected {error}, found {text!r}") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{flag}: {error.message}") from None


def _reject_unknown(place: Place, table: Mapping[str, Any], valid: Sequence[str]) -> None:
    for key in table:
        if key not in valid:
            near = difflib.get_close_matches(key, valid, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ";"
            place.fail(key, f"unknown key {key!r}{hint}  Valid keys: {', '.join(valid)}", about="")


def _reject_missing(place: Place, table: Mapping[str, Any]) -> None:
    for key in ("build", "outputs"):
        if key not in table:
            place.fail("", f"key {key!r} is missing; expected {_EXPECTED[key]}", about="")


def _text(value: Any, _: Known) -> str:
    _expect(isinstance(value, str) and bool(value.strip()) and "\0" not in value, "non-empty text")
    return str(value)


def _flag(value: Any, _: Known) -> bool:
    _expect(isinstance(value, bool), "true or false")
    return bool(value)


def _choice(*names: str) -> Callable[[Any, Known], str]:
    def check(value: Any, _: Known) -> str:
        _expect(isinstance(value, str) and value in names, " or ".join(map(repr, names)))
        return str(value)

    return check


def _whole_number(least: int) -> Callable[[Any, Known], int]:
    def check(value: Any, _: Known) -> int:
        _expect(
            isinstance(value, int) and not isinstance(value, bool) and value >= least,
            f"a whole number of at least {least}",
        )
        return int(value)

    return check


def _share(value: Any, _: Known) -> float:
    expected = "a number from 0 to 1"
    try:
        share = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError):
        raise _UnexpectedError(expected) from None
    _expect(0 <= share <= 1, expected)
    return share


def _sampling(value: Any, known: Known) -> int:
    _expect(isinstance(value, dict) and value.keys() <= {"most_left_out"}, "a table with the key most_left_out")
    number = value.get("most_left_out", 5)
    _expect(isinstance(number, int) and not isinstance(number, bool) and number >= 0, "most_left_out as a whole number")
    return int(number)


def _specification(value: Any, known: Known) -> str:
    _expect(isinstance(value, str), "text such as 'all,-umask'")
    _expect(bool(parse_specification(value, known).names), "a specification that selects at least one variation")
    return str(value)


def _build(value: Any, known: Known) -> str | tuple[str, ...]:
    expected = _EXPECTED["build"]
    if isinstance(value, str):
        _expect(bool(value.strip()) and "\0" not in value, expected)
        return value
    _expect(isinstance(value, list) and bool(value), expected)
    _expect(all(isinstance(word, str) and "\0" not in word for word in value) and bool(value[0]), expected)
    return tuple(value)


def _outputs(value: Any, _: Known) -> tuple[str, ...]:
    if isinstance(value, str):
        raise _UnexpectedError(f"a list such as [{value!r}]")
    _expect(isinstance(value, list) and bool(value), _EXPECTED["outputs"])
    for glob in value:
        usable = isinstance(glob, str) and bool(glob.strip("./ ")) and "\0" not in glob
        _expect(usable and not glob.startswith("/") and ".." not in glob.split("/"), "globs below the source folder")
    return tuple(value)


def _timeout(value: Any, _: Known) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    _expect(number and math.isfinite(value) and value > 0, "a number of seconds above 0")
    return float(value)


def _source_date_epoch(value: Any, _: Known) -> int | str:
    number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    _expect(number or value in ("git", "unset"), "'git', 'unset' or a whole number of seconds since 1970")
    return value  # type: ignore[no-any-return]


def _metadata(value: Any, _: Known) -> Metadata:
    names = [metadata.value for metadata in Metadata]
    _expect(isinstance(value, str) and value in names, " or ".join(map(repr, names)))
    return Metadata(value)


def _env(value: Any, _: Known) -> dict[str, str]:
    _expect(isinstance(value, dict), "a table of texts")
    for name, text in value.items():
        _expect(bool(name) and "=" not in name and "\0" not in name, "names without '='")
        _expect(isinstance(text, str) and "\0" not in text, f"text for {name}, in quotes")
    return dict(value)


def _pass_env(value: Any, _: Known) -> tuple[str, ...]:
    expected = "a list of names such as ['JAVA_HOME', 'CI_*']"
    _expect(isinstance(value, list) and all(isinstance(name, str) and name for name in value), expected)
    return tuple(value)


def _reference(value: Any, _: Known) -> tuple[str, ...]:
    globs = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
    expected = "a glob of files such as 'released/*.whl', a folder, 'oci:REGISTRY/REPOSITORY:TAG', or a list of them"
    _expect(bool(globs) and all(isinstance(glob, str) and glob.strip("./ ") for glob in globs), expected)
    for glob in globs:
        if is_image(glob):
            _expect(parse_image(glob) is not None, "oci:REGISTRY/REPOSITORY with :TAG or @sha256:DIGEST")
        else:
            _expect("://" not in glob and "\0" not in glob, f"{expected}; no other address")
    return globs


def _secrets(value: Any, _: Known) -> tuple[str, ...]:
    expected = "a list such as ['env:TOKEN', 'file:~/.netrc']"
    _expect(isinstance(value, list), expected)
    _expect(all(isinstance(name, str) and re.fullmatch(r"env:[^=\0]+|file:[^\0]+", name) for name in value), expected)
    return tuple(value)


_EXPECTED = {
    "build": "a command: text for the shell, or a list of words",
    "outputs": "a list of globs such as ['dist/*.whl']",
}

_CHECKS: dict[str, Callable[[Any, Known], Any]] = {
    "variations": _specification,
    "builds": _whole_number(2),
    "jobs": _whole_number(1),
    "sample": _share,
    "sampling": _sampling,
    "retries": _whole_number(0),
    "report": _text,
    "json": _text,
    "diagnose": _choice("off", "fast", "full"),
    "max_builds": _whole_number(2),
    "store": _text,
    "no_cache": _flag,
    "changed_first": _text,
    "baseline": _text,
    "update_baseline": _flag,
    "trace": _flag,
    "strict": _flag,
}

_ARTIFACT_CHECKS: dict[str, Callable[[Any, Known], Any]] = {
    "build": _build,
    "outputs": _outputs,
    "source": _text,
    "timeout": _timeout,
    "source_date_epoch": _source_date_epoch,
    "metadata": _metadata,
    "env": _env,
    "pass_env": _pass_env,
    "variations": _specification,
    "secrets": _secrets,
    "reference": _reference,
    "critical": _flag,
    "fetches": _flag,
    "strict": _flag,
}


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def find_line(text: str, table: str, key: str) -> int | None:
    """Return the line of `key` in `table`, or of the table for an empty key; None when that is not plain to see."""
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?$", line)
        if header:
            current = header[1].strip()
            if current == (f"{table}.{key}" if table and key else table or key):
                return number
        elif key and current == table and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*(?:=|\.)""", line):
            return number
    return None


def _usable_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
