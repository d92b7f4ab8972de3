"""Adds the artifacts of configurations in folders below to those of the project."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_ftc.builds.inputs.written_files import WrittenFiles
from pytest_ftc.builds.launcher.globs import may_match
from pytest_ftc.config.below.inherit import inherit
from pytest_ftc.config.below.search import find_configured
from pytest_ftc.config.file import read_file
from pytest_ftc.config.load import Config, read_config
from pytest_ftc.config.schema import Known
from pytest_ftc.model import Artifact
from pytest_ftc.model.errors import ConfigurationError

_MOST = 1000
"""Most configurations of a session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Above:
    """What configurations below are read with."""

    tables: Mapping[str, Any]
    """Those of the project's own configuration."""
    known: Known
    varies: bool
    """Whether the command line says what to vary: then no file does so for its artifacts."""
    add_defaults: Callable[[Config], Config]
    """Adds the sdist and the wheel that no table declares."""


def add_below(config: Config, known: Known, *, varies: bool, add_defaults: Callable[[Config], Config]) -> Config:
    """Return `config` with the artifacts of the configurations below its folder that it asks for.

    Their names begin with their folder, as in ``libs/core:wheel``, and their ids with the path of their file.
    Raises ConfigurationError, also if two have one name.
    """
    if not config.discover:
        return config
    above = Above(
        tables=read_file(config.root)[1].ftc,
        known=replace(known, named=config.sets),
        varies=varies,
        add_defaults=add_defaults,
    )
    written = WrittenFiles(filter(None, (config.report, config.json, config.store)))
    found = find_configured(config.root, config.discover, written)
    for folder in sorted(found, key=lambda one: (one.count("/"), one)):
        if not _is_output(config.root / folder, config.artifacts):
            config = _join(config, folder, _read(config.root / folder, folder, above))
    return config


def _is_output(folder: Path, artifacts: tuple[Artifact, ...]) -> bool:
    """Return whether `folder` is what a build of one of these `artifacts` leaves."""
    return any(
        folder.is_relative_to(one.source) and may_match(str(folder.relative_to(one.source)), glob)
        for one in artifacts
        for glob in one.outputs
        if folder != one.source
    )


def _read(root: Path, folder: str, above: Above) -> Config | None:
    """Return the configuration in `root`; None if it has none for us, after all."""
    with _located(folder):
        file, tables = read_file(root)
        if file is None or (file.name == "pyproject.toml" and not tables.has_ftc):
            return None
        if any(part in folder for part in ("::", "[", "]")) or not folder.isprintable():
            raise ConfigurationError(
                f"{file.name}: its folder {folder!r} cannot be part of a name; expected printable text without "
                "'::', '[' and ']'"
            )
        inherited = replace(tables, ftc=inherit(above.tables, tables.ftc))
        read = above.add_defaults(read_config(root, (file, inherited), {}, above.known))
    own = None if above.varies else tables.ftc.get("variations")
    artifacts = tuple(
        replace(one, variations=one.variations or (read.variations if own else None)) for one in read.artifacts
    )
    return replace(read, artifacts=artifacts)


@contextmanager
def _located(folder: str) -> Iterator[None]:
    """Put `folder` before the name of the file with which messages begin."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{folder}/{error.message}") from None


def _join(config: Config, folder: str, below: Config | None) -> Config:
    """Return `config` with the artifacts of the configuration `below`, in `folder`."""
    if below is None or below.file is None:
        return config
    file = f"{folder}/{below.file.name}"
    if len({*config.below.values()}) >= _MOST:
        raise ConfigurationError(
            f"{file}: expected at most {_MOST:,} configurations below {config.root}, found more; name folders, such as "
            "discover = ['libs/*']"
        )
    taken = {one.name: one.id.partition("::")[0] for one in config.artifacts}
    added, lines = [], dict(config.lines)
    for artifact in below.artifacts:
        name, identity = f"{folder}:{artifact.name}", f"{folder}/{artifact.id}"
        if name in taken:
            raise ConfigurationError(
                f"{file}: the artifact {artifact.name!r} would be {name!r} here, as one of {taken[name]} is; expected "
                "each name once"
            )
        added.append(replace(artifact, id=identity, name=name))
        if artifact.id in below.lines:
            lines[identity] = below.lines[artifact.id]
    files = {one.id: below.file for one in added}
    return replace(config, artifacts=(*config.artifacts, *added), lines=lines, below={**config.below, **files})
